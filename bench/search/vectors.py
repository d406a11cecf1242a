"""The vectors of a data folder, which rows pass a filter, and the exact neighbours that recall is measured against.

A folder holds base.f32 and the queries text.f32 and image.f32: little endian f32 rows of one width, no header, unit
length. The exact neighbours come from numpy's f32 product over all rows, once; they are kept in the folder.
"""

import sys
from pathlib import Path

import numpy as np

NEIGHBOURS = 10
BLOCK_ROWS = 16_384  # 1,000 queries by this many scores are 64 MiB.


def rows_of(path: Path, dim: int) -> np.ndarray:
    """The rows of a file, mapped."""
    if not path.exists():
        sys.exit(f"{path} is missing; see bench/search/README.md for what makes it")
    if path.stat().st_size % (4 * dim) or not path.stat().st_size:
        sys.exit(f"{path}: {path.stat().st_size} bytes are not rows of {dim} f32; is --dim right?")
    return np.memmap(path, dtype="<f4", mode="r").reshape(-1, dim)  # (N, D)


def is_newer(made: Path, *sources: Path) -> bool:
    """Whether a file exists and was made after what it was made from."""
    return made.exists() and all(made.stat().st_mtime >= source.stat().st_mtime for source in sources)


def passing(rows: int, part: float | None) -> np.ndarray:
    """Which rows a filter lets through: of every thousand in a row the first ones."""
    return np.arange(rows) % 1000 < (1000 if part is None else round(1000 * part))


def truth_of(folder: Path, kind: str, part: float | None) -> Path:
    """Where the exact neighbours are kept."""
    return folder / f"truth.{kind}{'' if part is None else f'.{part:g}'}.u32"


def ensure_truth(folder: Path, kind: str, part: float | None, dim: int) -> None:
    """Computes the exact neighbours where they are missing or older than the vectors."""
    base, queries, kept = folder / "base.f32", folder / f"{kind}.f32", truth_of(folder, kind, part)
    if not is_newer(kept, base, queries):
        print(f"computing {kept}", file=sys.stderr)
        found = nearest(rows_of(base, dim), rows_of(queries, dim), part)
        found.astype("<u4").tofile(kept)


def truth(folder: Path, kind: str, part: float | None) -> np.ndarray:
    """The exact neighbours of every query, best first."""
    return np.fromfile(truth_of(folder, kind, part), "<u4").reshape(-1, NEIGHBOURS)


def nearest(base: np.ndarray, queries: np.ndarray, part: float | None) -> np.ndarray:
    """The rows with the largest inner product with each query, block by block."""
    if passing(len(base), part).sum() < NEIGHBOURS:
        sys.exit(f"a filter of {part} leaves fewer than {NEIGHBOURS} of {len(base)} rows")
    scores = np.full((len(queries), NEIGHBOURS), -np.inf, np.float32)
    rows = np.zeros((len(queries), NEIGHBOURS), np.int64)
    for start in range(0, len(base), BLOCK_ROWS):
        block = base[start : start + BLOCK_ROWS]
        keep = start + np.flatnonzero(passing(start + len(block), part)[start:])
        both = np.hstack([scores, queries @ block[keep - start].T])
        names = np.hstack([rows, np.broadcast_to(keep, (len(queries), len(keep)))])
        best = np.argpartition(-both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        scores, rows = np.take_along_axis(both, best, 1), np.take_along_axis(names, best, 1)
    return np.take_along_axis(rows, np.argsort(-scores, axis=1), 1)


def recall(answers: list | np.ndarray, exact: np.ndarray) -> float:
    """The part of the exact neighbours that the answers hold."""
    hits = sum(np.isin(want, got).sum() for want, got in zip(exact, answers, strict=True))
    return float(hits) / exact.size
