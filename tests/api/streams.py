"""Many streamed answers at once, each with a text of its own in which secrets are planted."""

import asyncio
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2 as httpx

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from app.llm.protocol import Message

QUESTION = "How many weeks of parental leave does every employee get after the first year? Number {number}."
NUMBER = re.compile(r"Number (\d+)\.\n</question>")
CARD, KEY = "4111 1111 1111 1111", "AKIA" + "Q4ZX7MNW2PLRT6VB"


@dataclass(frozen=True)
class Stream:
    """One answer as its client received it."""

    number: int
    text: str
    outcome: str


def pieces(number: int, tokens: int) -> list[str]:
    """What the model says to question `number`, cut as a model would: about a word a piece, secrets in splinters."""
    rng = random.Random(number)
    words = [f"word{rng.randrange(1000)} " for _ in range(tokens)]
    for secret in (CARD, KEY, f"user{number}@example.org"):
        at = rng.randrange(len(words))
        cut = rng.randrange(1, len(secret))
        words[at:at] = [secret[:cut], secret[cut:] + " "]
    return words[:tokens]


def script(messages: Sequence[Message], *, tokens: int) -> list[str]:
    """The scripted model's pieces for a prompt."""
    found = NUMBER.search(messages[-1].content)
    if found is None:
        raise ValueError("the prompt does not end with one of our questions")
    return pieces(int(found[1]), tokens)


def expected(number: int, tokens: int) -> str:
    """What must reach the client."""
    return redact("".join(pieces(number, tokens)), default_checks()).text


async def ask_all(url: str, headers: Mapping[str, str], count: int) -> list[Stream]:
    """Ask `count` questions at the same moment and read all answers to their ends."""
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(
        base_url=url, headers=dict(headers), timeout=300, limits=limits, trust_env=False
    ) as client:
        return list(await asyncio.gather(*(_ask(client, number) for number in range(count))))


async def _ask(client: httpx.AsyncClient, number: int) -> Stream:
    text, outcome, event = [], "", ""
    body = {"question": QUESTION.format(number=number), "stream": True, "mode": "generate"}
    async with client.stream("POST", "/api/v1/ask", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
                if event == "delta":
                    text.append(data["text"])
                elif event in {"done", "error"}:
                    outcome = data.get("outcome", event)
    return Stream(number, "".join(text), outcome)


def check(streams: Sequence[Stream], tokens: int) -> None:
    """Raise AssertionError unless every stream brought its own text, whole and redacted."""
    for stream in streams:
        wanted = expected(stream.number, tokens)
        if (stream.text, stream.outcome) != (wanted, "answered"):
            raise AssertionError(f"stream {stream.number} ended '{stream.outcome}' with another text than was said")
