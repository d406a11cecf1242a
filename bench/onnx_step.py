"""Times ONNX Runtime on a file of `onnx_export.py`; prints the same JSON lines as `torch_step.py`.

    python bench/onnx_step.py OUT/image8.onnx --mode image --batch 16
"""

import argparse
import json
import os
import resource
import time

import numpy
import onnxruntime

TOKENS = 32


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="file to run")
    parser.add_argument("--mode", choices=("image", "text"), default="image")
    parser.add_argument("--batch", type=int, default=16, help="images or texts")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def inputs(mode: str, batch: int) -> numpy.ndarray:
    """Random pixels (B, 3, 224, 224) or token ids (B, 32) that end with the end token."""
    if mode == "image":
        return numpy.random.randn(batch, 3, 224, 224).astype(numpy.float32)
    ids = numpy.random.randint(3, 49000, (batch, TOKENS))
    ids[:, -1] = 49407
    return ids


def main() -> None:
    given = arguments()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(given.model, options, providers=["CPUExecutionProvider"])
    values = {"x": inputs(given.mode, given.batch)}
    for _ in range(2):
        session.run(None, values)
    for _ in range(given.repeats):
        start = time.perf_counter()
        session.run(None, values)
        seconds = time.perf_counter() - start
        record = {"what": given.mode, "batch": given.batch, "tokens": TOKENS, "seconds": round(seconds, 6)}
        record["per_second"] = round(given.batch / seconds, 3)
        record["peak_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
