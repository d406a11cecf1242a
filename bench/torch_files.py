"""Times PyTorch from picture files: Pillow in DataLoader workers, and CLIP's image tower, or the decoding alone.

    python bench/torch_files.py --pictures DIR --workers 2 --precision bf16
    python bench/torch_files.py --pictures DIR --decode

Every file goes through `Image.open(...).convert("RGB")`, a bicubic resize of the shorter side and a centre crop, as CLIP
wants it; with `--draft` a JPEG may come smaller out of libjpeg (Pillow's draft mode, to twice the side). Weights are random. Prints one
JSON line per pass over the files, {"what": "files", "seconds", "per_second", "peak_rss_mib"}; the first pass is not
printed. `--decode` decodes in this process, without resizing, and prints {"what": "decode", "per_second" in megapixels}.
Needs: pillow, numpy, torch, transformers.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
from PIL import Image

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of picture files")
    parser.add_argument("--decode", action="store_true", help="only decode, one file after the other")
    parser.add_argument("--draft", action="store_true", help="let libjpeg decode at a half, a quarter or an eighth")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="PyTorch threads (default: all cores)")
    parser.add_argument("--precision", choices=("f32", "autocast", "bf16"), default="bf16")
    return parser.parse_args()


class Files:
    """Picture files as CLIP's input, (3, S, S); what a DataLoader asks for."""

    def __init__(self, paths: list[Path], draft: bool, side: int = 224) -> None:
        self.paths, self.draft, self.side = paths, draft, side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        image = Image.open(self.paths[index])
        if self.draft:
            image.draft("RGB", (2 * self.side, 2 * self.side))
        image = image.convert("RGB")
        scale = self.side / min(image.size)
        image = image.resize([max(int(edge * scale), self.side) for edge in image.size], Image.Resampling.BICUBIC)
        left, top = ((edge - self.side) // 2 for edge in image.size)
        image = image.crop((left, top, left + self.side, top + self.side))
        values = (np.asarray(image, np.float32) / 255 - MEAN) / DEVIATION
        return np.ascontiguousarray(values.transpose(2, 0, 1))


def decode(paths: list[Path], repeats: int) -> None:
    """Megapixels a second of one core."""
    for number in range(repeats + 1):
        pixels, start = 0, time.perf_counter()
        for path in paths:
            image = Image.open(path).convert("RGB")
            pixels += image.width * image.height
        seconds = time.perf_counter() - start
        if number:
            tell({"what": "decode", "seconds": round(seconds, 4), "per_second": round(pixels / 1e6 / seconds, 2)})


def embed(given: argparse.Namespace, paths: list[Path]) -> None:
    """Images a second, from files to features."""
    import torch
    from torch.utils.data import DataLoader
    from transformers import CLIPConfig, CLIPModel

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig()).eval()
    kind = torch.bfloat16 if given.precision == "bf16" else torch.float32
    model = model.to(kind)
    loader = DataLoader(
        Files(paths, given.draft),
        batch_size=given.batch,
        num_workers=given.workers,
        persistent_workers=given.workers > 0,
    )
    for number in range(given.repeats + 1):
        start = time.perf_counter()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "autocast"):
            for pixels in loader:
                torch.nn.functional.normalize(model.get_image_features(pixels.to(kind)).pooler_output)
        seconds = time.perf_counter() - start
        if number:
            record = {"what": "files", "seconds": round(seconds, 4), "per_second": round(len(paths) / seconds, 3)}
            tell(record | {"peak_rss_mib": round(peak_rss_mib(), 1)})


def peak_rss_mib() -> float:
    """The most memory of this process and of the largest worker, which is told once a worker has ended."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in both) / 1024


def tell(record: dict) -> None:
    print(json.dumps(record), flush=True)


def main() -> None:
    given = arguments()
    paths = sorted(path for path in given.pictures.iterdir() if path.suffix.lower() in ENDINGS)
    if given.decode:
        decode(paths, given.repeats)
    else:
        embed(given, paths)


if __name__ == "__main__":
    main()
