"""What the guardrail adds to a streamed answer: `python -m benchmarks.streaming.answers [--streams 32]`.

So many people ask at once, over HTTP, a service with a PostgreSQL of its own, and read their answers as these come. The
model is a script behind an endpoint of the OpenAI API that says sentences of the passages with their citations, a word
at a time at a fixed pace. Three processes of the API serve one library, and are asked in turn:

- guardrail: the service as it is;
- no checks: the gate has nothing to look for; grounding, citations, active content and the thread are as they are;
- no filters: the model's words go out as they come.

A word is a token here. CPU is that of the API's process for all of the answers, the search and the record of each among
it, by token: the differences between the rows are what the guardrail adds. Gaps are between two pieces of one answer as
its reader gets them: grounding releases an answer by sentences, so that they come in fewer and longer pieces.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil

from app.acl.rules import Grant, OwnRule
from app.identity.subject import Label, Principal
from benchmarks.console.model import PacedModel, paced_model
from benchmarks.machine import load
from benchmarks.streaming.variant import UNCHECKED, UNFILTERED, VARIANT, WHOLE
from benchmarks.tables import show
from benchmarks.world import Document, World, api_process, database, indexed, server

SUBJECTS = (
    "leave", "travel", "kitchens", "parking", "training", "security", "holidays", "laptops", "meetings", "visitors",
)  # fmt: skip
PAGES = 40
BETWEEN = 0.06
VARIANTS = (WHOLE, UNCHECKED, UNFILTERED)
TEXT = (
    "Every employee may ask for {title} from the first day on, and nobody has to say why. The request for {title} goes"
    " to the office on floor {number}, which answers within {number} working days. Whoever waits longer for {title}"
    " writes to the head of the department, who decides before the end of the month. The company pays up to {number}00"
    " euros a year for {title}, and nothing beyond that without a written agreement. Receipts for {title} are handed in"
    " by the 10th of the next month, for example as a photo (see section {number}.2)."
)


@dataclass
class ReaderTimes:
    """What one reader got: seconds until the first piece, and between each two further ones; and the outcome."""

    first: float = 0.0
    gaps: list[float] = field(default_factory=list)
    outcome: str = ""


@dataclass(frozen=True)
class StreamRound:
    """All answers of one round: processor seconds of the API, the model's tokens, and what the readers got."""

    cpu: float
    tokens: int
    readers: Sequence[ReaderTimes]

    @property
    def cost(self) -> float:
        """Microseconds of CPU by token."""
        return 1e6 * self.cpu / self.tokens

    @property
    def gap(self) -> float:
        """p95 of the gaps, in milliseconds."""
        return 1e3 * float(np.quantile([gap for each in self.readers for gap in each.gaps], 0.95))

    @property
    def first(self) -> float:
        """The median time to the first piece, in milliseconds."""
        return 1e3 * statistics.median(each.first for each in self.readers)

    @property
    def pieces(self) -> float:
        """Pieces of an answer."""
        return statistics.mean(1 + len(each.gaps) for each in self.readers)


def _title(number: int) -> str:
    return f"{SUBJECTS[number % len(SUBJECTS)]} {number}"


def _question(number: int) -> str:
    return f"Within how many working days is a request for {_title(number % PAGES)} answered?"


def _fill(world: World, people: int) -> list[str]:
    """A library that everybody may read; the keys of the people."""
    everyone = OwnRule(frozenset({Grant("allow", Principal("everyone"))}), inherits=False, label=Label.INTERNAL)
    collection = world.collection("handbook", everyone)
    scope = world.scope(collection, OwnRule())
    pages = [TEXT.format(title=_title(number), number=number + 2) for number in range(PAGES)]
    world.documents(
        Document(f"{number}.md", collection, scope, indexed([text], _title(number)))
        for number, text in enumerate(pages)
    )
    keys = [world.key(world.person(f"reader-{number}")) for number in range(people)]
    world.settle()
    return keys


async def _read(url: str, key: str, question: str) -> ReaderTimes:
    """Ask, and read the events to the end of the answer."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"question": question, "mode": "generate", "stream": True}).encode()
    head = f"POST /api/v1/ask HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, int(port))
    asked = last = time.perf_counter()
    writer.write(head.encode() + body)
    times = ReaderTimes()
    async for line in reader:
        if not line.startswith(b"data: "):
            continue
        came, data = time.perf_counter(), json.loads(line[6:])
        times.outcome = data.get("outcome", data.get("code", times.outcome))
        if "text" not in data:
            continue
        if times.first:
            times.gaps.append(came - last)
        else:
            times.first = came - asked
        last = came
    writer.close()
    return times


def _round(url: str, pid: int, keys: Sequence[str], model: PacedModel, first: int) -> StreamRound:
    """All ask at once, each about a page of their own."""

    async def all_of() -> list[ReaderTimes]:
        return await asyncio.gather(*(_read(url, key, _question(first + n)) for n, key in enumerate(keys)))

    model.said.clear()
    process = psutil.Process(pid)
    before = process.cpu_times()
    readers = asyncio.run(all_of())
    after = process.cpu_times()
    other = {each.outcome for each in readers} - {"answered"}
    if other or len(model.said) != len(keys):
        raise SystemExit(f"{len(model.said)} of {len(keys)} questions came to the model; outcomes besides: {other}")
    tokens = sum(len(text.split(" ")) for _, text in model.said)
    return StreamRound(after.user + after.system - before.user - before.system, tokens, readers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=32, help="people who ask at once")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each way")
    parser.add_argument("--between", type=float, default=BETWEEN, help="seconds between two tokens of one answer")
    given = parser.parse_args()
    rng, rounds = random.Random(1), {name: list[StreamRound]() for name in VARIANTS}
    with contextlib.ExitStack() as stack:
        db = database(stack.enter_context(server()))
        keys = _fill(World(db), given.streams)
        model = stack.enter_context(paced_model())
        model.between = given.between
        settings = {"CLEARANCE_MODEL__BASE_URL": model.url, "CLEARANCE_MODEL__NAME": "scripted"}
        apis = {
            name: stack.enter_context(api_process(db, "benchmarks.streaming.variant", {**settings, VARIANT: name}))
            for name in VARIANTS
        }
        for name in VARIANTS:
            _round(*apis[name], keys, model, 0)  # warm
        before = load()
        for number in range(given.rounds):
            for name in rng.sample(VARIANTS, len(VARIANTS)):
                rounds[name].append(_round(*apis[name], keys, model, number))
    _show(rounds, f"{given.streams} streams at once, a token every {1e3 * given.between:.0f} ms; {before} to {load()}")


def _show(rounds: dict[str, list[StreamRound]], title: str) -> None:
    rows = [
        (name, *(_spread([getattr(each, figure) for each in of]) for figure in ("cost", "gap", "first", "pieces")))
        for name, of in rounds.items()
    ]
    tokens = statistics.mean(each.tokens / len(each.readers) for each in rounds[WHOLE])
    columns = ("", "CPU µs by token", "gap p95, ms", "first piece, ms", "pieces")
    show(f"{title}; {tokens:.0f} tokens an answer; medians of {len(rounds[WHOLE])} rounds", columns, rows)
    for name in (UNCHECKED, UNFILTERED):
        added = [a.cost - b.cost for a, b in zip(rounds[WHOLE], rounds[name], strict=True)]
        print(f"Added to {name!r}: {_spread(added)} µs of CPU by token.")


def _spread(values: Sequence[float]) -> str:
    digits = 0 if statistics.median(values) >= 20 else 1
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


if __name__ == "__main__":
    main()
