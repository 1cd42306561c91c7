"""The chat model that is made with the first question: once, and not before."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from app.identity.subject import Label
from app.llm.late_chat import LateChat
from app.llm.protocol import Endpoint, Message

ENDPOINT = Endpoint("http://127.0.0.1:1/v1", "m", internal=True, max_label=Label.PUBLIC)


class Echo:
    endpoint = ENDPOINT

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        for message in messages:
            yield message.content


def test_it_is_made_once_by_the_first_of_several_questions() -> None:
    made: list[Echo] = []

    def make() -> Echo:
        made.append(Echo())
        return made[-1]

    async def answers() -> tuple[list[str], list[str]]:
        async def answer(word: str) -> list[str]:
            return [piece async for piece in chat.stream([Message("user", word), Message("user", "!")])]

        one, two = await asyncio.gather(answer("one"), answer("two"))
        return one, two

    chat = LateChat(ENDPOINT, make)
    assert chat.endpoint is ENDPOINT
    assert made == []
    assert asyncio.run(answers()) == (["one", "!"], ["two", "!"])
    assert len(made) == 1
