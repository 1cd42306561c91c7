"""From a question to the model's call: `python -m benchmarks.question` prints p50 and p95, split by stage.

A synthetic library over 50 scopes, searched by people who may read all of it, a tenth, and a hundredth. Passages have
the hashed embedder's vectors, so that the library is made quickly; each question also runs through the real embedder,
whose cost is what counts. PostgreSQL is a server of its own with normal durability: the audit commit is a real one.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from tests.support.company import Company, administering, client_of, company_in, endpoint, parts_of, work_queued
from tests.support.hidden_volume import VOCABULARY, passage

SCOPES = 50
PER_DOCUMENT = 20  # passages
STAGES = ("embed", "retrieve", "context", "audit")
# How many of the scopes a person may read: see `scope_sizes` for the share of the library in them.
READERS = {"all": SCOPES, "tenth": 10, "hundredth": 1}


class RealCost(HashedEmbedder):
    """The hashed embedder's vectors, at the real embedder's price for a question."""

    def __init__(self, threads: int) -> None:
        self._real = OnnxEmbedder(threads=threads)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The hashed vector, after the real one was made and dropped."""
        self._real.embed_query(text)
        return super().embed_query(text)


# Milliseconds by stage.
Run: TypeAlias = dict[str, float]


@dataclass
class Clock:
    """When the model was called, by the questions in their order."""

    called: list[float] = field(default_factory=list)

    def script(self, _: Sequence[Message]) -> list[str]:
        """Note the time; say a word."""
        self.called.append(time.perf_counter())
        return ["So [1]."]


def document(rng: random.Random, number: int) -> tuple[str, str]:
    """One document in Markdown, and a question that its last passage answers."""
    passages = [passage(rng) for _ in range(PER_DOCUMENT)]
    words = passages[-1].rstrip(".").split()
    rare = sorted(set(words), key=VOCABULARY.index)[-8:]
    return f"# Book {number}\n\n" + "\n\n".join(passages), f"What is said of {' '.join(rare)}?"


def scope_sizes(documents: int) -> list[int]:
    """Documents in each scope: ten scopes of one hundredth each, the others share the rest."""
    small = max(documents // 100, 1)
    rest, others = documents - 10 * small, SCOPES - 10
    return [small] * 10 + [rest // others + (1 if n < rest % others else 0) for n in range(others)]


def stock(company: Company, client: TestClient, documents: int) -> list[str]:
    """Make roles, readers and the library; returns the questions that the smallest reader's books answer."""
    send = administering(client, company)
    send("POST", "/collections", {"name": "library"})
    send("PUT", "/collections/library/curators/cleo", None)
    for number in range(SCOPES):
        send("POST", "/roles", {"name": f"r{number}"})
    for name, scopes in READERS.items():
        send("POST", "/users", {"name": name})
        for number in range(scopes):
            send("PUT", f"/roles/r{number}/members/{name}", None)
        company.keys[name] = send("POST", "/keys", {"user": name})["secret"]
    rng, asked = random.Random(1), []
    tags = [f"r{scope}" for scope, size in enumerate(scope_sizes(documents)) for _ in range(size)]
    for number, tag in enumerate(track(tags, description="uploading")):
        text, question = document(rng, number)
        asked += [question] if tag == "r0" else []
        answer = client.post(
            "/api/v1/collections/library/documents",
            headers=company.headers("cleo"),
            files={"file": ("book.md", text.encode())},
            data={"path": f"{number}.md", "roles": [tag]},
        )
        answer.raise_for_status()
    return asked


def ask(client: TestClient, company: Company, who: str, questions: Sequence[str], *, clock: Clock) -> list[Run]:
    """Ask one after the other; milliseconds by stage for each, and until the model's call as the caller sees it."""
    runs = []
    for question in questions:
        asked, before = time.perf_counter(), len(clock.called)
        answer = client.post("/api/v1/ask", json={"question": question}, headers=company.headers(who))
        answer.raise_for_status()
        if len(clock.called) == before:
            raise AssertionError(f"'{question}' found no support: {answer.json()['outcome']}")
        runs.append({"request to model": 1000 * (clock.called[-1] - asked)})
    closed = company.records("answer.closed")[-len(questions) :]
    for run, record in zip(runs, closed, strict=True):
        run |= {stage: record["latency_us"][stage] / 1000 for stage in STAGES}
        run["in the pipeline"] = sum(run[stage] for stage in STAGES)
    return runs


def table(measured: dict[str, list[Run]], seen: dict[str, int], chunks: int) -> Table:
    """One row for each reader; each cell is p50 / p95 in milliseconds."""
    shown = Table(
        title=f"From request to model call over {chunks:,} passages in {SCOPES} scopes, {os.cpu_count()} CPUs, ms"
    )
    columns = (*STAGES, "in the pipeline", "request to model")
    shown.add_column("may read", justify="right")
    for name in columns:
        shown.add_column(f"{name} p50 / p95", justify="right")
    for who, runs in measured.items():
        cells = []
        for name in columns:
            values = sorted(run[name] for run in runs)
            cells.append(f"{statistics.median(values):.1f} / {values[round(0.95 * (len(values) - 1))]:.1f}")
        shown.add_row(f"{seen[who]:,} ({100 * seen[who] / chunks:.0f} %)", *cells)
    return shown


def chunks_of(company: Company, scopes: int) -> int:
    """How many passages the first `scopes` roles may read."""
    [row] = company.rows(
        "select count(*) as n from chunk c join scope s on s.id = c.scope_id"
        " join rule u on u.id = s.rule_id join rule_grant g on g.rule_id in (coalesce(u.own_id, u.id), u.above_id)"
        " join role r on r.id = g.principal_id where r.name = any (%s)",
        [[f"r{n}" for n in range(scopes)]],
    )
    return int(row["n"])


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Stock the library, ask, print."""
    clock = Clock()
    chat = ScriptedChat(endpoint(), clock.script)
    embedder: Any = RealCost(arguments.threads)
    with company_in(folder) as company, client_of(parts_of(company.db, chat=chat, embedder=embedder)) as client:
        questions = stock(company, client, max(arguments.chunks // PER_DOCUMENT, SCOPES))
        began = time.perf_counter()
        work_queued(company.db)
        took = time.perf_counter() - began
        company.execute("vacuum analyze")
        seen = {who: chunks_of(company, scopes) for who, scopes in READERS.items()}
        rng = random.Random(2)
        asked = [rng.choice(questions) for _ in range(arguments.questions)]
        measured = {}
        for who in READERS:
            ask(client, company, who, asked[:5], clock=clock)  # warm
            measured[who] = ask(client, company, who, asked, clock=clock)
    console = Console(width=170)
    console.print(table(measured, seen, seen["all"]))
    console.print(
        f"{arguments.questions} questions each, one after the other; indexed in {took:.0f} s without embedder."
    )
    console.print("'request to model' adds HTTP, the key's look-up and the test client's own threads.")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10_000, help="passages in the library")
    parser.add_argument("--questions", type=int, default=100, help="questions of each reader")
    parser.add_argument("--threads", type=int, default=2, help="threads of the embedder")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), parser.parse_args())


if __name__ == "__main__":
    main()
