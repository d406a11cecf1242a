"""Three HNSW libraries behind one shape: build, save, open, one query, many queries.

All get the same vectors, inner product (NMSLib: cosine, the same for unit rows), the same M and efConstruction. `one`
is the call that a user of the Python package writes for a single query; all three let go of the interpreter's lock
inside it. They are imported when they are asked for, so one of them is enough to run.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
from vectors import NEIGHBOURS

LINKS, CONSTRUCTION = 16, 200  # M and efConstruction: the usual values of all three.


class Library(Protocol):
    """What a measurement needs of a library."""

    filters: bool
    distribution: str  # The name on the package index, to ask for its version.

    def build(self, base: np.ndarray, threads: int) -> None: ...
    def save(self, path: Path) -> None: ...
    def open(self, path: Path, dim: int) -> None: ...
    def widen(self, ef: int) -> None:
        """Sets how many candidates a search keeps."""

    def restrict(self, mask: np.ndarray) -> None:
        """From here on only rows where the mask is true may be found."""

    def enter_thread(self) -> None:
        """Called once by each Python thread before its queries."""

    def one(self, query: np.ndarray) -> np.ndarray:
        """The rows nearest to a query of shape (1, D)."""

    def many(self, queries: np.ndarray, threads: int) -> list | np.ndarray:
        """The same for many queries, on threads of the library's own."""


class Hnswlib:
    """hnswlib; pip compiles it for the processor at hand. A filter would call Python for each vector: not measured."""

    filters = False
    distribution = "hnswlib"

    def __init__(self) -> None:
        import hnswlib

        self.package = hnswlib

    def build(self, base: np.ndarray, threads: int) -> None:
        self.index = self.package.Index("ip", base.shape[1])
        self.index.init_index(len(base), M=LINKS, ef_construction=CONSTRUCTION)
        self.index.add_items(base, num_threads=threads)

    def save(self, path: Path) -> None:
        self.index.save_index(str(path))

    def open(self, path: Path, dim: int) -> None:
        self.index = self.package.Index("ip", dim)
        self.index.load_index(str(path))

    def widen(self, ef: int) -> None:
        self.index.set_ef(ef)

    def enter_thread(self) -> None:
        """Nothing to do: `one` names its number of threads."""

    def one(self, query: np.ndarray) -> np.ndarray:
        return self.index.knn_query(query, k=NEIGHBOURS, num_threads=1)[0]

    def many(self, queries: np.ndarray, threads: int) -> np.ndarray:
        return self.index.knn_query(queries, k=NEIGHBOURS, num_threads=threads)[0]


class Faiss:
    """faiss, IndexHNSWFlat; its wheel carries code for several processors and chooses when imported."""

    filters = True
    distribution = "faiss-cpu"

    def __init__(self) -> None:
        import faiss

        self.package, self.narrowed, self.selector = faiss, None, None

    def build(self, base: np.ndarray, threads: int) -> None:
        self.index = self.package.IndexHNSWFlat(base.shape[1], LINKS, self.package.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = CONSTRUCTION
        self.package.omp_set_num_threads(threads)
        self.index.add(base)
        self.enter_thread()

    def save(self, path: Path) -> None:
        self.package.write_index(self.index, str(path))

    def open(self, path: Path, dim: int) -> None:
        self.index = self.package.read_index(str(path))
        self.enter_thread()

    def widen(self, ef: int) -> None:
        self.index.hnsw.efSearch = ef
        if self.selector is not None:
            self.narrowed = self.package.SearchParametersHNSW(sel=self.selector, efSearch=ef)

    def restrict(self, mask: np.ndarray) -> None:
        self.selector = self.package.IDSelectorBitmap(np.packbits(mask, bitorder="little"))

    def enter_thread(self) -> None:
        self.package.omp_set_num_threads(1)  # OpenMP counts per calling thread.

    def one(self, query: np.ndarray) -> np.ndarray:
        return self.index.search(query, NEIGHBOURS, params=self.narrowed)[1]

    def many(self, queries: np.ndarray, threads: int) -> np.ndarray:
        self.package.omp_set_num_threads(threads)
        found = self.index.search(queries, NEIGHBOURS, params=self.narrowed)[1]
        self.package.omp_set_num_threads(1)
        return found


class Nmslib:
    """NMSLib. The wheel of 2.1.2 is compiled for any x86-64 (SSE2); built from source it uses what the processor has.

    It is opened without the vectors that were added to build it: searching needs the copy inside the graph only.
    """

    filters = False
    distribution = "nmslib"

    def __init__(self) -> None:
        import nmslib

        self.package = nmslib

    def empty(self) -> None:
        self.index = self.package.init(method="hnsw", space="cosinesimil")

    def build(self, base: np.ndarray, threads: int) -> None:
        self.empty()
        self.index.addDataPointBatch(base)
        self.index.createIndex({"M": LINKS, "efConstruction": CONSTRUCTION, "post": 0, "indexThreadQty": threads})

    def save(self, path: Path) -> None:
        self.index.saveIndex(str(path), save_data=False)

    def open(self, path: Path, dim: int) -> None:
        self.empty()
        self.index.loadIndex(str(path), load_data=False)

    def widen(self, ef: int) -> None:
        self.index.setQueryTimeParams({"efSearch": ef})

    def enter_thread(self) -> None:
        """Nothing to do: a single query runs on the thread that asks."""

    def one(self, query: np.ndarray) -> np.ndarray:
        return self.index.knnQuery(query[0], k=NEIGHBOURS)[0]

    def many(self, queries: np.ndarray, threads: int) -> list:
        return [rows for rows, _ in self.index.knnQueryBatch(queries, k=NEIGHBOURS, num_threads=threads)]


KNOWN: dict[str, type[Library]] = {"nmslib": Nmslib, "hnswlib": Hnswlib, "faiss": Faiss}
