"""Thirty-two answers at once through a real server: no token, no record, no redaction is lost."""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence

import httpx2 as httpx

from app.grounding.checker import Checker
from app.grounding.evidence import Evidence
from app.grounding.stream import GroundingFilter
from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.settings import AnswerSettings
from tests.support.company import Company
from tests.support.questions import events, spoken
from tests.support.service import endpoint, parts_of, serve

STREAMS, TOKENS = 32, 150
QUESTION = "How many weeks of parental leave does every employee get after the first year? Number {number}."
NUMBER = re.compile(r"Number (\d+)\.\n</question>")
CARD, KEY = "4111 1111 1111 1111", "AKIA" + "Q4ZX7MNW2PLRT6VB"


def pieces(number: int) -> list[str]:
    """What the model says to question `number`, cut as a model would: about a word a piece, secrets in splinters."""
    rng = random.Random(number)
    words = [f"word{rng.randrange(1000)} " for _ in range(TOKENS)]
    for secret in (CARD, KEY, f"user{number}@example.org"):
        at = rng.randrange(len(words))
        cut = rng.randrange(1, len(secret))
        words[at:at] = [secret[:cut], secret[cut:] + " "]
    return words[:TOKENS]


def script(messages: Sequence[Message]) -> list[str]:
    found = NUMBER.search(messages[-1].content)
    assert found, "the prompt ends with one of our questions"
    return pieces(int(found[1]))


def marked(text: str) -> str:
    """The text as grounding lets it through in one piece: no passage says any of it."""
    grounding = GroundingFilter(Checker(Evidence(()), ""), policy="mark")
    return grounding.feed(text) + grounding.flush()


async def ask_all(url: str, headers: Mapping[str, str]) -> list[str]:
    """Ask all questions at the same moment; gives each stream as its client received it."""
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300, trust_env=False) as client:

        async def ask(number: int) -> str:
            body = {"question": QUESTION.format(number=number), "stream": True, "mode": "generate"}
            return (await client.post("/api/v1/ask", json=body)).raise_for_status().text

        return await asyncio.gather(*map(ask, range(STREAMS)))


def test_thirty_two_streams_lose_nothing(company: Company) -> None:
    chat = ScriptedChat(endpoint(), script, delay=0.005)
    with serve(parts_of(company.db, chat=chat, answer=AnswerSettings(grounding="mark"))) as url:
        streams = [events(text) for text in asyncio.run(ask_all(url, company.headers("ben")))]
    texts = [redact(marked("".join(pieces(number))), default_checks()).text for number in range(STREAMS)]
    assert len(set(texts)) == STREAMS
    assert all("[redacted: " in text for text in texts)
    assert [spoken(found) for found in streams] == texts
    assert {found[-1][1]["outcome"] for found in streams} == {"answered"}
    assert len(chat.prompts) == STREAMS
    opened, closed = company.records("answer.opened"), company.records("answer.closed")
    assert len(opened) == len(closed) == STREAMS
    assert {r["trail"] for r in opened} == {r["trail"] for r in closed}
    assert {r["outcome"] for r in closed} == {"answered"}
    assert {r["tokens_out"] for r in closed} == {TOKENS}
    # They ran together: all were opened before the first was closed.
    assert max(r["at"] for r in opened) < min(r["at"] for r in closed)
