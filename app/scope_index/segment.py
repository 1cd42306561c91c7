"""One immutable part of the index: FAISS's fast-scan codes, one inverted list for each scope.

Fast-scan reads codes in blocks of 32. For a scope with three passages a list of its own would be mostly padding, and a
company with a scope for each document would pay 3 kB a passage. So small scopes share blocks: a query reads the blocks
of its visible scopes, and the scan skips, before anything is compared, the places in them that belong to others. That
costs as much as a padded block, and a score depends on the query and the code alone, so results do not change either.
"""

import itertools

import faiss
import numpy as np
from numpy.typing import NDArray

from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries, ScanResult, merge

BLOCK = 32
# Entries of a shared list: five blocks, which nearly fill the power of two that FAISS rounds their memory up to.
SHARED_LIST = 160
# A scope with at least this many entries has a list of its own: at most half a block of it is padding.
MIN_OWN_LIST = 64
BITS = 4

Ids = NDArray[np.int64]
Scopes = NDArray[np.int32]
Codes = NDArray[np.uint8]


class Segment:
    """Entries laid out for scanning. Immutable, so any number of threads may read it."""

    def __init__(self, quantizer: ProductQuantizer, entries: Entries) -> None:
        order = np.lexsort((entries.ids, entries.scopes))
        entries = Entries(entries.ids[order], entries.scopes[order], entries.codes[order])
        self.size = len(entries)
        _, counts = np.unique(entries.scopes, return_counts=True)
        own = np.repeat(counts >= MIN_OWN_LIST, counts)
        self._own = _OwnLists(quantizer, entries.pick(own))
        self._shared = _SharedBlocks(quantizer, entries.pick(~own))

    def scan(self, rotated: NDArray[np.float32], scopes: Scopes, depth: int) -> list[ScanResult]:
        """The best `depth` of own lists and of shared blocks, apart; `rotated` is the rotated query, shape (1, d)."""
        # FAISS keeps this setting per thread.
        faiss.omp_set_num_threads(1)
        return [part.scan(rotated, scopes, depth) for part in (self._own, self._shared) if part.size]


def score(quantizer: ProductQuantizer, query: NDArray[np.float32], entries: Entries) -> ScanResult:
    """All of these entries with their scores for a unit vector of shape (dimensions,), best first."""
    if not len(entries):
        return merge([], 0)
    rotated = quantizer.rotate(query[None])
    return merge(Segment(quantizer, entries).scan(rotated, np.unique(entries.scopes), len(entries)), len(entries))


class _OwnLists:
    def __init__(self, quantizer: ProductQuantizer, entries: Entries) -> None:
        self.size = len(entries)
        self._scopes, self._edges = _edges(entries.scopes)
        self._index = _index(quantizer, entries.ids, entries.codes, self._edges)

    def scan(self, rotated: NDArray[np.float32], scopes: Scopes, depth: int) -> ScanResult:
        lists = _positions(self._scopes, scopes)
        total = int((self._edges[lists + 1] - self._edges[lists]).sum())
        return _search(self._index, rotated, lists, min(depth, total), total=total)


