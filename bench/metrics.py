#!/usr/bin/env python3
"""The metrics of `finelens eval`, computed a second time: numpy only, from the definitions, by sorting whole rows.

    python bench/metrics.py FEATURES.safetensors          prints the metrics as JSON
    python bench/metrics.py FEATURES.npz                  the same
    python bench/metrics.py --generate FIXTURE.safetensors
        writes the small feature set that the tests compare on (crates/finetune/tests/eval.rs)

Tensors read (unit rows):
    image_features (N, D)  text_features (M, D)  text_image (M) index of each caption's image
    optional: text_wording (M), equal numbers for word-identical captions -> "identical_captions"
    optional: class_features (C, D) and class_of_image (N'), with class_image_features (N', D)
              where not every image has a class -> "zero_shot"

It shares no code with finelens and takes no short cuts, so it is slow where finelens is not: full corpora of some
ten thousand captions are what it is for.
"""

import argparse
import json
import struct
from fractions import Fraction
from math import comb, log2

import numpy as np

TIE = 1e-6  # Scores this close are tied, and a tie counts against the model.
RECALL_AT, MRR_AT, HITS_AT, BATCH = (1, 5, 10), (1, 3, 5, 10, 20), (1, 3, 5, 10), 64
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U32": "<u4", "U64": "<u8"}


# --- Ranking -------------------------------------------------------------------------------------------------------


def right_ranks(scores, right):
    """Ranks of all right answers, ascending, by laying the candidates out in the order a user would see them.

    Among answers tied with a right one, the wrong ones are shown first.
    """
    is_right = np.zeros(len(scores), bool)
    is_right[right] = True
    # Within a tie, lifting the wrong answers by the tolerance puts them in front; a right answer that equals a lifted
    # wrong one comes after it, hence the second key.
    shown = np.where(is_right, scores, scores + TIE)
    order = np.lexsort((is_right, -shown))
    return np.flatnonzero(is_right[order]) + 1


def is_tied(scores, right):
    best = scores[right].max()
    wrong = np.delete(scores, right)
    return bool(np.any(np.abs(wrong - best) <= TIE))


def per_query(queries, keys, right_of):
    """For each query: rank of its best right answer, nDCG@10, number of right answers, whether it is tied."""
    rows = []
    for start in range(0, len(queries), 256):
        for offset, scores in enumerate(queries[start : start + 256] @ keys.T):
            right = right_of(start + offset)
            ranks = right_ranks(scores, right)
            rows.append((ranks[0], ndcg_at_10(ranks), len(right), is_tied(scores, right)))
    first, ndcg, count, tied = map(np.array, zip(*rows))
    return {"first": first, "ndcg": ndcg, "right": count, "tied": tied, "pool": len(keys)}


def ndcg_at_10(ranks):
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(ranks), 10) + 1))
    return sum(1 / log2(rank + 1) for rank in ranks if rank <= 10) / ideal


# --- Metrics -------------------------------------------------------------------------------------------------------


def hits(first, k):
    return float(np.mean(first <= k))


def mrr(first, k):
    return float(np.mean(np.where(first <= k, 1 / first, 0)))


def direction_metrics(name, table):
    first = table["first"]
    out = {f"{name}_r@{k}": hits(first, k) for k in RECALL_AT}
    out |= {f"{name}_mrr@{k}": mrr(first, k) for k in MRR_AT}
    out[f"{name}_ndcg@10"] = float(np.mean(table["ndcg"]))
    out[f"{name}_median_rank"] = float(np.median(first))
    out[f"{name}_mean_rank"] = float(np.mean(first))
    return out


def both_ways(i2t, t2i):
    metrics = direction_metrics("i2t", i2t) | direction_metrics("t2i", t2i)
    return {"mean_recall": mean_recall(metrics)} | metrics


def mean_recall(metrics):
    return sum(metrics[f"{name}_r@{k}"] for name in ("i2t", "t2i") for k in RECALL_AT) / 6


