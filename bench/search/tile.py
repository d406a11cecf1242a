"""Makes a large set of search vectors out of a small real one: the same vectors over and over, each with noise.

    finelens eval DATA --model RUN --split all --features features.safetensors
    python bench/search/tile.py features.safetensors OUT --rows 200000

Writes what `generate` writes: base.f32, text.f32, image.f32, captions.txt and textq.txt. 1,000 captions and 1,000
pictures, neither tiled, are the queries; a noise of 0.3 leaves a copy at a cosine of about 0.96 to its original.
"""

import argparse
import json
from pathlib import Path

import numpy
from safetensors import safe_open

QUERIES = 1000
CHUNK = 10_000


def unit(rows: numpy.ndarray) -> numpy.ndarray:
    return (rows / numpy.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("features", type=Path)
    words.add_argument("out", type=Path)
    words.add_argument("--rows", type=int, default=200_000)
    words.add_argument("--noise", type=float, default=0.3, help="length of what is added to a unit vector")
    typed = words.parse_args()
    with safe_open(typed.features, "numpy") as file:
        images, texts = file.get_tensor("image_features"), file.get_tensor("text_features")
        owner, captions = file.get_tensor("image_of_text"), json.loads(file.metadata()["captions"])
    dice = numpy.random.default_rng(11)
    typed.out.mkdir(parents=True, exist_ok=True)
    asked = dice.permutation(len(images))[:QUERIES]
    kept = numpy.setdiff1d(numpy.arange(len(images)), asked)
    asked_texts = dice.permutation(len(texts))[:QUERIES]
    unit(images[asked]).tofile(typed.out / "image.f32")
    unit(texts[asked_texts]).tofile(typed.out / "text.f32")
    (typed.out / "textq.txt").write_text("".join(" ".join(captions[text].split()) + "\n" for text in asked_texts))
    first = {int(image): captions[text] for text, image in reversed(list(enumerate(owner)))}
    source = kept[numpy.arange(typed.rows) % len(kept)]
    (typed.out / "captions.txt").write_text("".join(" ".join(first[int(image)].split()) + "\n" for image in source))
    with open(typed.out / "base.f32", "wb") as base:
        for start in range(0, typed.rows, CHUNK):
            rows = images[source[start : start + CHUNK]]
            noise = dice.standard_normal(rows.shape) * (typed.noise / rows.shape[1] ** 0.5)
            unit(rows + noise).tofile(base)


if __name__ == "__main__":
    main()
