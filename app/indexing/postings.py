"""The packed form of an inverted list: one 64-bit number for each passage that a term stands in. Pure.

From the highest bit down: 38 bits of the passage's number, then 3, 4 and 7 bits of how often the term stands in its
title, headings and text, then 11 bits of its length in terms. Counts beyond their bits stay at the highest value. So
numbers sort by passage, a list is scored without a look at any other table, and how fields weigh is decided when a
question is asked.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from app.indexing.terms import Counts, PassageTerms

MAX_TITLE, MAX_HEADINGS, MAX_BODY, MAX_LENGTH = 7, 15, 127, 2047
MAX_CHUNK = 2**38 - 1
# Passages in one row: an entry of a B-tree must be smaller than 2,700 bytes.
ROW = 250
STORED = np.dtype(">i8")


_CODES = np.arange(2**14)
# How often a term stands in (title, headings, text) by the code of its counts, shape (3, 2**14).
COUNTS: NDArray[np.int64] = np.stack([_CODES >> 11, _CODES >> 7 & MAX_HEADINGS, _CODES & MAX_BODY])


def pack(chunk_id: int, counts: Counts, length: int) -> int:
    """The entry of one passage; raises ValueError for a passage number beyond 38 bits."""
    if not 0 <= chunk_id <= MAX_CHUNK:
        raise ValueError(f"the passage number {chunk_id} does not fit an entry of an inverted list")
    entry = chunk_id << 3 | min(counts.title, MAX_TITLE)
    entry = entry << 4 | min(counts.headings, MAX_HEADINGS)
    entry = entry << 7 | min(counts.body, MAX_BODY)
    return entry << 11 | min(length, MAX_LENGTH)


def packed_rows(passages: Iterable[tuple[int, PassageTerms]]) -> Iterator[tuple[int, bytes]]:
    """The rows of one document: a term and up to ROW packed entries, by term and passage."""
    entries = sorted(
        (term, pack(chunk_id, counts, found.length))
        for chunk_id, found in passages
        for term, counts in found.counts.items()
    )
    for term, group in groupby(entries, key=itemgetter(0)):
        for part in _parts([entry for _, entry in group]):
            yield term, np.array(part, STORED).tobytes()


def read(stored: bytes) -> NDArray[np.int64]:
    """The entries in any number of rows of one term, one behind the other."""
    return np.frombuffer(stored, STORED).astype(np.int64)


def chunks_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The passages of entries."""
    return entries >> 25


def codes_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The codes of the counts by field: places in COUNTS."""
    return entries >> 11 & (2**14 - 1)


def lengths_of(entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lengths of the passages, up to MAX_LENGTH."""
    return entries & MAX_LENGTH


def _parts(entries: list[int]) -> Iterator[list[int]]:
    return (entries[at : at + ROW] for at in range(0, len(entries), ROW))
