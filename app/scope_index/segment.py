"""One immutable part of the lists: FAISS's fast-scan codes, one inverted list for each scope.

Fast-scan reads codes in blocks of 32. A list of its own for a scope with three passages would be a block that is
mostly padding, and a company with a scope for each document would pay 3 kB a passage. So small scopes lie behind one
another in shared blocks: a query reads the blocks of its visible scopes, and the scan itself skips, before anything
is compared, the places in them that belong to others. It costs what a padded block costs, and a score depends on the
query and the code alone, so the results do not change either.
"""

import itertools

import faiss
import numpy as np
from numpy.typing import NDArray

from app.indexing.quantizer import Codebook
from app.scope_index.protocol import Candidates, Entries, merge

BLOCK = 32
# Places of a shared list: five blocks, which nearly fill the power of two that FAISS rounds their memory up to.
SHARED = 160
# From here on a scope has a list of its own: half a block at most is padding, and from four blocks on an eighth.
OWN_LIST = 64
BITS = 4

Ids = NDArray[np.int64]
Scopes = NDArray[np.int32]
Codes = NDArray[np.uint8]


class Segment:
    """Entries laid out for scanning. Nothing in it changes once it is made, so any number of threads may read it."""

    def __init__(self, book: Codebook, entries: Entries) -> None:
        order = np.lexsort((entries.ids, entries.scopes))
        entries = Entries(entries.ids[order], entries.scopes[order], entries.codes[order])
        self.size = len(entries)
        _, counts = np.unique(entries.scopes, return_counts=True)
        own = np.repeat(counts >= OWN_LIST, counts)
        self._own = _OwnLists(book, entries.pick(own))
        self._shared = _SharedBlocks(book, entries.pick(~own))

    def scan(self, turned: NDArray[np.float32], scopes: Scopes, depth: int) -> list[Candidates]:
        """The best `depth` in lists of their own, and in shared blocks; `turned` is the rotated query, shape (1, d)."""
        # The setting is each thread's own.
        faiss.omp_set_num_threads(1)
        return [part.scan(turned, scopes, depth) for part in (self._own, self._shared) if part.size]


def scored(book: Codebook, query: NDArray[np.float32], entries: Entries) -> Candidates:
    """All of these entries with their scores for a unit vector of shape (dimensions,), best first."""
    if not len(entries):
        return merge([], 0)
    near = Segment(book, entries).scan(book.rotate(query[None]), np.unique(entries.scopes), len(entries))
    return merge(near, len(entries))


class _OwnLists:
    """A list for each scope."""

    def __init__(self, book: Codebook, entries: Entries) -> None:
        self.size = len(entries)
        self._scopes, self._edges = _edges(entries.scopes)
        self._index = _index(book, entries.ids, entries.codes, self._edges)

    def scan(self, turned: NDArray[np.float32], scopes: Scopes, depth: int) -> Candidates:
        lists = _positions(self._scopes, scopes)
        whole = int((self._edges[lists + 1] - self._edges[lists]).sum())
        return _search(self._index, turned, lists, min(depth, whole), whole=whole)


