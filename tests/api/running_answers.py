"""Running answers over the company, with a model that waits in the middle of what it says."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

import pytest

from app.answer.components import Components
from app.answer.events import Delta
from app.answer.running import RunningAnswers, RunningEvent
from app.errors import ModelUnavailable, NotFound
from app.identity.subject import Subject
from app.llm.protocol import Message
from tests.support.company import Company
from tests.support.service import endpoint, parts_of, subject_named

SAID = "The salary band of level five is ninety-one thousand florins [1]."


class Gated:
    """A model that says a sentence, begins a long one, and ends that once it is let."""

    def __init__(self, *, fail: bool = False) -> None:
        self.endpoint, self.gate, self._fail = endpoint(), asyncio.Event(), fail

    async def stream(self, _messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        # What follows a sentence lets it out.
        for word in [*SAID.split(), *["word"] * 400]:
            yield f"{word} "
        await self.gate.wait()
        if self._fail:
            raise ModelUnavailable("The scripted model fails here.")
        yield "ends."


class Play:
    """The running answers of a service over a company, with a gated model."""

    def __init__(self, company: Company, chat: Any, answers: RunningAnswers, parts: Components) -> None:
        self.company, self.chat, self.answers, self.parts = company, chat, answers, parts

    def subject(self, name: str) -> Subject:
        return subject_named(self.parts, name)

    async def seen(self, who: str, trail: uuid.UUID, after: int = 0) -> list[tuple[int, RunningEvent]]:
        return [event async for event in await self.answers.watch(self.subject(who), trail, after)]

    async def refused(self, who: str, trail: uuid.UUID) -> str:
        with pytest.raises(NotFound) as refusal:
            await self.answers.watch(self.subject(who), trail)
        return refusal.value.detail


def play(
    company: Company, act: Callable[[Play], Coroutine[Any, Any, None]], *, chat: Any = None, **options: Any
) -> None:
    async def whole() -> None:
        parts = parts_of(company.db, chat=chat() if chat else Gated())
        async with RunningAnswers(parts, **options) as answers:
            await act(Play(company, parts.chat, answers, parts))
        parts.database.close()

    asyncio.run(asyncio.wait_for(whole(), 30))


def text_of(events: list[tuple[int, RunningEvent]]) -> str:
    return "".join(event.text for _, event in events if isinstance(event, Delta))


async def told(events: AsyncGenerator[tuple[int, RunningEvent], None]) -> None:
    """Wait until the salaries were named."""
    async for _, event in events:
        if isinstance(event, Delta) and "florins" in event.text:
            return
    raise AssertionError("nobody named the salaries")


def outcomes(company: Company) -> Counter[str]:
    return Counter(record["outcome"] for record in company.records("answer.closed"))
