"""The law of the stream: whatever the cutting, what is released is a prefix of the redaction of the whole text."""

import itertools
import random
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.guardrail.check import BEFORE, KINDS, WORD
from app.guardrail.checks import default_checks, optional_checks
from app.guardrail.gate import Gate, redact
from app.guardrail.normal import fold
from tests.laws.redaction_mutants import MUTANTS
from tests.laws.redaction_texts import SECRETS, TEXTS, disguised, random_text
from tests.support.environment import LAW_FACTOR, Report

CHECKS = (*default_checks(), *optional_checks())
MAX_RUN = max(check.run.extent for check in CHECKS)
# Random texts in each of so many hunts: 100,000 in all in `make laws`.
HUNTS, HUNTED = (LAW_FACTOR, 12_500) if LAW_FACTOR > 1 else (1, 400)


def _states(parts: list[str], made: type[Gate] = Gate) -> list[str]:
    """All that was released after each part, and after the flush."""
    gate = made(CHECKS)
    released = [gate.feed(part) for part in parts]
    released.append(gate.flush())
    return list(itertools.accumulate(released))


def _aborted(part: str, made: type[Gate]) -> str:
    """All that goes out of a stream that breaks off: a gate is dropped then, unless it has something to say of it."""
    gate = made(CHECKS)
    released = gate.feed(part)
    return released + getattr(gate, "abort", str)()


def _holds(text: str, parts: list[str]) -> None:
    whole = redact(text, CHECKS)
    states = _states(parts)
    for state in states:
        assert whole.text.startswith(state)
    assert states[-1] == whole.text


def _violations(seed: int, texts: int, made: type[Gate] = Gate) -> Iterator[str]:
    """What breaks the law among random texts in random pieces, for a kind of gate."""
    chosen = random.Random(seed)
    for _ in range(texts):
        text = random_text(chosen)
        size = len(text)
        whole = _states([text], made)[-1]
        cuts = sorted(chosen.choices(range(size + 1), k=chosen.randrange(1, 12)))
        if chosen.random() < 0.4:
            cuts = list(range(size))
        states = _states([text[a:b] for a, b in itertools.pairwise([0, *cuts, size])], made)
        states.append(_aborted(text[: chosen.randint(0, size)], made))
        if states[-2] != whole or not all(whole.startswith(state) for state in states):
            yield f"cut at {cuts}: {text!r}"
        if made is Gate:
            again = redact(whole, CHECKS)
            if again.text != whole or again.counts:
                yield f"redacted twice: {text!r}"


@pytest.mark.parametrize("seed", range(HUNTS))
def test_the_law_holds_for_random_texts(seed: int, report: Report) -> None:
    """Any cutting, a stream that breaks off, and redacting twice: with many more texts than Hypothesis has time for."""
    assert list(itertools.islice(_violations(seed, HUNTED), 5)) == []
    report(f"redaction: {HUNTED:,} random texts with seed {seed}, each cut, broken off and redacted twice")


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_gate_built_wrong_is_found(mutant: type[Gate]) -> None:
    """Tests of the test: early release, `finditer` on a buffer, a fixed hold-back, a flush of what was aborted."""
    assert next(_violations(0, 100, mutant), "") != ""


def test_a_placeholder_is_no_cue_for_what_follows_it() -> None:
    """Once it was one, but only in the buffers in which a real cue stood somewhere behind it."""
    token, mail = "ghp_" + "a1B2" * 9, "alice.o-neil@example.co.uk"
    text = f"{token}:{mail}+49 (0)30 901820-44-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
    for cut in range(len(text) + 1):
        _holds(text, [text[:cut], text[cut:]])
    assert redact(f"{token}:{mail} and a password", CHECKS).text.startswith("[redacted: credential]:[redacted: email]")


def test_a_placeholder_is_no_cue_behind_another() -> None:
    """Once its kind was the word that a check whose cue has no pattern looks for, if the text came in with it."""
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
    text = f"{key} 10 rue de la Paix, 75002 Paris%28415%29%20555%2D0132+ to jane dot doe (at) example dot org\n{key}"
    once = redact(text, CHECKS)
    assert "jane dot doe" in once.text
    assert redact(once.text, CHECKS).text == once.text


def test_a_placeholder_right_behind_a_window_is_none_of_it() -> None:
    """It may come later than what is decided: a window ends with one character behind its run, and no farther."""
    text = "https://hooks.slack.com/serv\n> ices/T0001/B0002/abcdefghijkl\n[redacted: credential] "
    for cut in range(len(text) + 1):
        _holds(text, [text[:cut], text[cut:]])


@given(text=TEXTS, data=st.data())
@settings(max_examples=300 * LAW_FACTOR)
def test_any_cutting_releases_prefixes_of_the_whole_redaction(text: str, data: st.DataObject) -> None:
    """The one that lets out a character at a time among them."""
    some = st.lists(st.integers(0, len(text)), max_size=40).map(sorted)
    cuts = data.draw(some | st.just(list(range(len(text)))))
    _holds(text, [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])])


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", range(7))
def test_every_cut_in_two(secret: str, way: int) -> None:
    text = f"Yes: {disguised(secret, way)}, and more. "
    step = 1 if LAW_FACTOR > 1 else max(len(text) // 12, 1)  # all of them in `make laws`
    for cut in range(7 * way % step, len(text) + 1, step):
        _holds(text, [text[:cut], text[cut:]])


@given(text=TEXTS)
@example(text="password [redacted: credential] x")
@settings(max_examples=300 * LAW_FACTOR)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text, CHECKS)
    twice = redact(once.text, CHECKS)
    assert twice.text == once.text
    assert not twice.counts


@given(text=TEXTS, data=st.data())
@settings(max_examples=150 * LAW_FACTOR)
def test_counts_are_of_what_was_released(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    gate = Gate(CHECKS)
    released = gate.feed(text[:cut])
    planted = {kind: text.count(f"[redacted: {kind}]") for kind in KINDS}
    for kind in KINDS:
        # Placeholders that came in with the text are not redactions; all others are counted when they go out.
        assert 0 <= released.count(f"[redacted: {kind}]") - gate.counts.get(kind, 0) <= planted[kind]
    released += gate.feed(text[cut:]) + gate.flush()
    assert dict(gate.counts) == dict(redact(text, CHECKS).counts)


@given(text=TEXTS)
@settings(max_examples=150 * LAW_FACTOR)
def test_hold_back_is_bounded(text: str) -> None:
    """Text that no mask covers waits for one run at most."""
    gate = Gate(CHECKS)
    for character in fold(text)[0]:
        gate.feed(character)
        assert gate.held <= WORD.extent + MAX_RUN + BEFORE
