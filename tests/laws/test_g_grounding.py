"""The same law for grounding, and for all that an answer passes: any cutting gives the same text and the same verdicts.

Nothing goes out before it was checked: every state of the release is a prefix of the whole, and holds no sentence that
the passages do not support but with its mark.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answer.grounded import GroundedAnswer
from app.grounding import stream
from app.grounding.report import GroundingReport, Policy
from app.guardrail.active_content import NO_ADDRESSES
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction
from tests.support.passages import passage

CHECKS = default_checks()
PASSAGES = [
    passage("The tug sails up to a wind of 8 m/s. Divers report to Clara Brandt before 16:00.", title="Tug"),
    passage("A permit costs 30 euros a month. Night work is not allowed on Sundays.", title="Rules"),
]
# Numbers that stand in no passage: no sentence with one goes out, whatever is around it.
WRONG = ("10.5", "70 euros")
PARTS = (
    "The tug sails up to 8 m/s", "The tug sails up to 10.5 m/s", "Divers report to Clara Brandt before 4 pm",
    "Divers report to Petra Klein", "A permit costs €30 a month", "A permit costs 70 euros a month",
    "Night work is not allowed", "Yes. ", "No. ",
    "Night work is allowed on Sundays", "The cafeteria serves lunch", "Here is what I found:", "e.g. the tug",
    ".", ". ", "! ", "\n", "\n\n", "- ", "1. ", "> ", "# ", "| ", " |", "```\n", "`", "~~~\n", " [1]", "[2]", "[1, 2]",
    " [9]", "【1】", "[", "](", "…", "Dr. ", "(", ")", '"', " ", "  ", "\t", "**", "x", "Write to a@example.org",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=14).map("".join)
POLICIES: tuple[Policy, ...] = ("drop", "strict", "quote", "mark")


def answer(policy: Policy) -> GroundedAnswer:
    return GroundedAnswer(Redaction(CHECKS), "How much wind may the tug have?", PASSAGES, policy, NO_ADDRESSES)


def cut_at(text: str, cuts: list[int], policy: Policy) -> tuple[list[str], GroundingReport, bool]:
    """What was released at each cut, and what was said of it."""
    outgoing = answer(policy)
    released = [outgoing.feed(text[a:b]) for a, b in itertools.pairwise([0, *cuts, len(text)])]
    released.append(outgoing.flush())
    return released, outgoing.report, outgoing.grounded


@given(text=TEXTS, policy=st.sampled_from(POLICIES), data=st.data())
@settings(max_examples=250, deadline=None)
def test_any_cutting_gives_the_same_answer(text: str, policy: Policy, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20) | st.just(list(range(len(text))))))
    [whole, rest], report, grounded = cut_at(text, [], policy)
    released, same_report, same_grounded = cut_at(text, cuts, policy)
    assert "".join(released) == whole + rest
    assert (same_report, same_grounded) == (report, grounded)
    for state in itertools.accumulate(released):
        assert (whole + rest).startswith(state)
    if policy != "mark":
        assert not [wrong for wrong in WRONG if wrong in whole + rest]
        assert grounded or not (whole + rest)


def test_a_filter_that_emits_before_it_checks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation: what came is let through at once, and checked afterwards."""

    class Early(stream.GroundingFilter):
        def feed(self, piece: str) -> str:
            super().feed(piece)
            return piece

        def flush(self) -> str:
            super().flush()
            return ""

    monkeypatch.setattr("app.answer.grounded.GroundingFilter", Early)
    with pytest.raises((AssertionError, ExceptionGroup)):
        test_any_cutting_gives_the_same_answer()