class _SharedBlocks:
    """Small scopes behind one another in blocks of 32; FAISS knows an entry by its place."""

    def __init__(self, book: Codebook, entries: Entries) -> None:
        self.size = len(entries)
        self._ids = entries.ids
        self._scopes, self._edges = _edges(entries.scopes)
        edges = np.append(np.arange(0, self.size, SHARED), self.size)
        self._index = _index(book, np.arange(self.size, dtype=np.int64), entries.codes, edges)

    def scan(self, turned: NDArray[np.float32], scopes: Scopes, depth: int) -> Candidates:
        found = _positions(self._scopes, scopes)
        places = _ranges(self._edges[found], self._edges[found + 1])
        visible = np.zeros(self.size, np.bool_)
        visible[places] = True
        chosen = np.packbits(visible, bitorder="little")
        selector = faiss.IDSelectorBitmap(chosen)
        near = _search(
            self._index,
            turned,
            np.unique(places // SHARED),
            min(depth, len(places)),
            whole=len(places),
            selector=selector,
        )
        return Candidates(self._ids[near.ids], near.scores, near.bound)


def _edges(scopes: Scopes) -> tuple[Scopes, NDArray[np.int32]]:
    """The scopes of ascending `scopes`, each once, and where each begins; one more at the end."""
    known, starts = np.unique(scopes, return_index=True)
    return known, np.append(starts, len(scopes)).astype(np.int32)


def _index(book: Codebook, ids: Ids, codes: Codes, edges: NDArray[np.int32]) -> "faiss.IndexIVFPQFastScan":
    """FAISS's index over lists of `ids` and `codes` from edge to edge. Codes go in as they are: nothing is trained."""
    codes, ids = np.ascontiguousarray(codes), np.ascontiguousarray(ids)
    # The lists to read are always named, so the coarse quantiser stays empty.
    quantizer = faiss.IndexFlatIP(book.dimensions)
    plain = faiss.IndexIVFPQ(
        quantizer,
        book.dimensions,
        max(len(edges) - 1, 1),
        book.dimensions // 2,
        BITS,
        faiss.METRIC_INNER_PRODUCT,
    )
    plain.by_residual = False
    faiss.copy_array_to_vector(book.centroids.ravel(), plain.pq.centroids)
    plain.is_trained = True
    for number, (start, end) in enumerate(itertools.pairwise(edges.tolist())):
        plain.invlists.add_entries(
            number, end - start, faiss.swig_ptr(ids[start:end]), faiss.swig_ptr(codes[start:end])
        )
    plain.ntotal = len(ids)
    fast = faiss.IndexIVFPQFastScan(plain, BLOCK)
    # It has copied all but the quantiser; kept with it, the plain lists would double the memory.
    fast.referenced_objects = [quantizer]
    return fast


def _search(
    index: "faiss.IndexIVFPQFastScan",
    turned: NDArray[np.float32],
    lists: NDArray[np.int64],
    depth: int,
    *,
    whole: int,
    selector: "faiss.IDSelector | None" = None,
) -> Candidates:
    """The best `depth` entries of these lists, of which `whole` entries may be looked at."""
    scores, ids = np.empty((1, depth), np.float32), np.empty((1, depth), np.int64)
    if depth == 0:
        return Candidates(ids[0], scores[0], -np.inf)
    named = np.ascontiguousarray(lists[None], np.int64)
    options = faiss.SearchParametersIVF(nprobe=named.shape[1], sel=selector)
    distances = np.zeros(named.shape, np.float32)
    index.search_preassigned_c(
        1,
        faiss.swig_ptr(turned),
        depth,
        faiss.swig_ptr(named),
        faiss.swig_ptr(distances),
        faiss.swig_ptr(scores),
        faiss.swig_ptr(ids),
        False,
        options,
    )
    if (ids[0] < 0).any():
        raise RuntimeError(f"the scan gave {(ids[0] >= 0).sum()} of {depth} entries: the lists are damaged")
    # What ties with the last one may have been left out.
    return Candidates(ids[0], scores[0], float(scores[0, -1]) if depth < whole else -np.inf)


def _positions(known: Scopes, wanted: Scopes) -> NDArray[np.int64]:
    """Where the wanted scopes stand among the known ones (both ascending), those that are not known left out."""
    if not len(known):
        return np.empty(0, np.int64)
    places: NDArray[np.int64] = np.searchsorted(known, wanted)
    places[places == len(known)] = 0
    found: NDArray[np.int64] = places[known[places] == wanted]
    return found


def _ranges(starts: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.int64]:
    """All numbers from each start to its end."""
    sizes = ends - starts
    if not sizes.sum():
        return np.empty(0, np.int64)
    steps = np.ones(int(sizes.sum()), np.int64)
    first = np.cumsum(sizes) - sizes
    steps[first] = starts - np.concatenate(([0], ends[:-1] - 1))
    return np.cumsum(steps)
