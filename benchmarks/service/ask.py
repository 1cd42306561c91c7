"""From a question to the model's call: `python -m benchmarks.service.ask` prints p50 and p95, split by stage.

A synthetic library over 50 scopes, searched by people who may read all of it, a tenth, and a hundredth. Passages have
the hashed embedder's vectors, so that the library is made quickly; each question also runs through the real embedder,
whose cost is what counts. PostgreSQL is a server of its own with normal durability: the audit commit is a real one.
"""

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from pydantic import SecretStr
from rich.progress import track

from app import log
from app.acl.rules import OwnRule
from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.identity.subject import Label
from app.llm.protocol import Endpoint, Message
from app.llm.scripted import ScriptedChat
from app.main import create
from app.settings import ApiSettings, AuditSettings, DatabaseSettings, IdentitySettings, Settings
from app.wiring import build
from benchmarks.machine import load
from benchmarks.stats import p50_p95
from benchmarks.tables import show
from benchmarks.world import (
    AUDIT_KEY,
    KEY,
    NO_LIMITS,
    Db,
    Document,
    World,
    allow,
    database,
    indexed,
    prose,
    question_about,
    server,
)

SCOPES = 50
PER_DOCUMENT = 20  # passages
STAGES = ("embed", "retrieve", "context", "audit")
# How many of the scopes a person may read: see `scope_sizes` for the share of the library in them.
READERS = {"all": SCOPES, "tenth": 10, "hundredth": 1}
# Nobody listens there: the model is scripted.
ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "scripted", internal=True, max_label=Label.CONFIDENTIAL)
RECORDS = "select body::json from audit_leaf where kind = 'answer.closed' order by at desc, id desc limit %s"


class RealCost(HashedEmbedder):
    """The hashed embedder's vectors, at the real embedder's price for a question."""

    def __init__(self, threads: int) -> None:
        self._real = OnnxEmbedder(threads=threads)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The hashed vector, after the real one was made and dropped."""
        self._real.embed_query(text)
        return super().embed_query(text)


def scope_sizes(documents: int) -> list[int]:
    """Documents in each scope: ten scopes of one hundredth each, the others share the rest."""
    small = max(documents // 100, 1)
    return [small] * 10 + [len(part) for part in np.array_split(range(documents - 10 * small), SCOPES - 10)]


def fill(world: World, documents: int) -> tuple[dict[str, str], list[str]]:
    """Write readers and the library; gives the readers' keys, and questions that the smallest reader's books answer."""
    rng, questions = random.Random(1), []
    collection = world.collection("library", OwnRule(inherits=False))
    roles = [world.role(f"r{number}") for number in range(SCOPES)]
    scopes = [world.scope(collection, allow(role)) for role in roles]
    keys = {name: world.key(world.person(name, roles=roles[:count])) for name, count in READERS.items()}
    books: list[Document] = []
    for scope, size in zip(scopes, scope_sizes(documents), strict=True):
        for _ in range(size):
            texts = [prose(rng) for _ in range(PER_DOCUMENT)]
            questions += [question_about(texts[-1])] if scope == scopes[0] else []
            books.append(Document(f"{len(books)}.md", collection, scope, indexed(texts, f"Book {len(books)}")))
    world.documents(track(books, "writing"))
    world.settle()
    return keys, questions


def ask(client: TestClient, db: Db, key: str, questions: Sequence[str], called: list[float]) -> list[dict[str, float]]:
    """Ask one after the other; milliseconds by stage for each, and until the model's call as the caller sees it."""
    runs = []
    for question in questions:
        called.clear()
        begun, headers = time.perf_counter(), {"Authorization": f"Bearer {key}"}
        client.post("/api/v1/ask", json={"question": question}, headers=headers).raise_for_status()
        runs.append({"request to model": 1000 * (called[0] - begun)})
    with db.admin() as connection:
        records = [row[0] for row in connection.execute(RECORDS, [len(questions)])][::-1]
    for run, record in zip(runs, records, strict=True):
        run |= {stage: record["latency_us"][stage] / 1000 for stage in STAGES}
        run["in the pipeline"] = sum(run[stage] for stage in STAGES)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=10_000, help="passages in the library")
    parser.add_argument("--questions", type=int, default=100, help="questions of each reader")
    parser.add_argument("--threads", type=int, default=2, help="threads of the embedder")
    given = parser.parse_args()
    called, sizes = list[float](), scope_sizes(max(given.chunks // PER_DOCUMENT, SCOPES))

    def script(_: Sequence[Message]) -> list[str]:
        called.append(time.perf_counter())
        return ["So [1]."]

    with server() as running:
        db = database(running)
        keys, questions = fill(World(db), sum(sizes))
        asked = random.Random(2).choices(questions, k=given.questions)
        settings = Settings(
            database=DatabaseSettings.model_validate({"app_url": db.url("app")}),
            identity=IdentitySettings(key=SecretStr(KEY)),
            audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
            api=ApiSettings.model_validate(NO_LIMITS),
        )
        parts = replace(build(settings), chat=ScriptedChat(ENDPOINT, script), embedder=RealCost(given.threads))
        columns = (*STAGES, "in the pipeline", "request to model")
        rows = []
        with TestClient(create(parts)) as client:
            log.configure(json=True, level="WARNING")  # a line for each request would hide the table
            for who, scopes in READERS.items():
                ask(client, db, keys[who], asked[:5], called)  # warm
                runs = ask(client, db, keys[who], asked, called)
                seen = f"{PER_DOCUMENT * sum(sizes[:scopes]):,} ({100 * sum(sizes[:scopes]) / sum(sizes):.0f} %)"
                rows.append((seen, *(p50_p95([run[name] for run in runs], 1) for name in columns)))
    title = f"From request to model call, p50 / p95 ms, {given.questions} questions one after the other; {load()}"
    show(title, ("may read, passages", *columns), rows)
    print("'request to model' adds HTTP, the key's look-up and the test client's own threads.")


if __name__ == "__main__":
    main()
