"""The demo's grounded refusal: a scripted answer that is wrong in places, checked against a document as it stands."""

from dataclasses import dataclass
from typing import Any

from rich.text import Text

from app.answer.grounded import GroundedAnswer
from app.cli.console import out
from app.cli.demo_output import StreamWindow
from app.grounding.report import GroundingReport
from app.guardrail.active_content import NO_ADDRESSES
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction

# What a careless model would say of the budget: two sentences are true, two changed, one made up.
SCRIPT = (
    "The approved budget for the Rotterdam project is EUR 18.74 million. "
    "It contains a contingency of EUR 2.31 million. "
    "The contract price is EUR 21.6 million, payable in five instalments. "
    "The supervisory board did not release it on 22 May 2026. "
    "The turbines will be painted by hand in a harbour nearby."
)
WRONG = ("2.31", "did not release")
RIGHT = ("18.74", "five instalments")
PIECE_LENGTH = 4


def ground_script(question: str, document: dict[str, Any]) -> tuple[str, GroundingReport]:
    """Print the scripted answer as it came and as it leaves, checked against an opened document; returns both ends."""
    passages = [_Opened(document["title"], tuple(p["heading"]), p["text"]) for p in document["passages"]]
    answer = GroundedAnswer(Redaction(default_checks()), question, passages, "drop", NO_ADDRESSES)
    out.print(Text("A careless model would answer (a script, in pieces of 4 characters):\n"))
    out.print(Text(f"  {SCRIPT}\n", "dim"))
    out.print(Text("Each sentence is checked against the passages before it is shown. What is left:\n"))
    window = StreamWindow()
    for at in range(0, len(SCRIPT), PIECE_LENGTH):
        window.feed(answer.feed(SCRIPT[at : at + PIECE_LENGTH]))
    window.feed(answer.flush())
    window.close()
    return window.text, answer.report


@dataclass(frozen=True)
class _Opened:
    """A passage of an opened document."""

    title: str
    heading_path: tuple[str, ...]
    text: str
