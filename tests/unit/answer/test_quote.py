"""Answers without a model: sentences word for word, the best-supported first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answer.quote import MAX_CHARACTERS, Quote, quotes, split_sentences
from app.retrieval.passage import Passage
from tests.support.passages import passage

LEAVE = passage("Everyone gets 25 days of leave. Leave is asked for in June! Sick leave is apart.", title="Leave")
PARKING = passage("Cars park at the quay. The gate opens at 7. Bring a badge.", title="Parking")


@pytest.mark.parametrize(
    ("question", "passages", "first"),
    [
        ("How many days of leave do I get?", [LEAVE, PARKING], Quote(1, "Everyone gets 25 days of leave.")),
        ("When does the gate open?", [LEAVE, PARKING], Quote(2, "The gate opens at 7.")),
        ("When does the gate open?", [PARKING, LEAVE], Quote(1, "The gate opens at 7.")),
        ("badges", [LEAVE, PARKING], Quote(2, "Bring a badge.")),
        ("parking badges", [PARKING], Quote(1, "Bring a badge.")),
    ],
)
def test_the_best_sentence_comes_first(question: str, passages: list[Passage], first: Quote) -> None:
    assert quotes(question, passages)[0] == first


def test_ties_go_to_the_earlier_passage() -> None:
    same = [passage("The gate is shut."), passage("The gate is shut.")]
    assert quotes("gate", same)[0].passage == 1


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n ", []),
        ("One.", ["One."]),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("At 3.5 m it is closed.", ["At 3.5 m it is closed."]),
        ("e.g. this one stays whole.", ["e.g. this one stays whole."]),
        ("a\nb\n\nc", ["a", "b", "c"]),
        ('He said "No." Then he left.', ['He said "No.', "Then he left."]),
        ("It costs 5. 6 are left.", ["It costs 5.", "6 are left."]),
    ],
)
def test_split_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("text", ["word " * 400, "x" * 2000, "x" * 599 + " " + "y" * 700])
def test_long_sentences_are_cut(text: str) -> None:
    pieces = split_sentences(text)
    assert all(0 < len(piece) <= MAX_CHARACTERS for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


texts = st.lists(
    st.sampled_from(
        ["leave", "gate", "Gate", "opens", "7", ".", "! ", ". ", "\n", " ", '"', "é", "日本", "x" * 700, "|"]
    ),
    max_size=40,
).map("".join)


@given(st.lists(texts, min_size=1, max_size=4), texts, st.integers(1, 5))
def test_quotes_are_verbatim(bodies: list[str], question: str, limit: int) -> None:
    """Each stands in the passage that it names, letter by letter; never more than asked for, no sentence twice."""
    passages = [passage(body) for body in bodies]
    found = quotes(question, passages, limit=limit)
    assert len(found) <= limit
    for quote in found:
        assert quote.text
        assert quote.text == quote.text.strip()
        assert quote.text in bodies[quote.passage - 1]
    assert found == quotes(question, passages, limit=limit)
    assert found[:1] == quotes(question, passages, limit=1), "the best is the same however many are asked for"


@given(texts)
def test_sentences_lose_nothing_but_space(text: str) -> None:
    """And closing quotes after a full stop, which belong to no sentence."""
    kept = "".join(split_sentences(text))
    assert "".join(kept.split()).replace('"', "") == "".join(text.split()).replace('"', "")
