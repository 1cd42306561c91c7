"""Many streamed answers at once: `python -m benchmarks.streams` prints wall time, tokens/s and the first token's wait.

The model is scripted, so what is measured is ours: retrieval, audit, citations, the gate, the event stream. Every
stream says another text with planted secrets; each must arrive as the redaction of exactly that text.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import uvicorn
from rich.console import Console
from rich.table import Table

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.main import create
from tests.api.company import company_in, endpoint, parts_at
from tests.api.databases import free_port

QUESTION = "How many weeks of parental leave does every employee get after the first year? Number {number}."
NUMBER = re.compile(r"Number (\d+)\.\n</question>")
CARD, KEY = "4111 1111 1111 1111", "AKIA" + "Q4ZX7MNW2PLRT6VB"


@dataclass(frozen=True)
class Stream:
    """One answer as its client saw it; times in seconds since it was asked."""

    number: int
    text: str
    first: float
    last: float
    deltas: int
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
    asked = time.perf_counter()
    first, deltas, text, outcome, event = 0.0, 0, [], "", ""
    body = {"question": QUESTION.format(number=number), "stream": True, "mode": "generate"}
    async with client.stream("POST", "/api/v1/ask", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
                if event == "delta":
                    first = first or time.perf_counter() - asked
                    deltas += 1
                    text.append(data["text"])
                elif event in {"done", "error"}:
                    outcome = data.get("outcome", event)
    return Stream(number, "".join(text), first, time.perf_counter() - asked, deltas, outcome)


def check(streams: Sequence[Stream], tokens: int) -> None:
    """Raise AssertionError unless every stream brought its own text, whole and redacted."""
    for stream in streams:
        wanted = expected(stream.number, tokens)
        if (stream.text, stream.outcome) != (wanted, "answered"):
            raise AssertionError(f"stream {stream.number} ended '{stream.outcome}' with another text than was said")


def table(rounds: Sequence[tuple[int, float, Sequence[Stream]]], tokens: int) -> Table:
    """One row for each number of streams."""
    shown = Table(title=f"Streamed answers of {tokens} tokens, scripted model, {os.cpu_count()} CPUs")
    columns = ("streams", "wall s", "tokens/s", "first delta p50 ms", "p95 ms", "whole p50 s", "fastest–slowest s")
    for column in columns:
        shown.add_column(column, justify="right")
    for count, wall, streams in rounds:
        first, last = sorted(s.first for s in streams), sorted(s.last for s in streams)
        shown.add_row(
            str(count),
            f"{wall:.2f}",
            f"{count * tokens / wall:,.0f}",
            f"{1000 * statistics.median(first):.0f}",
            f"{1000 * first[max(round(0.95 * len(first)) - 1, 0)]:.0f}",
            f"{statistics.median(last):.2f}",
            f"{last[0]:.2f}–{last[-1]:.2f}",
        )
    return shown


def _serve(app_url: str, port: int, tokens: int, delay: float) -> None:
    """The service in a process of its own, so that client and server do not share an interpreter."""
    chat = ScriptedChat(endpoint(), lambda messages: script(messages, tokens=tokens), delay=delay)
    uvicorn.run(create(parts_at(app_url, chat=chat)), host="127.0.0.1", port=port, log_config=None)


def main() -> None:
    """Start a database and the service, ask in rounds, check every text and every record, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 32], help="answers at the same time")
    parser.add_argument("--tokens", type=int, default=400, help="pieces of each answer")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between two pieces of the model")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments)


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """The rounds on a company of its own."""
    with company_in(folder) as company:
        port = free_port()
        context = multiprocessing.get_context("spawn")
        given = (company.db.url("app"), port, arguments.tokens, arguments.delay)
        child = context.Process(target=_serve, args=given, daemon=True)
        child.start()
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url)
            rounds = []
            for count in arguments.streams:
                began = time.perf_counter()
                streams = asyncio.run(ask_all(url, company.headers("ben"), count))
                rounds.append((count, time.perf_counter() - began, streams))
                check(streams, arguments.tokens)
        finally:
            child.terminate()
            child.join()
        total = sum(arguments.streams)
        for kind in ("answer.opened", "answer.closed"):
            if len(company.records(kind)) != total:
                raise AssertionError(f"{len(company.records(kind))} records of {kind} instead of {total}")
    console = Console(width=150)
    console.print(table(rounds, arguments.tokens))
    console.print(f"All {total} texts whole and redacted; {total} records opened and closed.")


def wait_until_ready(url: str) -> None:
    """Return when /readyz answers 200; raises TimeoutError."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the service does not start")


if __name__ == "__main__":
    main()
