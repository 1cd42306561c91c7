"""Which words are marked, and which part of a text is shown."""

from hypothesis import given
from hypothesis import strategies as st

from app.embedding.terms import query_terms
from app.retrieval.highlight import marks, shown

TEXT = (
    "The committee approved twelve policies. " * 30
    + "Parental leave lasts weeks, said max_retry_count. "
    + "More follows. " * 30
)


def marked(text: str, query: str) -> list[str]:
    return [text[a:b] for a, b in marks(text, query_terms(query))]


def test_words_are_marked_in_any_form() -> None:
    assert marked("Policies, a policy; the police.", "policy") == ["Policies", "policy"]
    assert marked("set max_retry_count to 3", "what is max_retry_count") == ["max_retry_count"]
    assert marked("nothing of it", "the of and") == []


def test_the_part_with_most_of_the_words_is_shown() -> None:
    part = shown(TEXT, query_terms("weeks of parental leave"), length=200)
    assert {part.text[a:b] for a, b in part.marks} == {"Parental", "leave", "weeks"}
    assert part.cut == (True, True)
    assert len(part.text) <= 200


def test_what_fits_is_shown_whole() -> None:
    part = shown("A short text.", query_terms("text"), length=200)
    assert (part.text, part.cut) == ("A short text.", (False, False))


@given(st.text(max_size=600), st.text(max_size=40), st.integers(20, 300))
def test_marks_lie_inside_and_in_order(text: str, query: str, length: int) -> None:
    words = query_terms(query)
    part = shown(text, words, length=length)
    assert len(part.text) <= length
    assert part.text in text
    edges = [edge for mark in part.marks for edge in mark]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(part.text) for edge in edges)
    assert set(marked(part.text, query)) >= {part.text[a:b] for a, b in part.marks} or part.cut != (False, False)
