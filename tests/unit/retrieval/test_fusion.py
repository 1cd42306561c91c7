"""Fusion by scores: by hand, and laws."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.fusion import FOREIGN_LEXICAL_WEIGHT, LEXICAL_WEIGHT, Candidate, combine, lexical_weight


def candidate(chunk_id: int, document_id: int, similarity: float, share: float) -> Candidate:
    return Candidate(chunk_id, document_id, similarity, share)


@pytest.mark.parametrize(
    ("candidates", "wanted"),
    [
        ([], []),
        # Nearest of all, and not one of its words: a third.
        ([(7, 1, 0.4, 0.0)], [(7, 1 / 3)]),
        # Words alone, where nothing is near.
        ([(7, 1, -0.2, 0.5)], [(7, 1 / 3)]),
        ([(7, 1, 0.0, 0.0)], [(7, 0.0)]),
        # Half as near, twice the words: words weigh twice.
        ([(1, 1, 0.8, 0.3), (2, 2, 0.4, 0.6)], [(2, 1.7 / 3), (1, 1.6 / 3)]),
        # Equal: by id.
        ([(9, 1, 0.5, 0.1), (2, 2, 0.5, 0.1)], [(2, 1.2 / 3), (9, 1.2 / 3)]),
        # More of a document counts less: the third passage of document 1 by .64.
        (
            [(1, 1, 0.5, 1.0), (2, 1, 0.5, 0.9), (3, 1, 0.5, 0.8), (4, 2, 0.5, 0.7)],
            [(1, 1.0), (4, 2.4 / 3), (2, 0.8 * 2.8 / 3), (3, 0.64 * 2.6 / 3)],
        ),
    ],
)
def test_combine(candidates: list[tuple[int, int, float, float]], wanted: list[tuple[int, float]]) -> None:
    found = combine([candidate(*c) for c in candidates])
    assert [item for item, _ in found] == [item for item, _ in wanted]
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted])


worlds = st.lists(
    st.builds(
        Candidate,
        chunk_id=st.integers(0, 50),
        document_id=st.integers(0, 5),
        similarity=st.floats(-1, 1, width=32, allow_subnormal=False),  # as cosines are: no scale makes one vanish
        share=st.floats(0, 1),
    ),
    unique_by=lambda c: c.chunk_id,
    max_size=20,
)


@given(worlds, st.randoms())
def test_combined_is_each_candidate_once_best_first_from_0_to_1(candidates: list[Candidate], random: Random) -> None:
    """In whatever order they come."""
    found = combine(candidates)
    assert combine(random.sample(candidates, len(candidates))) == found
    assert sorted(item for item, _ in found) == sorted(c.chunk_id for c in candidates)
    assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
    assert all(0 <= score <= 1 for _, score in found)


@given(worlds)
def test_the_best_of_each_document_is_not_discounted(candidates: list[Candidate]) -> None:
    """With one passage a document, the order is that of the scores alone, and each document's best keeps its score."""
    found = dict(combine(candidates))
    alone = dict(combine([replace(c, document_id=c.chunk_id) for c in candidates]))
    assert all(found[item] <= alone[item] for item in found)
    for document in {c.document_id for c in candidates}:
        best = min((c.chunk_id for c in candidates if c.document_id == document), key=lambda i: (-alone[i], i))
        assert found[best] == alone[best]


@given(worlds.filter(len), st.floats(0.1, 1))
def test_the_scale_of_cosines_does_not_matter(candidates: list[Candidate], scale: float) -> None:
    found = combine([replace(c, similarity=c.similarity * scale) for c in candidates])
    assert [s for _, s in found] == pytest.approx([s for _, s in combine(candidates)], abs=1e-6)


@pytest.mark.parametrize(
    ("language", "known", "weight"),
    [
        ("en", {"en"}, LEXICAL_WEIGHT),
        ("de", {"en"}, FOREIGN_LEXICAL_WEIGHT),
        ("ja", {"en", "de"}, FOREIGN_LEXICAL_WEIGHT),
        ("de", {"en", "de"}, LEXICAL_WEIGHT),
        ("en", set(), FOREIGN_LEXICAL_WEIGHT),
    ],
)
def test_words_weigh_more_in_a_language_that_the_model_does_not_know(
    language: str, known: set[str], weight: float
) -> None:
    assert lexical_weight(language, known) == weight > 0


def test_a_near_passage_loses_to_one_with_more_of_the_words_of_a_foreign_question() -> None:
    near, worded = candidate(1, 1, 0.9, 0.1), candidate(2, 2, 0.3, 0.3)
    assert [item for item, _ in combine([near, worded])] == [1, 2]
    (first, high), (second, low) = combine([near, worded], FOREIGN_LEXICAL_WEIGHT)
    assert (first, second) == (2, 1)
    assert [high, low] == pytest.approx([(1 / 3 + 10 * 0.3) / 11, (1 + 10 * 0.1) / 11])


@given(worlds)
def test_where_no_word_stands_meaning_decides_whatever_words_weigh(candidates: list[Candidate]) -> None:
    """A question in one language over pages in another."""
    unworded = [replace(c, document_id=c.chunk_id, share=0.0) for c in candidates]
    found = combine(unworded, FOREIGN_LEXICAL_WEIGHT)
    assert [item for item, _ in found] == [item for item, _ in combine(unworded)]
