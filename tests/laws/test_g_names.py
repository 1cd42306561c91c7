"""The law of the stream with a list of names and with a model: both are functions of the text, however it is cut."""

import itertools
import random
import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.guardrail.check import Check
from app.guardrail.checks import checks_with
from app.guardrail.gate import Gate, redact
from app.guardrail.names import segments
from app.guardrail.names.directory import DirectoryCheck, names_of
from app.guardrail.names.evidence import names_in
from app.guardrail.names.lexicon import Lexicon, words_of
from app.guardrail.names.spans import NamedSpan, Recogniser, SegmentCheck
from app.guardrail.names.spelling import COMMON
from tests.laws.redaction_texts import random_text
from tests.support.environment import LAW_FACTOR, Report

# Random texts in each of so many hunts, with both models: 100,000 in all in `make laws`.
HUNTS, HUNTED = (LAW_FACTOR, 6_250) if LAW_FACTOR > 1 else (1, 100)
LISTED = ("Anna Müller", "Jean-Luc O'Neil", "Jan van den Berg", "García Márquez, Gabriel", "Will Power", "Sukarno")
PERSON = re.compile(r"Per[A-Za-z]*(?:[ \n]Sson)?")


def scripted(segment: str) -> Iterator[NamedSpan]:
    """A model that sees how its segment begins, and so tells one cut of the text from another."""
    for match in PERSON.finditer(segment):
        if match.start() or len(segment) < 40:
            yield NamedSpan(match.start(), match.end(), "name")
    if segment.startswith("The") and len(segment) > 90:
        yield NamedSpan(0, 12, "name")


class NamesOfBefore:
    """A model whose names stand for a person from there on, by what a lexicon says of them."""

    lexicon = Lexicon(words_of(("Anna", "Gabriel", "Per")), words_of(("Müller", "Sson", "Power")), COMMON)

    def begin(self) -> Recogniser:
        known = set[str]()

        def names(segment: str) -> Iterator[NamedSpan]:
            said = [match.span() for match in re.finditer(r"Anna Müller|Per[ \n]Sson", segment)]
            return names_in(segment, said, self.lexicon, known)

        return names


REMEMBERING = checks_with(SegmentCheck(NamesOfBefore()))
CHECKS = checks_with(DirectoryCheck(names_of(LISTED)), SegmentCheck(scripted))
LIST_ALONE = checks_with(DirectoryCheck(names_of(LISTED)))
PIECES = (
    *LISTED, "Anna", "Mueller,", "MULLER", "A.", "A. Müller", "Müller, A.", "J. van den Berg", "Herr Müller",
    "M&uuml;ller", "**Anna** Müller", "Anna\u200bMu\u0308ller", "will power", "Will", "Anna Müller's", "Sukarnos",
    "O’Neil", "| Müller | Anna |", "<td>Anna</td><td>Müller</td>", "\n> ", "\n", "\n\n", "- ", ", ", ".", ". ", "! ",
    "Dr.", "(", "7", "Per Sson", "Persson", "Per\nSson", "The quick start of a longer sentence goes on", "the",
    "prose that goes on", "a" * 70, "b c " * 60, "anna.mueller@example.com", "jane@example.com", "4111 1111 1111 1111",
    "AB51 ABC", "postgres://app:hunter2@db/main", "ghp_" + "a1B2" * 9, "[redacted: name]", "[redacted: ", "日本語",
    "-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY-----", "password: ",
)  # fmt: skip
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(("", " ", " ", "\n"))), max_size=10).map(
    lambda parts: "".join(piece + gap for piece, gap in parts)
)


def _states(parts: list[str], checks: Sequence[Check] = CHECKS) -> list[str]:
    """All that was released after each part, and after the flush."""
    gate = Gate(checks)
    released = [gate.feed(part) for part in parts]
    released.append(gate.flush())
    return list(itertools.accumulate(released))


def _holds(text: str, cuts: list[int], checks: Sequence[Check] = CHECKS) -> None:
    whole = redact(text, checks)
    states = _states([text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])], checks)
    for state in states:
        assert whole.text.startswith(state)
    assert states[-1] == whole.text


@given(text=texts, data=st.data())
@settings(max_examples=300)
def test_any_cutting_releases_prefixes_of_the_whole_redaction(text: str, data: st.DataObject) -> None:
    some = st.lists(st.integers(0, len(text)), max_size=30).map(sorted)
    _holds(text, data.draw(some | st.just(list(range(len(text))))))


@given(text=texts, data=st.data())
@settings(max_examples=200)
def test_any_cutting_is_judged_by_the_same_names_of_before(text: str, data: st.DataObject) -> None:
    some = st.lists(st.integers(0, len(text)), max_size=30).map(sorted)
    _holds(text, data.draw(some | st.just(list(range(len(text))))), REMEMBERING)


def _violations(seed: int, texts: int) -> Iterator[str]:
    """What breaks the law among random texts in random pieces, with either model and the list."""
    chosen = random.Random(seed)
    for _ in range(texts):
        pieces = [chosen.choice(PIECES) for _ in range(chosen.randrange(1, 6))]
        if chosen.random() < 0.2:
            pieces.append(random_text(chosen))
        text = "".join(piece + chosen.choice(("", " ", " ", "\n")) for piece in pieces)
        for checks in (CHECKS, REMEMBERING):
            cuts = sorted(chosen.choices(range(len(text) + 1), k=chosen.randrange(1, 12)))
            try:
                _holds(text, cuts if chosen.random() < 0.8 else list(range(1, len(text))), checks)
            except AssertionError:
                yield f"cut at {cuts}: {text!r}"


