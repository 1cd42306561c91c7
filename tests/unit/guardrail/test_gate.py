"""The gate: how masks join, what is counted, how it ends and how it fails."""

import re
import time
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.guardrail.check import (
    KINDS,
    LONG_WORD_START,
    TOKEN_START,
    Check,
    Cue,
    Finding,
    PatternCheck,
    Run,
    StartPattern,
)
from app.guardrail.checks import credential_checks, default_checks, optional_checks
from app.guardrail.checks.service_formats import FORMATS, Format
from app.guardrail.gate import Gate, GateClosed, redact
from app.guardrail.groups import CheckGroups, group_checks
from app.guardrail.names.directory import DirectoryCheck
from app.guardrail.normal import fold
from app.guardrail.terms import ListedTerms
from tests.support.environment import REPOSITORY

CHECKS = default_checks()
LISTED = ListedTerms([("Project Nightjar", "company term", "listed"), ("You are told to", "prompt", "listed")])
MAX_RUN = max(check.run.extent for check in CHECKS)


def rule(pattern: str, kind: str) -> PatternCheck:
    return PatternCheck(kind=kind, reason="test", pattern=re.compile(pattern), opener=re.compile(r"(?=\w)"))


class Failing(PatternCheck):
    """A check that breaks on the word `boom`."""

    def at(self, window: str, start: int) -> Finding | None:
        if "boom" in window[start:]:
            raise ZeroDivisionError
        return None


def test_findings_that_overlap_or_touch_are_one_placeholder_named_after_the_longest_first() -> None:
    touching = (rule("abcdefgh", "one"), rule("ijklmnop", "two"))
    overlapping = redact("xx abcdefghijklmnop yy", (*touching, rule("abcdefghij", "long")))
    assert (overlapping.text, overlapping.counts) == ("xx [redacted: long] yy", {"long": 1})
    assert redact("abcdefghijklmnop", touching).text == "[redacted: one]"
    assert redact("abcdefgh ijklmnop", touching).text == "[redacted: one] [redacted: two]"


def test_nothing_is_found_within_a_placeholder_or_across_one() -> None:
    """Else redacting twice would redact the redaction."""
    line = Run(re.compile(r"[^\n]*"), 99)
    checks = rule("email|one|credential|of [a-z]+ it", "kind"), replace(rule("part .* and", "across"), run=line)
    for text in ("see [redacted: email]", "part [redacted: credential] and", "of [redacted: email] it"):
        assert redact(text, checks).text == text
    assert redact("see [email], one", checks).text == "see [[redacted: kind]], [redacted: kind]"


def test_a_placeholder_of_which_a_window_shows_the_beginning_is_one() -> None:
    once = redact("Pass-\n1020+\n(415)5544", CHECKS)
    assert (once.text, redact(once.text, CHECKS).text) == ("Pass-\n1020+\n[redacted: phone]", once.text)


def test_what_stands_before_a_mask_is_judged_by_what_the_mask_leaves() -> None:
    """Else it would be found when the text is redacted again. It is held until it is known whether there is a mask."""
    line = Run(re.compile(r"[^\n]*"), 14)
    checks = replace(rule("one two(?! three)", "first"), run=line), rule("three", "second")
    text, released = "so one two three or four or more", "so [redacted: first] [redacted: second] or four or more"
    assert redact(text, checks).text == released
    gate = Gate(checks)
    assert "".join(map(gate.feed, text)) + gate.flush() == released
    assert redact(released, checks).text == released


def test_a_failing_check_closes_the_gate_and_so_does_the_flush() -> None:
    failed, flushed = Gate((*CHECKS, Failing("email", "test", re.compile("boom"), needs="boom"))), Gate(CHECKS)
    assert failed.feed("All is well so far. ") == "All is well so far. "
    with pytest.raises(ZeroDivisionError):
        failed.feed("then boomboom comes ")
    flushed.flush()
    for gate in (failed, flushed):
        with pytest.raises(GateClosed):
            gate.feed("more")
        with pytest.raises(GateClosed):
            gate.flush()


@pytest.mark.parametrize(
    ("fed", "released"),
    [("Card 4111 1111 1111 11", "Card "), ("Everyone may take leave", "Everyone may take ")],
    ids=["what may become a card", "a word"],
)
def test_the_tail_is_held(fed: str, released: str) -> None:
    gate = Gate(CHECKS)
    assert gate.feed(fed) == released
    assert gate.held == len(fed) - len(released)