class _SharedBlocks:
    """Small scopes next to each other in blocks of 32; FAISS knows an entry by its position."""

    def __init__(self, quantizer: ProductQuantizer, entries: Entries) -> None:
        self.size = len(entries)
        self._ids = entries.ids
        self._scopes, self._edges = _edges(entries.scopes)
        edges = np.append(np.arange(0, self.size, SHARED_LIST), self.size)
        self._index = _index(quantizer, np.arange(self.size, dtype=np.int64), entries.codes, edges)

    def scan(self, rotated: NDArray[np.float32], scopes: Scopes, depth: int) -> ScanResult:
        found = _positions(self._scopes, scopes)
        positions = _ranges(self._edges[found], self._edges[found + 1])
        visible = np.zeros(self.size, np.bool_)
        visible[positions] = True
        selector = faiss.IDSelectorBitmap(np.packbits(visible, bitorder="little"))
        near = _search(
            self._index,
            rotated,
            np.unique(positions // SHARED_LIST),
            min(depth, len(positions)),
            total=len(positions),
            selector=selector,
        )
        return ScanResult(self._ids[near.ids], near.scores, near.bound)


def _edges(scopes: Scopes) -> tuple[Scopes, NDArray[np.int32]]:
    """The scopes of ascending `scopes`, each once, and where each begins, plus the end of the last."""
    known, starts = np.unique(scopes, return_index=True)
    return known, np.append(starts, len(scopes)).astype(np.int32)


def _index(quantizer: ProductQuantizer, ids: Ids, codes: Codes, edges: NDArray[np.int32]) -> "faiss.IndexIVFPQFastScan":
    """FAISS's index over lists of `ids` and `codes` from edge to edge; nothing is trained."""
    codes, ids = np.ascontiguousarray(codes), np.ascontiguousarray(ids)
    # The lists to read are always given, so the coarse quantiser stays empty.
    coarse = faiss.IndexFlatIP(quantizer.dimensions)
    plain = faiss.IndexIVFPQ(
        coarse,
        quantizer.dimensions,
        max(len(edges) - 1, 1),
        quantizer.dimensions // 2,
        BITS,
        faiss.METRIC_INNER_PRODUCT,
    )
    plain.by_residual = False
    faiss.copy_array_to_vector(quantizer.centroids.ravel(), plain.pq.centroids)
    plain.is_trained = True
    for number, (start, end) in enumerate(itertools.pairwise(edges.tolist())):
        plain.invlists.add_entries(
            number, end - start, faiss.swig_ptr(ids[start:end]), faiss.swig_ptr(codes[start:end])
        )
    plain.ntotal = len(ids)
    fast = faiss.IndexIVFPQFastScan(plain, BLOCK)
    # It copied all but the coarse quantiser; a reference to the plain index would double the memory.
    fast.referenced_objects = [coarse]
    return fast


def _search(
    index: "faiss.IndexIVFPQFastScan",
    rotated: NDArray[np.float32],
    lists: NDArray[np.int64],
    depth: int,
    *,
    total: int,
    selector: "faiss.IDSelector | None" = None,
) -> ScanResult:
    """The best `depth` entries of these lists, in which `total` entries are visible."""
    scores, ids = np.empty((1, depth), np.float32), np.empty((1, depth), np.int64)
    if depth == 0:
        return ScanResult(ids[0], scores[0], -np.inf)
    probes = np.ascontiguousarray(lists[None], np.int64)
    options = faiss.SearchParametersIVF(nprobe=probes.shape[1], sel=selector)
    distances = np.zeros(probes.shape, np.float32)
    index.search_preassigned_c(
        1,
        faiss.swig_ptr(rotated),
        depth,
        faiss.swig_ptr(probes),
        faiss.swig_ptr(distances),
        faiss.swig_ptr(scores),
        faiss.swig_ptr(ids),
        False,
        options,
    )
    if (ids[0] < 0).any():
        raise RuntimeError(f"the scan gave {(ids[0] >= 0).sum()} of {depth} entries: the index is damaged")
    # Entries that tie with the last one may have been left out.
    return ScanResult(ids[0], scores[0], float(scores[0, -1]) if depth < total else -np.inf)


def _positions(known: Scopes, wanted: Scopes) -> NDArray[np.int64]:
    """The positions of the wanted scopes among the known ones (both ascending); unknown ones are left out."""
    if not len(known):
        return np.empty(0, np.int64)
    positions: NDArray[np.int64] = np.searchsorted(known, wanted)
    positions[positions == len(known)] = 0
    found: NDArray[np.int64] = positions[known[positions] == wanted]
    return found


def _ranges(starts: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.int64]:
    """All numbers from each start up to its end, exclusive."""
    sizes = ends - starts
    if not sizes.sum():
        return np.empty(0, np.int64)
    steps = np.ones(int(sizes.sum()), np.int64)
    first = np.cumsum(sizes) - sizes
    steps[first] = starts - np.concatenate(([0], ends[:-1] - 1))
    return np.cumsum(steps)
