"""A company's own patterns: what they find, and what is refused because it would read too far or for too long."""

import time

import pytest

from app.guardrail.gate import redact
from app.guardrail.policy.patterns import MAX_STEPS, MAX_WIDTH, PatternRefused, pattern_check

FOUND = (
    (r"PRJ-[0-9]{5}", "see PRJ‑12345, PRJ-12345x and xPRJ-12345", "see [redacted: pay], PRJ-12345x and xPRJ-12345"),
    (r"(?:AB|CD)\d{3,6}x?", "AB123 CD1234567", "[redacted: pay] CD1234567"),
    (r"#\d{4}", "a#1234", "a[redacted: pay]"),
    (r"[A-Za-z]{2,30}\.[a-z]{2,30}", "ask anna.berg now", "ask [redacted: pay] now"),
    (r"A[\]\-^]B", "A-B A]B A^B A.B", "[redacted: pay] [redacted: pay] [redacted: pay] A.B"),
    ("[а-я]{2,20}-[0-9]{2}", "отдел-12", "[redacted: pay]"),
    (r"x.y", "x y x\ny", "[redacted: pay] x\ny"),
    (r"[^0-9]7", "a7", "[redacted: pay]"),
)


@pytest.mark.parametrize(("pattern", "text", "shown"), FOUND)
def test_a_pattern_finds_whole_words(pattern: str, text: str, shown: str) -> None:
    assert redact(text, [pattern_check("own", "pay", pattern)]).text == shown


def test_words_before_a_value_are_a_condition_if_given() -> None:
    check = pattern_check("own", "pay", "[0-9]{4}", after=["Project", "Projekt"])
    assert redact("project no. 1234; 5678", [check]).text == "project no. [redacted: pay]; [redacted: pay]"
    assert redact("my project\n1234", [check]).text == "my project\n1234"
    assert redact("reprojects 1234", [check]).text == "reprojects 1234"


REFUSED = (
    ("", "empty text"),
    ("a?", "empty text"),
    ("[", "no regular expression"),
    ("a+", f"longer than {MAX_WIDTH}"),
    ("(a{1,20}){1,20}", f"longer than {MAX_WIDTH}"),
    ("(a|aa){1,60}b", f"more than {MAX_STEPS:,} steps"),
    ("a{1,20}a{1,20}a{1,20}a{1,20}b", f"more than {MAX_STEPS:,} steps"),
    ("[а-я]{1,30}[а-я]{1,30}[а-я]{1,30}[а-я]{1,30}!", f"more than {MAX_STEPS:,} steps"),
    (r"[א-ת]{1,40}\w{1,40}[א-ת]{1,40}!", f"more than {MAX_STEPS:,} steps"),
    ("(?:a?){0,60}b", f"more than {MAX_STEPS:,} steps"),
    ("^a", "leave ^"),
    (r"a\Z", "leave ^"),
    ("a(?=b)", "lookahead"),
    ("(?<!a)b", "lookahead or lookbehind"),
    (r"(a)\1", "backreference"),
    ("(?P<n>a)(?P=n)", "backreference"),
    ("(?i)a", "any_case"),
    ("(?i:a)b", "any_case"),
    ("PRJ–1", "write '-'"),
    (r"a\*b", "leave it out"),
)


@pytest.mark.parametrize(("pattern", "message"), REFUSED)
def test_what_reads_too_far_or_too_long_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternRefused, match=message.replace("^", r"\^")):
        pattern_check("own", "pay", pattern)


WORST = (r"[a-z]{1,11}[a-z]{1,11}\d", r"(?:a|ab){1,6}c", r"[A-Za-z]{2,30}\.[a-z]{2,30}", r"\w{1,40}-\d{2}", r".{1,60};")


@pytest.mark.parametrize("pattern", WORST)
def test_what_is_accepted_takes_few_steps_on_the_worst_text(pattern: str) -> None:
    """The bound is on steps: an expression that tries all its ways would take hours here, so a second is no race."""
    begun = time.process_time()
    redact("ab" * 64 + "a" * 500, [pattern_check("own", "pay", pattern)])
    assert time.process_time() - begun < 1
