"""The packed form of an inverted list: one 64-bit integer for each passage that a term stands in. Pure.

From the highest bit down: 38 bits of the passage's number, 3, 4 and 7 bits of the term's counts in title, headings and
text, then 11 bits of the passage's length in terms. Larger counts are capped. So integers sort by passage, a list is
scored without reading any other table, and field weights can change without a rebuild (ADR 0013).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from app.indexing.terms import Counts, PassageTerms

MAX_TITLE, MAX_HEADINGS, MAX_BODY, MAX_LENGTH = 7, 15, 127, 2047
MAX_CHUNK = 2**38 - 1
# Entries in one row: a B-tree's item must be smaller than 2,700 bytes.
ROW_ENTRIES = 250
STORED_DTYPE = np.dtype(">i8")

_CODES = np.arange(2**14)
# Counts in (title, headings, text) by their code, shape (3, 2**14).
COUNTS: NDArray[np.int64] = np.stack([_CODES >> 11, _CODES >> 7 & MAX_HEADINGS, _CODES & MAX_BODY])


def pack(chunk_id: int, counts: Counts, length: int) -> int:
    """The entry of a term in one passage; raises ValueError for a passage number beyond 38 bits."""
    if not 0 <= chunk_id <= MAX_CHUNK:
        raise ValueError(f"the passage number {chunk_id} does not fit an entry of an inverted list")
    entry = chunk_id << 3 | min(counts.title, MAX_TITLE)
    entry = entry << 4 | min(counts.headings, MAX_HEADINGS)
    entry = entry << 7 | min(counts.body, MAX_BODY)
    return entry << 11 | min(length, MAX_LENGTH)


def packed_rows(passages: Iterable[tuple[int, PassageTerms]]) -> Iterator[tuple[int, bytes]]:
    """The rows of one document: a term and up to ROW_ENTRIES packed entries, by term and passage."""
    entries = sorted(
        (term, pack(chunk_id, counts, terms.length))
        for chunk_id, terms in passages
        for term, counts in terms.counts.items()
    )
    for term, group in groupby(entries, key=itemgetter(0)):
        packed = np.array([entry for _, entry in group], STORED_DTYPE)
        for start in range(0, len(packed), ROW_ENTRIES):
            yield term, packed[start : start + ROW_ENTRIES].tobytes()


def unpack(stored: bytes) -> NDArray[np.int64]:
    """The entries of one term from its rows, concatenated."""
    return np.frombuffer(stored, STORED_DTYPE).astype(np.int64)


def chunks_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The passage numbers of entries."""
    return entries >> 25


def codes_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The codes of the counts by field: indices into COUNTS."""
    return entries >> 11 & (2**14 - 1)


def lengths_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lengths of the passages, up to MAX_LENGTH."""
    return entries & MAX_LENGTH