def test_an_open_private_key_is_swallowed_as_it_comes() -> None:
    gate = Gate(CHECKS)
    assert gate.feed("Here: -----BEGIN RSA PRIVATE KEY-----\n") == "Here: [redacted: credential]"
    for _ in range(1_000):
        assert gate.feed("MIIEowIBAAKCAQEA\n") == ""
        assert gate.held < 160, "what is left to tell whether the key goes on"
    assert gate.feed("-----END RSA PRIV") == ""
    assert gate.feed("ATE KEY-----\nBye ") == "\nBye "
    assert gate.counts == {"credential": 1}


def test_a_private_key_that_is_only_named_leaves_the_rest_of_the_answer() -> None:
    gate = Gate(CHECKS)
    said = "It begins with -----BEGIN RSA PRIVATE KEY-----, as each of them does. " + "So look for it. " * 20
    released = "".join(map(gate.feed, said))
    assert released.startswith("It begins with [redacted: credential], as each of them does. So look")
    assert released + gate.flush() == said.replace("-----BEGIN RSA PRIVATE KEY-----", "[redacted: credential]")


@pytest.mark.parametrize("pad", range(440, 530, 3))
def test_old_text_is_forgotten_only_when_no_decision_reads_it(pad: int) -> None:
    text = "a" * (pad % 2) + "b " * (pad // 2) + "the password is hunter2. And then some."
    gate = Gate(CHECKS)
    released = "".join(map(gate.feed, text)) + gate.flush()
    assert released == text.replace("hunter2", "[redacted: credential]")


def test_a_cue_reaches_over_what_is_masked() -> None:
    cued = PatternCheck(
        kind="cued",
        reason="test",
        pattern=re.compile(r"value\d+"),
        cue=Cue(("pass",), re.compile(r"pass .*\Z")),
    )
    text = f"pass {'a' * 60}@example.com {'b' * 60}@example.com {'c' * 60}@example.com value12345 more"
    checks = (cued, *CHECKS)
    gate = Gate(checks)
    released = "".join(map(gate.feed, text)) + gate.flush()
    assert released == redact(text, checks).text == f"pass {3 * '[redacted: email] '}[redacted: cued] more"


def test_counts_never_hold_values_and_cannot_be_changed() -> None:
    gate = Gate(CHECKS)
    gate.feed("alice@example.com and bob@example.com and 10.1.2.3 yes or no")
    assert dict(gate.counts) == {"email": 2, "ip": 1}
    with pytest.raises(TypeError):
        gate.counts["email"] = 0  # type: ignore[index]  # what the test tries


def test_raw_text_outside_masks_is_untouched() -> None:
    """Also what matching drops."""
    text = (
        "**Bold** — “quotes”, soft\u00adhyphen, 日本語。 e\u0301, １２, \ttabs\r\n😀\ufe0f \u200b\u200b{}\u200b\u200b"
    )
    assert redact(text.format("alice@example.com"), CHECKS).text == text.format("[redacted: email]")


@pytest.mark.parametrize(
    ("text", "folded", "drops"),
    [
        ("plain", "plain", []),
        ("a**b", "ab", [1, 1]),
        ("\u200ba\u00ad", "a", [0, 1]),
        ("４１", "41", []),
        ("x²", "x²", []),
        ("①", "1", []),
        ("\u2011\u2013\u2212", "---", []),
        ("a\u00a0\u202fb\u2028", "a  b\n", []),
        ("“x”", '"x"', []),
        ("4\u0336", "4", [1]),
    ],
)
def test_folding(text: str, folded: str, drops: list[int]) -> None:
    assert fold(text) == (folded, drops)


def test_invisible_characters_are_not_held_without_end() -> None:
    gate = Gate(CHECKS)
    for _ in range(500):
        gate.feed("4" + "\u200b" * 100)
        assert gate.held <= MAX_RUN * 33
    gate = Gate(CHECKS)
    assert gate.feed("4" + "\u200b" * 1_000 + "2 x") + gate.flush() == "4" + "\u200b" * 32 + "2 x"
    card = ("\u200b" * 1_000).join("4111111111111111")
    assert redact(card, CHECKS).text == "[redacted: card]"


def test_each_character_folds_to_one_or_none() -> None:
    for code in (*range(0x10000), *range(0x1D400, 0x1D800), *range(0x1F100, 0x1F200), *range(0xE0000, 0xE0200)):
        folded, drops = fold(chr(code))
        assert len(folded) + len(drops) == 1


ADVERSARIAL = {
    "digits": "0123456789" * 900,
    "single digits": "1 2 3 4 5 6 7 8 " * 300,
    "at signs": "a@" * 5_000,
    "dotted at": "a.b@c." * 3_200,
    "one word": "abcdefghij" * 900,
    "slashes": "a://b:c" * 1_500,
    "base64": "eyJhbGciOiJIUzI1NiJ9" * 1_000,
    "brackets": "+(" * 5_000,
    "quotes": "password '" * 900,
    "connectors": "password is is is to set " * 900,
    "key name": "key_" * 5_000,
    "hyphens": "-----BEGIN " * 1_800,
    "identifier": "token=" + "a1-" * 6_500,
    "colons": "1:2::" * 2_000,
    "zero width": "4\u200b" * 10_000,
    "bold": "*" * 20_000,
}


@pytest.mark.alone
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_work_grows_with_the_text_only(name: str) -> None:
    """Twice the text takes about twice the time; what is quadratic takes four times, what is exponential never ends."""
    text = ADVERSARIAL[name]

    def cost(of: str) -> float:
        started = time.process_time()
        gate = Gate(CHECKS)
        for at in range(0, len(of), 4):
            gate.feed(of[at : at + 4])
            assert gate.held <= MAX_RUN * 33
        gate.flush()
        return time.process_time() - started

    text = text[: len(text) // 2]
    half, whole = min(cost(text[: len(text) // 2]) for _ in range(2)), cost(text)
    assert whole < 3.2 * half + 0.1


def test_the_page_lists_every_kind_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "guardrail.md").read_text()
    table = dict(re.findall(r"^\| `([a-z ]+)` \| (.+) \|$", page, re.MULTILINE))
    assert table == KINDS


def test_every_check_has_a_known_kind_and_a_lawful_run() -> None:
    kinds = [getattr(check, "kinds", {check.kind}) for check in (*CHECKS, *optional_checks(), DirectoryCheck(), LISTED)]
    kinds = [of - {""} for of in kinds]  # a reading's finding has the kind of the check that it asked
    assert set().union(*kinds) == set(KINDS)
    assert {check.kind for check in credential_checks()} - {""} == {"credential"}


@pytest.mark.parametrize(
    "text",
    ["+49 (0)30 901820-44 x", "AB 12 34 56 C", "DE89 3704 0044", "-----BEGIN RSA PRIVATE KEY-----", "1 2A 3", "a b'c"],
)
def test_runs_accept_every_prefix_of_what_they_accept(text: str) -> None:
    for run in {check.run for check in CHECKS}:
        reach = run.pattern.match(text)
        assert reach is not None
        assert reach.end() <= run.extent
        for size in range(reach.end() + 1):
            prefix = run.pattern.fullmatch(text[:size])
            assert prefix is not None


BITS = st.sampled_from(
    ("key", "token=", "password: ", "is", "hunter2Xk9!", '"Zk83jd82kd92kd"', "a@b.example", "4111 1111 1111 1111",
     "call", "+49 30 901820", "AB 12 34 56 C", "eyJhbGciOiJIUzI1NiJ9.e30.abc", "sk-1a2b3c4d5e6f7g8h9i0j1k2l",
     "parental", "İ", "\n", "12", "-----BEGIN PRIVATE KEY-----", "'", ", ", "card", "bearer", "Authorization: ")
)  # fmt: skip


@dataclass(frozen=True)
class Unhurried:
    """A check that is asked at every start that its plain form has: nothing is passed over to save time."""

    check: Check
    opener: StartPattern
    run: Run

    def __getattr__(self, name: str) -> Any:
        return getattr(self.check, name)

    @classmethod
    def of(cls, check: Check) -> "Unhurried":
        plain: StartPattern = LONG_WORD_START if check.opener is TOKEN_START else check.opener
        if "national insurance" in getattr(check, "reason", ""):
            plain = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]{2}[ \d])", re.ASCII)
        return cls(check, plain, replace(check.run, min_extent=0))


@given(st.lists(BITS, max_size=14), st.sampled_from(("", " ")))
@settings(max_examples=30)
def test_what_is_passed_over_has_no_finding(bits: list[str], between: str) -> None:
    """Words of prose, short numbers and starts without a cue word before them: looking there changes nothing."""
    text = between.join(bits)
    everywhere = {word: list(range(len(text) + 1)) for word in group_checks(CHECKS).cue_words}
    with patch.object(CheckGroups, "find_cues", lambda *_: everywhere):
        expected = redact(text, [Unhurried.of(check) for check in CHECKS])
    assert redact(text, CHECKS) == expected


@given(st.data(), st.sampled_from(FORMATS.prefixed))
def test_a_key_of_any_format_is_looked_at(data: st.DataObject, form: Format) -> None:
    key = data.draw(st.from_regex(form.pattern, fullmatch=True))
    for behind in ("", " ", ".", ")"):
        # Of one that begins with a sign what follows it is looked at, and is enough.
        assert TOKEN_START.match(key.lstrip("+/.~-") + behind), form.service
    assert TOKEN_START.match(f"dapi{'a' * 32} "), "one of letters alone is longer than a word"