# --- Chance: expectations over all orders of the candidates, in exact fractions ---------------------------------------


def first_rank_probability(pool, right, rank):
    return Fraction(comb(pool - rank, right - 1), comb(pool, right)) if rank <= pool else Fraction(0)


def chance_of_query(pool, right):
    probability = [first_rank_probability(pool, right, rank) for rank in range(1, 21)]
    out = {f"r@{k}": float(sum(probability[:k])) for k in sorted({*RECALL_AT, *HITS_AT})}
    for k in MRR_AT:
        out[f"mrr@{k}"] = float(sum(p / rank for rank, p in enumerate(probability[:k], 1)))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(right, 10) + 1))
    out["ndcg@10"] = right / pool * sum(1 / log2(rank + 1) for rank in range(1, min(pool, 10) + 1)) / ideal
    out["mean_rank"] = (pool + 1) / (right + 1)
    return out


def mean_chance(pool, rights):
    counts = dict(zip(*np.unique(rights, return_counts=True)))
    tables = {int(right): chance_of_query(pool, int(right)) for right in counts}
    names = next(iter(tables.values()))
    return {name: float(sum(n * tables[int(r)][name] for r, n in counts.items()) / len(rights)) for name in names}


def retrieval_chance(i2t, t2i):
    out = {}
    for name, table in (("i2t", i2t), ("t2i", t2i)):
        chance = mean_chance(table["pool"], table["right"])
        wanted = [*(f"r@{k}" for k in RECALL_AT), *(f"mrr@{k}" for k in MRR_AT), "ndcg@10", "mean_rank"]
        out |= {f"{name}_{measure}": chance[measure] for measure in wanted}
    return {"mean_recall": mean_recall(out)} | out


# --- Bootstrap over images -----------------------------------------------------------------------------------------


def intervals(i2t, t2i, text_image, resamples=1000, seed=1):
    """95 % percentile intervals; an image's captions are drawn with it. The draws differ from finelens's."""
    texts_of = [np.flatnonzero(text_image == image) for image in range(len(i2t["first"]))]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        images = random.integers(len(texts_of), size=len(texts_of))
        texts = np.concatenate([texts_of[image] for image in images])
        pick = lambda table, rows: {"first": table["first"][rows], "ndcg": table["ndcg"][rows]}
        drawn.append(both_ways(pick(i2t, images), pick(t2i, texts)))
    return {name: [float(q) for q in np.quantile([d[name] for d in drawn], [0.025, 0.975])] for name in drawn[0]}


# --- Protocols -----------------------------------------------------------------------------------------------------


def retrieval(images, texts, text_image, image_is_right):
    """`image_is_right[text]` lists the images that the caption is right for."""
    texts_right = [[] for _ in images]
    for text, right in enumerate(image_is_right):
        for image in right:
            texts_right[image].append(text)
    i2t = per_query(images, texts, lambda image: texts_right[image])
    t2i = per_query(texts, images, lambda text: image_is_right[text])
    return {
        "metrics": both_ways(i2t, t2i),
        "chance": retrieval_chance(i2t, t2i),
        "intervals": intervals(i2t, t2i, text_image),
        "tied": {"i2t": int(i2t["tied"].sum()), "t2i": int(t2i["tied"].sum())},
    }


def own_captions(text_image):
    return [[image] for image in text_image]


def identical_captions(text_image, wording):
    images_of = {}
    for image, words in zip(text_image, wording):
        images_of.setdefault(int(words), set()).add(int(image))
    return [sorted(images_of[int(words)]) for words in wording]


def zero_shot(images, labels, classes):
    table = per_query(images, classes, lambda image: [labels[image]])
    chance = mean_chance(len(classes), table["right"])
    first = table["first"]
    return {
        "metrics": {f"zero_shot_hits@{k}": hits(first, k) for k in HITS_AT},
        "chance": {f"zero_shot_hits@{k}": chance[f"r@{k}"] for k in HITS_AT},
        "mean_per_class_accuracy": float(np.mean([np.mean(first[labels == c] == 1) for c in np.unique(labels)])),
        "tied": int(table["tied"].sum()),
    }


