"""The queue of a stream's starts: what it gives does not depend on when it looked, and no stretch is searched twice."""

import itertools
from collections.abc import Iterator
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from app.guardrail.check import BEFORE
from app.guardrail.checks import default_checks, optional_checks
from app.guardrail.gate import Gate
from app.guardrail.groups import CheckGroup, group_checks
from app.guardrail.lookalikes import lowered
from app.guardrail.names.spans import Spans
from app.guardrail.starts import StartQueue, Starts

CHECKS = (*default_checks(), *optional_checks())
WORDS = st.sampled_from(
    ("password", "is", "key:", "PIN", "4111", "1-1-1", "a@b.example", "+49", "x" * 40, "AB12", "four", "<br>", "prose",
     "and", "密码", "|", "of")
)  # fmt: skip
TEXTS = st.lists(WORDS, min_size=3, max_size=40).map(" ".join)


def given_out(text: str, limits: list[int]) -> Iterator[tuple[int, tuple[CheckGroup, ...]]]:
    """All starts of a text whose end becomes known bit by bit, each decided as soon as it is there."""
    queue, scan = StartQueue(CHECKS, Spans(CHECKS)), 0
    for limit in limits:
        while (first := queue.first(text, scan, limit)) is not None:
            yield first[0], tuple(first[1])
            scan = first[0] + 1
        scan = limit


@given(TEXTS, st.lists(st.integers(0, 100), max_size=8))
def test_starts_come_in_order_whenever_they_are_asked_for(text: str, shares: list[int]) -> None:
    limits = [*sorted(text.rfind(" ", 0, len(text) * share // 100) + 1 for share in shares), len(text)]
    groups = group_checks(CHECKS).groups
    found = sorted(set(Starts(CHECKS).find(text, 0, len(text))))
    expected = [(at, tuple(groups[n] for _, n in each)) for at, each in itertools.groupby(found, lambda one: one[0])]
    assert list(given_out(text, limits)) == expected


def test_behind_a_mask_each_stretch_is_searched_once() -> None:
    text = "a1b2c3 " * 40
    queue = StartQueue(CHECKS, Spans(CHECKS))
    with patch.object(Starts, "of_groups", autospec=True, side_effect=Starts.of_groups) as searched:
        for scan in range(10, 60, 7):
            queue.find_behind_mask(text, scan, 10, "password: [redacted: email]", 200)
        queue.find_behind_mask(text, 80, 80, "a1b2 [redacted: email]", 200)
    assert [call.args[3:] for call in searched.call_args_list] == [(10, 10 + BEFORE), (10 + BEFORE, 80 + BEFORE)]


@given(TEXTS, TEXTS, st.lists(st.integers(0, 100), max_size=4))
def test_behind_a_mask_whoever_finds_its_cue_is_asked(left: str, text: str, shares: list[int]) -> None:
    """The mask hides what stood between the cue and the start, whenever the text behind it came."""
    left = f"{left} [redacted: email]"[-BEFORE:]
    queue, scan = StartQueue(CHECKS, Spans(CHECKS)), 0
    asked: set[tuple[int, CheckGroup]] = set()
    for share in (*sorted(shares), 100):
        queue.find_behind_mask(text, 0, 0, left, len(text) * share // 100)
    while (first := queue.first(text, scan, len(text))) is not None:
        asked.update((first[0], group) for group in first[1])
        scan = first[0] + 1
    for group in queue.groups:
        for at in group.starts(text, 0, min(len(text), BEFORE)) if group.cue and not group.of_label else ():
            if group.cue is not None and group.cue.found(lowered((left + text[:at])[-BEFORE:])) is not None:
                assert (at, group) in asked


def test_a_word_begins_behind_a_mask_that_hides_what_it_was_glued_to() -> None:
    text, left = "xxxxpin 4711 and more", "mail [redacted: email]"
    queue, scan = StartQueue(CHECKS, Spans(CHECKS)), 4
    reasons: set[str] = set()
    for limit in (5, 12):
        queue.find_behind_mask(text, scan, 4, left, limit)
    while (first := queue.first(text, scan, len(text))) is not None:
        scan = first[0] + 1
        reasons |= {getattr(check, "reason", "") for group in first[1] for check in group.checks if first[0] == 8}
    assert "called a code" in reasons


def test_a_stream_that_waits_is_not_searched_again() -> None:
    """Starts in rows of numbers wait for the end of the row: each stretch of it is looked at about once."""
    text, searched = "4 1 1 1 " * 250, []
    find = Starts.find

    def counted(starts: Starts, text: str, scan: int, limit: int) -> list[tuple[int, int]]:
        searched.append(limit - scan)
        return find(starts, text, scan, limit)

    with patch.object(Starts, "find", counted):
        gate = Gate(CHECKS)
        for at in range(0, len(text), 4):
            gate.feed(text[at : at + 4])
    assert len(text) - 200 < sum(searched) <= len(text)


def test_a_waiting_start_asks_no_cue_twice() -> None:
    text, asked = "the password of the team is 4 1 1 1 " + "4 1 1 1 " * 20, []
    for group in group_checks(CHECKS).groups:
        if group.cue is not None:
            asked.append(group.cue)
    kind = type(asked[0])
    found, seen = kind.found, []

    def counted(cue: object, lowered: str) -> object:
        seen.append((id(cue), lowered))
        return found(cue, lowered)  # type: ignore[arg-type]

    with patch.object(kind, "found", counted):
        gate = Gate([check for check in CHECKS if check.kind])  # no readings, which ask for themselves
        for sign in text:
            gate.feed(sign)
    assert len(seen) - len(set(seen)) < len(text) / 4


@given(st.text("abcxyz ,;'\n", min_size=1, max_size=40) | st.text("abcxyzABCXYZ .,;'\n", min_size=1, max_size=40))
def test_no_check_that_is_passed_over_starts_in_prose(text: str) -> None:
    groups = group_checks(CHECKS)
    asked = groups.needing(text, 0)
    assert len(asked) < len(groups.plain)
    for one in groups.plain:
        starts = [at for _, group in one.groups for at in group.starts(text, 0, len(text))]
        assert not starts or (one in asked and one.may_have_starts(text, 0, len(text)))


def test_columns_far_apart_are_not_waited_for() -> None:
    """Each row of a table whose cells are padded: a number in one cell is not continued in the next."""
    row = "| 2023-05-29 |" + " " * 89 + "|" + " " * 10 + "|\n"
    gate, held = Gate(CHECKS), []
    for sign in row * 6:
        gate.feed(sign)
        held.append(gate.held)
    assert max(held) <= 130


def test_starts_behind_a_mask_do_not_come_before_earlier_ones() -> None:
    text = "x (415) 555-0132 and q7W! of it " * 3
    queue, starts = StartQueue(CHECKS, Spans(CHECKS)), Starts(CHECKS)
    left = "the password of [redacted: email]"
    behind = starts.of_groups(starts.cued_in(left, 0), text, 0, BEFORE)
    expected = {at for at, _ in (*starts.find(text, 0, len(text)), *behind)}
    queue.find_behind_mask(text, 0, 0, left, len(text))
    came, scan = [], 0
    while (first := queue.first(text, scan, len(text))) is not None:
        came.append(first[0])
        scan = first[0] + 1
    assert came == sorted(expected)
