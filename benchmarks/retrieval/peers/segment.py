"""The product's codebook and segment behind the seam of `peers/lists.py`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.indexing.quantizer import Codebook
from benchmarks.retrieval.peers.fastscan import Codes
from benchmarks.retrieval.peers.late import need
from benchmarks.retrieval.world import Floats, Integers

ID_BYTES = 8


class ProductCoding:
    """A fixed codebook, and an immutable segment."""

    def __init__(self, dimensions: int, folder: Path) -> None:  # noqa: ARG002  # its codebook needs no file
        self._book = Codebook(dimensions)
        self._segment = need("app.scope_index.segment")  # imports FAISS

    def encode(self, vectors: Floats) -> Codes:
        """(n, bytes)."""
        return self._book.encode(vectors)

    def lay(self, codes: Codes, scopes: NDArray[np.int32], count: int) -> "Segmented":  # noqa: ARG002  # the protocol's
        """One segment."""
        entries = self._segment.Entries(np.arange(len(codes)), scopes.astype(np.int32), codes)
        # Small scopes share blocks, so hardly anything is padding.
        return Segmented(
            self._book, self._segment.Segment(self._book, entries), len(codes) * (codes.shape[1] + ID_BYTES)
        )


class Segmented:
    """A segment that answers with ids."""

    def __init__(self, book: Codebook, segment: Any, memory: int) -> None:
        self._book, self._segment, self.memory = book, segment, memory

    def scan(self, question: Floats, scopes: NDArray[np.int32], depth: int) -> Integers:
        """The best of its two parts together."""
        found = self._segment.scan(self._book.rotate(question[None]), scopes, depth)
        ids = np.concatenate([np.empty(0, np.int64), *(part.ids for part in found)])
        scores = np.concatenate([np.empty(0, np.float32), *(part.scores for part in found)])
        return ids[np.argsort(-scores, kind="stable")[:depth]]