def in_batch(images, texts, text_image):
    first_caption = [int(np.flatnonzero(text_image == image)[0]) for image in range(len(images))]
    ranks, tied, chance = [], 0, {k: [] for k in MRR_AT}
    for start in range(0, len(images), BATCH):
        batch = slice(start, start + BATCH)
        table = per_query(images[batch], texts[first_caption[batch]], lambda image: [image])
        ranks.extend(table["first"])
        tied += int(table["tied"].sum())
        for k in MRR_AT:
            chance[k] += [chance_of_query(table["pool"], 1)[f"mrr@{k}"]] * table["pool"]
    ranks = np.array(ranks)
    return {
        "metrics": {f"in_batch_mrr@{k}": mrr(ranks, k) for k in MRR_AT},
        "chance": {f"in_batch_mrr@{k}": float(np.mean(chance[k])) for k in MRR_AT},
        "tied": tied,
    }


def measure(tensors):
    images, texts = (tensors[name].astype(np.float32) for name in ("image_features", "text_features"))
    text_image = tensors["text_image"].astype(np.int64)
    out = {"images": len(images), "texts": len(texts)}
    out["retrieval"] = retrieval(images, texts, text_image, own_captions(text_image))
    if "text_wording" in tensors:
        right = identical_captions(text_image, tensors["text_wording"])
        out["shared_captions"] = sum(len(images) > 1 for images in right)
        out["identical_captions"] = retrieval(images, texts, text_image, right)
    if "class_features" in tensors:
        pictures = tensors.get("class_image_features", images).astype(np.float32)
        labels = tensors["class_of_image"].astype(np.int64)
        out["zero_shot"] = zero_shot(pictures, labels, tensors["class_features"].astype(np.float32))
    out["in_batch"] = in_batch(images, texts, text_image)
    return out


# --- Files ---------------------------------------------------------------------------------------------------------


def load(path):
    if path.endswith(".npz"):
        return dict(np.load(path))
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    header.pop("__metadata__", None)
    read = lambda entry: np.frombuffer(body[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]])
    return {name: read(entry).reshape(entry["shape"]) for name, entry in header.items()}


def save(path, tensors):
    header, body = {}, b""
    for name, tensor in tensors.items():
        data, dtype = tensor.tobytes(), next(k for k, v in DTYPES.items() if np.dtype(v) == tensor.dtype)
        header[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def generate(images=90, width=12, classes=7, seed=20):
    """A small set in which captions are near their image, some are shared with other images, and one image has a twin."""
    random = np.random.default_rng(seed)
    unit = lambda rows: (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    centre = random.normal(size=(images, width))
    centre[17] = centre[4]  # Two images that nothing tells apart.
    text_image, wording, rows = [], [], []
    for image in range(images):
        for _ in range(random.integers(1, 6)):
            text_image.append(image)
            shared = random.random() < 0.3 and rows
            source = random.integers(len(rows)) if shared else None
            wording.append(wording[source] if shared else len(rows))
            rows.append(rows[source] if shared else centre[image] + 1.3 * random.normal(size=width))
    labels = random.integers(classes - 1, size=images)  # The last class has no image.
    labels[17] = labels[4]
    names = random.normal(size=(classes, width))
    names[1] = names[0]
    return {
        "image_features": unit(centre + 0.6 * names[labels]),
        "text_features": unit(np.array(rows)),
        "class_features": unit(names),
        "text_image": np.array(text_image, "<i8"),
        "text_wording": np.array(wording, "<i8"),
        "class_of_image": labels.astype("<i8"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", help="a .safetensors or .npz file")
    parser.add_argument("--generate", action="store_true", help="write the test's feature set there instead")
    arguments = parser.parse_args()
    if arguments.generate:
        save(arguments.features, generate())
    else:
        print(json.dumps(measure(load(arguments.features)), indent=1))


if __name__ == "__main__":
    main()
