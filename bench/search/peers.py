"""Measures the HNSW of NMSLib, hnswlib or faiss on a data folder; prints one JSON line (see lines.py) per result.

    python bench/search/peers.py ENGINE DIR                      ENGINE: nmslib, hnswlib, faiss
    python bench/search/peers.py ENGINE DIR --kind text --aims 0.99
    python bench/search/peers.py faiss DIR --filters 0.5 0.1 0.01 0.001
    PYTHONPATH=NMSLIB_FROM_SOURCE python bench/search/peers.py nmslib DIR --label nmslib-native

The first run builds the index in a process of its own, keeps it in DIR/indexes, and finds the smallest ef that reaches
each recall. Later runs open it and only time, so that runs of several engines can be interleaved (compare.py).
What is fair to a peer: both qps are the better of single calls from Python threads (the libraries let go of the
interpreter's lock) and the library's own batch call on its own threads (`qps1_by`, `qps2_by` say which). Latency is
one call per query and contains Python's part; `call_us` is the same call into an index of ten vectors, not subtracted.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from libraries import CONSTRUCTION, KNOWN, LINKS, Library
from vectors import NEIGHBOURS, ensure_truth, is_newer, passing, recall, rows_of, truth

WIDEST = 8_192  # A recall that this ef does not reach counts as out of reach.
SUSTAINED = 1.0  # Seconds that a rate is taken over, at least.
MIB = 2.0**20


@dataclass(frozen=True)
class Questions:
    """Queries of one kind under one filter, and what they should find."""

    kind: str
    part: float | None
    queries: np.ndarray  # (M, D)
    exact: np.ndarray  # (M, NEIGHBOURS)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=KNOWN)
    parser.add_argument("folder", type=Path, help="has base.f32, text.f32, image.f32")
    parser.add_argument("--kind", nargs="+", choices=("text", "image"), default=["text", "image"])
    parser.add_argument("--aims", nargs="+", type=float, default=[0.95, 0.99], help="the recalls to reach")
    parser.add_argument("--filters", nargs="*", type=float, default=[], help="parts of the rows that pass; faiss only")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first queries, that ours was calibrated on")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2, help="for building")
    parser.add_argument("--label", help="the name printed and kept, where one engine is there in two builds")
    return parser.parse_args()


def resident_mib() -> float:
    """What this process holds in memory."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def build(engine: str, folder: Path, kept: Path, dim: int, threads: int) -> None:
    """Builds and saves an index, with a note of what that took."""
    base = np.array(rows_of(folder / "base.f32", dim))
    library = KNOWN[engine]()
    start = time.perf_counter()
    library.build(base, threads)
    seconds = time.perf_counter() - start
    kept.parent.mkdir(exist_ok=True)
    library.save(kept)
    note = {"n": len(base), "dim": dim, "build_s": round(seconds, 2), "disk_mib": round(kept.stat().st_size / MIB, 1)}
    write_note(kept, note | {"ef": {}})


def note_of(kept: Path) -> Path:
    """Where the note beside an index is."""
    return kept.with_suffix(".json")


def write_note(kept: Path, note: dict) -> None:
    """Keeps what is known of an index."""
    note_of(kept).write_text(json.dumps(note, indent=1) + "\n")


def in_child(work: Callable[..., None], *wanted: object) -> None:
    """Runs a function in a fresh process, so that what it leaves in memory is not counted here."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=wanted)
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"{work.__name__} failed with status {child.exitcode}")


def prepare(given: argparse.Namespace) -> tuple[Path, dict]:
    """The saved index and its note, built now where it is missing or older than the vectors."""
    kept = given.folder / "indexes" / f"{given.label or given.engine}-M{LINKS}-efC{CONSTRUCTION}.index"
    if not (is_newer(kept, given.folder / "base.f32") and note_of(kept).exists()):
        print(f"building {kept}", file=sys.stderr)
        in_child(build, given.engine, given.folder, kept, given.dim, given.threads)
    return kept, json.loads(note_of(kept).read_text())


def questions(given: argparse.Namespace, kind: str, part: float | None) -> Questions:
    """The queries of one kind, with their exact answers from the folder or computed now."""
    in_child(ensure_truth, given.folder, kind, part, given.dim)
    queries = rows_of(given.folder / f"{kind}.f32", given.dim)[given.skip :]
    return Questions(kind, part, np.array(queries), truth(given.folder, kind, part)[given.skip :])


def smallest_ef(recall_at: Callable[[int], float], aim: float) -> int | None:
    """The smallest ef that reaches a recall, to 1 in 64, by doubling and halving; None where WIDEST does not."""
    low, high = 0, NEIGHBOURS
    while recall_at(high) < aim:
        if high == WIDEST:
            return None
        low, high = high, min(2 * high, WIDEST)
    while high - low > max(1, high // 64) and high > NEIGHBOURS:
        between = (low + high) // 2
        low, high = (low, between) if recall_at(between) >= aim else (between, high)
    return high


def latencies(library: Library, queries: np.ndarray) -> tuple[np.ndarray, list]:
    """Microseconds of each query on its own, after a warm-up, and the answers."""
    for query in queries[:100]:
        library.one(query[None])
    took, answers = [], []
    for query in queries:
        start = time.perf_counter_ns()
        answer = library.one(query[None])
        took.append(time.perf_counter_ns() - start)
        answers.append(answer)
    return np.array(took) / 1000, answers


def sustained(ask_all: Callable[[], object], queries: int) -> float:
    """Queries per second when all of them are asked over and over, for SUSTAINED seconds or a little more."""
    start, asked, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < SUSTAINED:
        ask_all()
        asked, elapsed = asked + queries, time.perf_counter() - start
    return asked / elapsed


def rate_of_calls(library: Library, queries: np.ndarray, threads: int) -> float:
    """Queries per second when Python threads share the queries, one call per query."""

    def ask(first: int) -> None:
        for query in queries[first::threads]:
            library.one(query[None])

    with ThreadPoolExecutor(threads, initializer=library.enter_thread) as pool:
        return sustained(lambda: list(pool.map(ask, range(threads))), len(queries))


def rate_of_batches(library: Library, queries: np.ndarray, threads: int) -> float:
    """Queries per second of calls with all queries at once, on the library's own threads."""
    return sustained(lambda: library.many(queries, threads), len(queries))


