"""The scripted model that ships: says its pieces, fails where it is told to, keeps its prompts."""

import asyncio

import pytest

from app.errors import ModelUnavailable
from app.identity.subject import Label
from app.llm.protocol import Endpoint, Message
from app.llm.scripted import ScriptedChat

WHERE = Endpoint("http://127.0.0.1:9/v1", "scripted", internal=True, max_label=Label.PUBLIC)
ASKED = [Message("user", "one two three")]


async def collect(chat: ScriptedChat, into: list[str]) -> None:
    async for piece in chat.stream(ASKED):
        into.append(piece)


def test_it_says_what_the_script_gives_for_the_prompt() -> None:
    said: list[str] = []
    chat = ScriptedChat(WHERE, lambda messages: messages[-1].content.split())
    asyncio.run(collect(chat, said))
    assert said == ["one", "two", "three"]
    assert chat.prompts == [tuple(ASKED)]


@pytest.mark.parametrize("after", [0, 1, 2, 3, 9])
def test_it_fails_after_so_many_pieces(after: int) -> None:
    said: list[str] = []
    chat = ScriptedChat(WHERE, lambda _: ["a", "b", "c"], fail_after=after)
    with pytest.raises(ModelUnavailable):
        asyncio.run(collect(chat, said))
    assert said == ["a", "b", "c"][:after]