@pytest.mark.parametrize("seed", range(HUNTS))
def test_the_law_holds_for_random_texts_with_names(seed: int, report: Report) -> None:
    assert list(itertools.islice(_violations(seed, HUNTED), 5)) == []
    report(f"names: {HUNTED:,} random texts with seed {seed}, each cut, by a list and by two models")


def test_a_part_of_a_name_of_before_is_hidden_in_its_own_text_alone() -> None:
    text = "Anna Müller wrote it. So Müller knows."
    for _ in range(2):
        assert redact(text, REMEMBERING).text == "[redacted: name] wrote it. So [redacted: name] knows."
        assert redact("So Müller knows.", REMEMBERING).text == "So Müller knows."


@pytest.mark.parametrize("piece", [piece for piece in PIECES if len(piece) > 4])
def test_every_cut_in_two(piece: str) -> None:
    text = f"Ask her. Or {piece}, she knows! And"
    for cut in range(len(text) + 1):
        _holds(text, [cut])


@given(text=texts)
@example(text="Mr Müller Anna Müller, A. Müller")
@settings(max_examples=200)
def test_redacting_twice_changes_nothing(text: str) -> None:
    """With a list. What a model makes of a text with placeholders in it, nobody knows."""
    once = redact(text, LIST_ALONE)
    twice = redact(once.text, LIST_ALONE)
    assert twice.text == once.text
    assert not twice.counts


@given(text=texts)
@settings(max_examples=100)
def test_a_model_is_asked_about_the_same_segments(text: str) -> None:
    asked: list[list[str]] = []
    for pieces in (list(text), [text]):
        asked.append([])

        def record(segment: str, seen: list[str] = asked[-1]) -> list[NamedSpan]:
            seen.append(segment)
            return []

        gate = Gate((SegmentCheck(record),))
        for piece in pieces:
            gate.feed(piece)
        gate.flush()
    assert asked[0] == asked[1]
    assert all(len(segment) <= segments.LONGEST for segment in asked[0])


class PieceByPiece(Gate):
    """A gate that looks at each piece alone, as a filter on tokens does."""

    def feed(self, token: str) -> str:
        return redact(token, CHECKS).text

    def flush(self) -> str:
        return ""


@pytest.mark.parametrize("text", ["Ask Anna Müller now", "Ask Per Sson now"])
def test_a_redaction_of_each_piece_alone_is_found(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Test of the test: a name that a token's end cuts in two goes out."""
    monkeypatch.setitem(globals(), "Gate", PieceByPiece)
    with pytest.raises(AssertionError):
        _holds(text, list(range(1, len(text))))


def test_names_across_a_cut_are_found_whole() -> None:
    """Test of the test: the listed name and the model's are hidden where they stand alone."""
    assert redact("Ask Anna Müller.", CHECKS).text == "Ask [redacted: name]."
    assert redact("Ask Per Sson.", CHECKS).text == "Ask [redacted: name]."
    assert redact("an e-mail to Persson@example.com", CHECKS).text == "an e-mail to [redacted: email]"


def test_what_a_model_finds_in_a_mask_goes_on_behind_it() -> None:
    found = (NamedSpan(5, 40, "name"),)
    checks = checks_with(SegmentCheck(lambda _: found))
    text = "Send jane@example.com Miller and Smith the plan"
    assert redact(text, checks).text == f"Send [redacted: name]{text[40:]}"
    text = "-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY----- Miller and Smith"
    over = checks_with(SegmentCheck(lambda segment: [NamedSpan(3, 32, "name")] if "END" in segment else []))
    assert redact(text, over).text == "[redacted: credential] and Smith"


def test_a_placeholder_in_what_a_model_finds_stays() -> None:
    checks = (SegmentCheck(lambda segment: [NamedSpan(4, len(segment), "name")]),)
    assert (
        redact("Ask Ada [redacted: email] Byron", checks).text
        == "Ask [redacted: name][redacted: email][redacted: name]"
    )


def test_a_long_text_is_cut_anywhere() -> None:
    """Longer than what the gate keeps, so that it forgets the beginning."""
    line = "Then Per Sson and Anna Müller spoke of the plan once more. "
    whole = redact(line * 60, CHECKS)
    assert whole.text == "Then [redacted: name] and [redacted: name] spoke of the plan once more. " * 60
    for size in (1, 7, 500):
        assert _states([(line * 60)[at : at + size] for at in range(0, len(line) * 60, size)])[-1] == whole.text


def test_a_model_that_fails_closes_the_gate() -> None:
    def fail(segment: str) -> list[NamedSpan]:
        raise TimeoutError

    gate = Gate((SegmentCheck(fail),))
    gate.feed("Ask Anna")
    with pytest.raises(TimeoutError):
        gate.feed(" Miller today. And more")
    with pytest.raises(RuntimeError):
        gate.flush()
