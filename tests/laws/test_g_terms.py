"""The law of the stream with listed terms: what is released is a function of the text, however it is cut."""

import itertools
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.guardrail.check import Check
from app.guardrail.checks import checks_with
from app.guardrail.gate import Gate, redact
from app.guardrail.terms import ListedTerms
from tests.support.environment import LAW_FACTOR, Report

LISTED = (
    "Project Nightjar", "Project Nightjar Two", "Nightjar", "night", "AT&T", "C++", "C++ compiler", "Süßwasser",
    "nightjar@corp.example", "AC-4711-X", ".env", "#env", "Ночной козодой", "the blue door", "door n", "-- x --",
    "1[2]3", "12 Main", "a b a b a c", "a b a b a b", "ab a", "call", "4111", "x" * 60,
)  # fmt: skip
TERMS = ListedTerms((term, "company term", term) for term in LISTED)
ALONE = (TERMS,)
CHECKS = checks_with(TERMS)
PIECES = (
    *LISTED, "Project", "project", "PROJECT", "Nightjars", "nightj", "Night", "jar", "the", "blue", "door", "doo", "n",
    "AT", "&", "T", "C", "+", "++", "compiler", "corp", ".", "example", "a", "b", "ab", "AC", "4711", "X", "env", "#",
    "-", "_", "`", "~~", "\\", "*", "**", "|", "> ", "\n", "\n> ", "\n- ", "-\n", "-\n> ", "<b>", "</b>", "<br", "<",
    "<span class='x", "<!", "<!--", "<!-- x", "-->", "--", "&nbsp;", "&nb", "&shy;", "&#160;", "[1]", "[1", "[", "]",
    "(", '"', "'", "\u200b", "\u00ad", "\u0308", "ü", "Suesswasser", "日本語", "jane@example.com",
    "4111 1111 1111 1111", "Night<!--" + "x" * 64 + "-->jar", "Night<!--" + "x" * 65 + "-->jar",
    "AB51 ABC", "+49 30 901820", "password: ", "hunter2Xk9!", "[redacted: company term]",
    "[redacted: email]", "[redacted: ", "x" * 70, "prose goes on", "!" * 30,
    "-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY-----",
)  # fmt: skip
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(("", "", " ", "\n"))), max_size=12).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)


def _states(parts: list[str], checks: tuple[Check, ...]) -> list[str]:
    """All that was released after each part, and after the flush."""
    gate = Gate(checks)
    released = [gate.feed(part) for part in parts]
    released.append(gate.flush())
    return list(itertools.accumulate(released))


def _holds(text: str, cuts: list[int], checks: tuple[Check, ...] = CHECKS) -> None:
    whole = redact(text, checks)
    states = _states([text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])], checks)
    for state in states:
        assert whole.text.startswith(state)
    assert states[-1] == whole.text


@given(text=texts, data=st.data())
@settings(max_examples=300 * LAW_FACTOR)
def test_any_cutting_releases_prefixes_of_the_whole_redaction(text: str, data: st.DataObject) -> None:
    some = st.lists(st.integers(0, len(text)), max_size=30).map(sorted)
    _holds(text, data.draw(some | st.just(list(range(len(text))))))


@pytest.mark.parametrize("seed", range(LAW_FACTOR))
def test_the_law_holds_for_random_texts(seed: int, report: Report) -> None:
    """With the terms alone, which is quick: each text in pieces of a character and of several."""
    chosen, count = random.Random(seed), 2_000
    for _ in range(count):
        text = "".join(chosen.choice(PIECES) + chosen.choice(("", "", " ", "\n")) for _ in range(chosen.randint(1, 12)))
        _holds(text, list(range(len(text))), ALONE)
        _holds(text, sorted(chosen.choices(range(len(text) + 1), k=4)), ALONE)
        once = redact(text, ALONE)
        assert redact(once.text, ALONE) == type(once)(once.text, {}), text
    report(f"listed terms: {count:,} random texts with seed {seed}, each cut twice and redacted twice")


@pytest.mark.parametrize("piece", [piece for piece in PIECES if len(piece) > 3])
def test_every_cut_in_two(piece: str) -> None:
    text = f"It says: {piece}, and Project {piece} Nightjar"
    for cut in range(len(text) + 1):
        _holds(text, [cut], ALONE)


@given(text=texts)
@example(text="call +49 30 901820 Project [redacted: email] Nightjar")
@settings(max_examples=200 * LAW_FACTOR)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text, CHECKS)
    twice = redact(once.text, CHECKS)
    assert twice.text == once.text
    assert not twice.counts


class PieceByPiece(Gate):
    """A gate that looks at each piece alone, as a filter on tokens does."""

    def feed(self, token: str) -> str:
        return redact(token, CHECKS).text

    def flush(self) -> str:
        return ""


def test_a_redaction_of_each_piece_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test of the test: a term that a token's end cuts in two goes out."""
    monkeypatch.setitem(globals(), "Gate", PieceByPiece)
    with pytest.raises(AssertionError):
        _holds("See Project Nightjar now", [10])
