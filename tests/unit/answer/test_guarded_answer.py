"""An answer's filters in their thread: few ways into it, and nothing later than without them."""

import random

import anyio
import pytest

from app.answer import guarded_answer
from app.answer.grounded import GroundedAnswer
from app.answer.guarded_answer import GuardedAnswer
from app.errors import GuardrailFailed
from app.grounding.stream import GroundingFilter
from app.guardrail.active_content import NO_ADDRESSES
from app.guardrail.checks import default_checks
from app.guardrail.guarded import submit
from app.guardrail.meter import GuardrailMeter
from app.guardrail.redaction import Redaction
from tests.support.passages import passage

PASSAGES = [passage("The tug sails up to a wind of 8 m/s. Divers report to Clara Brandt before 16:00.", title="Tug")]
PARTS = (
    "The tug sails up to a wind of 8 m/s [1]. ", "Divers report before 16:00 [1].\n",
    "Divers report to Clara Brandt. ", "Yes. ",
    "e.g. the tug ", "- ", "1. ", "# Wind\n", "| a | b |\n", "```\n", "Dr. ", "…", " [1]", "【1】", "[", "\n\n",
    "wind " * 400, "x.",
)  # fmt: skip


def filters() -> GroundedAnswer:
    return GroundedAnswer(
        Redaction(default_checks()), "How much wind may the tug have?", PASSAGES, "mark", NO_ADDRESSES
    )


def pieces(seed: int) -> list[str]:
    """A text of such parts, cut as models cut it."""
    chosen = random.Random(seed)
    text, cut = "".join(chosen.choices(PARTS, k=chosen.randrange(1, 14))), list[str]()
    while text:
        size = chosen.randint(1, 7)
        cut.append(text[:size])
        text = text[size:]
    return cut


async def released(outgoing: GuardedAnswer, given: list[str]) -> list[str]:
    return [*[await outgoing.feed(piece) for piece in given], await outgoing.flush()]


@pytest.mark.parametrize("seed", range(40))
def test_pieces_wait_no_longer_than_the_filters_hold_them_back(seed: int) -> None:
    given, direct = pieces(seed), filters()
    expected = [*[direct.feed(piece) for piece in given], direct.flush()]
    assert anyio.run(released, GuardedAnswer(filters(), 30), given) == expected


def test_pieces_that_release_nothing_share_a_way_into_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = []

    def counted(work: object) -> object:
        ways.append(work)
        return submit(work)  # type: ignore[arg-type]

    monkeypatch.setattr(guarded_answer, "submit", counted)
    text = "Nobody has to say why the divers report to the office at four in the afternoon on days without wind. " * 5
    given = [text[at : at + 4] for at in range(0, len(text), 4)]
    anyio.run(released, GuardedAnswer(filters(), 30), given)
    assert len(ways) < len(given) / 3


def test_after_a_failure_every_piece_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fed_on() -> None:
        outgoing = GuardedAnswer(filters(), 30)
        await outgoing.feed("The tug sails")
        monkeypatch.setattr(GroundingFilter, "feed", lambda *_: 1 // 0)
        with pytest.raises(GuardrailFailed):
            await outgoing.feed(" in wind\n")
        monkeypatch.undo()
        for _ in range(2):
            with pytest.raises(GuardrailFailed):
                await outgoing.feed("a")

    anyio.run(fed_on)


def test_the_meter_counts_pieces_whether_they_wait_or_not() -> None:
    text, meter = (
        "The tug sails up to a wind of 8 m/s [1]. Write to ben@example.org before you leave. ",
        GuardrailMeter(),
    )
    outgoing = GuardedAnswer(filters(), 30)
    anyio.run(released, outgoing, list(text))
    outgoing.close(meter)
    assert sum(meter.held().buckets) == len(text) + 1
    assert meter.work()[0] == len(text)