def rates(library: Library, queries: np.ndarray) -> dict:
    """The better of both ways to ask, on one and on two threads."""
    found = {}
    for threads in (1, 2):
        ways = {
            "calls": rate_of_calls(library, queries, threads),
            "batch": rate_of_batches(library, queries, threads),
        }
        best = max(ways, key=ways.get)
        found |= {f"qps{threads}": round(ways[best], 1), f"qps{threads}_by": best}
        found |= {f"qps{threads}_{way}": round(rate, 1) for way, rate in ways.items()}
    return found


def overhead(engine: str, dim: int) -> float:
    """Microseconds of a call that has next to nothing to do."""
    library, few = KNOWN[engine](), np.eye(NEIGHBOURS, dim, dtype=np.float32)
    library.build(few, 1)
    library.widen(NEIGHBOURS)
    return float(np.median(latencies(library, np.tile(few, (100, 1)))[0]))


def wide_enough(library: Library, note: dict, asked: Questions, aim: float) -> int | None:
    """The ef for a recall, from the note or found now and noted."""

    @cache
    def recall_at(ef: int) -> float:
        library.widen(ef)
        return recall(library.many(asked.queries, 2), asked.exact)

    name = f"{asked.kind} {asked.part} {len(asked.queries)} {aim}"
    if name not in note["ef"]:
        note["ef"][name] = smallest_ef(recall_at, aim)
    return note["ef"][name]


def measure(library: Library, asked: Questions, ef: int) -> dict:
    """Everything that is timed at one ef."""
    library.widen(ef)
    took, answers = latencies(library, asked.queries)
    reached = round(recall([answer.ravel() for answer in answers], asked.exact), 4)
    p50, p99 = (round(float(value), 1) for value in np.percentile(took, (50, 99)))
    return {"setting": f"ef={ef}", "recall10": reached, "p50_us": p50, "p99_us": p99} | rates(library, asked.queries)


def opened(given: argparse.Namespace, kept: Path, note: dict) -> tuple[Library, float, dict]:
    """The index, the memory held before it, and the facts that are the same for all queries."""
    library, call = KNOWN[given.engine](), overhead(given.engine, given.dim)
    before, start = resident_mib(), time.perf_counter()
    library.open(kept, given.dim)
    seconds = time.perf_counter() - start
    facts = {"engine": given.label or given.engine, "version": version(library.distribution), "mode": "vector"}
    facts |= {name: note[name] for name in ("n", "dim", "build_s", "disk_mib")}
    facts |= {"open_s": round(seconds, 3), "call_us": round(call, 2)}
    return library, before, facts


def time_all(library: Library, kept: Path, note: dict, asked: Questions, aims: list[float]) -> Iterator[dict]:
    """The measurement of some questions at each recall that is within reach."""
    if asked.part is not None:
        library.restrict(passing(note["n"], asked.part))
    for aim in aims:
        ef = wide_enough(library, note, asked, aim)
        write_note(kept, note)
        if ef is None:
            print(f"{kept.name}: {asked.kind}, filter {asked.part}: recall {aim} is out of reach", file=sys.stderr)
        else:
            yield {"kind": asked.kind, "filter": asked.part} | measure(library, asked, ef)


def main() -> None:
    given = arguments()
    if given.filters and not KNOWN[given.engine].filters:
        sys.exit(f"{given.engine} has no filter that can be compared; see libraries.py")
    everything = [questions(given, kind, part) for kind in given.kind for part in given.filters or [None]]
    kept, note = prepare(given)
    library, before, facts = opened(given, kept, note)
    for asked in everything:
        for found in time_all(library, kept, note, asked, given.aims):
            print(json.dumps(facts | found | {"rss_mib": round(resident_mib() - before, 1)}), flush=True)


if __name__ == "__main__":
    main()
