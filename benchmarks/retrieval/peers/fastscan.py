"""A prototype of scope lists: product-quantised codes in one inverted list for each scope, scanned by SIMD."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.world import Floats, Integers, unit

Codes = NDArray[np.uint8]

SUBSPACES_PER_DIMENSION = 2  # 192 codes for 384 dimensions
BITS = 4
NOISE = 8_192  # vectors of seeded noise that the codebook is trained on: it knows no document


def codebook(dimensions: int, file: Path) -> Any:
    """A product quantiser trained on noise; kept in a file."""
    faiss = need("faiss")
    faiss.omp_set_num_threads(1)
    if file.exists():
        return faiss.read_ProductQuantizer(str(file))
    quantiser = faiss.ProductQuantizer(dimensions, dimensions // SUBSPACES_PER_DIMENSION, BITS)
    rng = np.random.default_rng(20)
    quantiser.train(unit(rng.standard_normal((NOISE, dimensions), np.float32)))
    file.parent.mkdir(parents=True, exist_ok=True)
    faiss.write_ProductQuantizer(quantiser, str(file))
    return quantiser


class Prototype:
    """A codebook from noise, and one list for each scope."""

    def __init__(self, dimensions: int, folder: Path) -> None:
        self._quantiser = codebook(dimensions, folder / "codebook.pq")

    def encode(self, vectors: Floats) -> Codes:
        """(n, bytes)."""
        codes: Codes = self._quantiser.compute_codes(vectors)
        return codes

    def lay(self, codes: Codes, scopes: NDArray[np.int32], count: int) -> "ScopeLists":
        """Ready to scan; `count` scopes, ids are positions."""
        return ScopeLists(self._quantiser, codes, np.arange(len(codes)), scopes, count)


class ScopeLists:
    """Immutable lists of codes. `codes` (n, bytes), `ids` (n,), `scopes` (n,) below `count`."""

    def __init__(self, quantiser: Any, codes: Codes, ids: Integers, scopes: NDArray[np.int32], count: int) -> None:
        faiss = self._faiss = need("faiss")
        faiss.omp_set_num_threads(1)
        self._coarse = faiss.IndexFlatIP(quantiser.d)
        self._coarse.add(np.zeros((count, quantiser.d), np.float32))
        plain = faiss.IndexIVFPQ(
            self._coarse, quantiser.d, count, quantiser.M, quantiser.nbits, faiss.METRIC_INNER_PRODUCT
        )
        plain.by_residual, plain.pq, plain.is_trained = False, quantiser, True
        order = np.argsort(scopes, kind="stable")
        ids, codes = np.ascontiguousarray(ids[order]), np.ascontiguousarray(codes[order])
        bounds = np.searchsorted(scopes[order], np.arange(count + 1))
        for scope in range(count):
            begin, end = int(bounds[scope]), int(bounds[scope + 1])
            if end > begin:
                of_ids, of_codes = ids[begin:end], codes[begin:end]
                plain.invlists.add_entries(scope, end - begin, faiss.swig_ptr(of_ids), faiss.swig_ptr(of_codes))
        plain.ntotal = len(ids)
        self._packed = faiss.IndexIVFPQFastScan(plain)
        # Lists are padded to blocks of 32 codes, and each id takes 8 bytes.
        padded = (np.diff(bounds) + 31) // 32 * 32
        self.memory = int(padded.sum()) * codes.shape[1] + ids.nbytes

    def scan(self, question: Floats, scopes: NDArray[np.int32], depth: int) -> Integers:
        """The ids of the best `depth` codes in these scopes; hidden lists are not touched."""
        faiss = self._faiss
        zeros = np.zeros(len(scopes), np.float32)
        distances = np.empty(depth, np.float32)
        ids = np.empty(depth, np.int64)
        asked, lists = np.ascontiguousarray(question), scopes.astype(np.int64)
        pointers = [faiss.swig_ptr(a) for a in (asked, lists, zeros, distances, ids)]
        self._packed.search_preassigned_c(
            1, pointers[0], depth, *pointers[1:], False, faiss.SearchParametersIVF(nprobe=len(scopes))
        )
        return ids[ids >= 0]
