"""The packed form of inverted lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.postings import (
    COUNTS,
    MAX_CHUNK,
    ROW_ENTRIES,
    chunks_of,
    codes_of,
    lengths_of,
    pack,
    packed_rows,
    unpack,
)
from app.indexing.terms import Counts, PassageTerms

counts = st.builds(Counts, st.integers(0, 7), st.integers(0, 15), st.integers(0, 127))


@given(st.lists(st.tuples(st.integers(0, MAX_CHUNK), counts, st.integers(0, 2047)), min_size=1, max_size=30))
def test_what_is_packed_is_read(given: list[tuple[int, Counts, int]]) -> None:
    entries = np.array([pack(*one) for one in given], np.int64)
    found = unpack(entries.astype(">i8").tobytes())
    assert chunks_of(found).tolist() == [chunk for chunk, _, _ in given]
    assert COUNTS[:, codes_of(found)].T.tolist() == [[c.title, c.headings, c.body] for _, c, _ in given]
    assert lengths_of(found).tolist() == [length for _, _, length in given]
    assert np.argsort(entries, kind="stable").tolist() == sorted(range(len(given)), key=lambda n: (entries[n], n))


def test_counts_beyond_their_bits_stay_at_the_highest() -> None:
    entry = np.array([pack(5, Counts(1000, 1000, 1000), 10**9)], np.int64)
    assert (*chunks_of(entry), *COUNTS[:, codes_of(entry)[0]], *lengths_of(entry)) == (5, 7, 15, 127, 2047)


@pytest.mark.parametrize("chunk", [-1, MAX_CHUNK + 1])
def test_a_number_that_does_not_fit_is_refused(chunk: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pack(chunk, Counts(body=1), 1)


def test_a_long_document_has_several_rows_for_a_term() -> None:
    """Each is small enough for an entry of a B-tree, and together they hold each passage once, in order."""
    found = [(chunk, PassageTerms({7: Counts(body=1), -7: Counts(body=2)}, 9)) for chunk in range(2 * ROW_ENTRIES + 1)]
    rows = list(packed_rows(reversed(found)))
    assert [(term, len(entries) // 8) for term, entries in rows] == [
        (t, n) for t in (-7, 7) for n in (ROW_ENTRIES, ROW_ENTRIES, 1)
    ]
    assert chunks_of(unpack(b"".join(e for t, e in rows if t == 7))).tolist() == list(range(2 * ROW_ENTRIES + 1))
    assert max(len(entries) for _, entries in rows) <= 2000
