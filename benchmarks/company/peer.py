"""The product's search beside a peer's, over HTTP, on the same passages: how fast, and how right under a filter."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import make_url

from app.acl.visible import visible_scopes
from app.db.bootstrap import libpq
from app.local.postgres import EmbeddedPostgres, free_port
from benchmarks.company.company import Company
from benchmarks.company.dense_leg import DenseLeg
from benchmarks.company.measure import Processors
from benchmarks.company.passages import Sentences
from benchmarks.search.cases import TIED
from benchmarks.world import EMBEDDER, PASSWORD, ROOT, Db, World

READERS = {"100 %": ("employee, 100 %", "employee-all"), "10 %": ("employee, 10 %", "employee-tenth"),
           "1 %": ("employee, 1 %", "employee-few")}  # fmt: skip
K = 10
# As pgvector's documentation has it; the class makes none by itself.
HNSW = "create index on langchain_pg_embedding using hnsw (embedding vector_cosine_ops)"
CHUNKS = "select scope_id from chunk where id >= %s order by id"


@dataclass(frozen=True)
class Beside:
    """Of one service at one visible share: ms by the clock, mean processor time, mean recall, and rows of others."""

    service: str
    share: str
    p50: float
    p95: float
    api_cpu: float
    postgres_cpu: float
    recall: float
    hidden: int


@dataclass(frozen=True)
class Truth:
    """All passages with their texts, vectors and scopes, in order, and the questions."""

    texts: NDArray[np.str_]
    vectors: NDArray[np.float32]
    scopes: NDArray[np.int64]
    questions: Sequence[str]

    def judge(self, question: int, visible: Sequence[int], found: Sequence[int]) -> tuple[float, int]:
        """Recall among the K best, ties counted as right; and how many of the found nobody had a right to."""
        scores = self.vectors @ EMBEDDER.embed_query(self.questions[question])
        allowed = np.isin(self.scopes, visible)
        line = np.partition(scores[allowed], -K)[-K] - TIED
        places = np.asarray(sorted(set(found)), np.int64)
        right = allowed[places] & (scores[places] >= line)
        return min(1.0, int(right.sum()) / K), int((~allowed[places]).sum())


def truth_of(db: Db, company: Company, questions: int) -> Truth:
    """The passages once more, as they were filled; questions are about those that the least reader may read."""
    sentences = Sentences()
    with db.admin() as connection:
        rows = connection.execute(CHUNKS, [company.first]).fetchall()
    scopes = np.array([scope for (scope,) in rows], np.int64)
    batches = list(sentences.batches(company.sizes.passages, 20_000))
    vectors = np.concatenate([batch.rows for batch in batches])
    passages = np.array([sentences.text(drawn) for batch in batches for drawn in batch.drawn])
    least = np.flatnonzero(np.isin(scopes, scopes_of(db, READERS["1 %"][1])))
    asked = np.random.default_rng(3).choice(least, questions)
    texts = [sentences.question(int(number)) for number in asked]
    return Truth(passages, vectors, scopes, texts)


def scopes_of(db: Db, name: str) -> list[int]:
    """What somebody may read."""
    with db.admin() as connection:
        (user,) = connection.execute("select id from app_user where name = %s", [name]).fetchall()[0]
    api = db.api()
    with api.reading(user) as session:
        found = visible_scopes(session, World(db).subject(user)).scope_ids
    api.close()
    return list(found)


def ours(url: str, processors: Processors, db: Db, company: Company, truth: Truth) -> list[Beside]:
    """POST /search of the product, which searches for words too; what is judged is what it finds by vectors alone."""
    found = []
    with DenseLeg(db, {share: name for share, (_, name) in READERS.items()}) as leg:
        for share, (who, _) in READERS.items():
            headers = {"Authorization": f"Bearer {company.keys[who]}"}
            with httpx2.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as http:

                def search(question: str, http: httpx2.Client = http) -> None:
                    http.post("/api/v1/search", json={"query": question, "limit": K}).raise_for_status()

                def nearest(question: str, share: str = share) -> list[int]:
                    return [number - company.first for number in leg.nearest(share, question, K)]

                found.append(_timed("Clearance", share, processors, truth, leg.scopes(share), (search, nearest)))
    return found


def theirs(python: Path, running: EmbeddedPostgres, db: Db, truth: Truth) -> Iterator[list[Beside]]:
    """The peer, as the class leaves it and with an HNSW index beside; each gives its results."""
    url = running.url("postgres", PASSWORD, "peer")
    with psycopg.connect(libpq(make_url(running.url("postgres", PASSWORD, "postgres"))), autocommit=True) as admin:
        admin.execute("drop database if exists peer with (force)")
        admin.execute("create database peer")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PEER_URL": url}
    module = [str(python), "-m", "benchmarks.company.peer_service"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "passages.npz"
        np.savez(file, vectors=truth.vectors, scopes=truth.scopes, texts=truth.texts)
        subprocess.run([*module, "fill", str(file)], cwd=ROOT, env=environ, check=True)
    with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
        for what, statement in (("", "vacuum analyze"), (" and HNSW", HNSW)):
            connection.execute(statement.encode())
            with _served([*module, "serve"], environ) as (address, pid):
                processors = Processors(pid, running.pid or 0)
                yield _peer_rows(f"LangChain PGVector{what}", address, processors, db, truth)


def _peer_rows(service: str, url: str, processors: Processors, db: Db, truth: Truth) -> list[Beside]:
    found = []
    with httpx2.Client(base_url=url, timeout=300, trust_env=False) as http:
        for share, (_, name) in READERS.items():
            scopes = scopes_of(db, name)

            def search(question: str, scopes: list[int] = scopes) -> list[int]:
                body = {"query": question, "scopes": scopes, "k": K}
                return [int(hit["id"]) for hit in http.post("/search", json=body).raise_for_status().json()]

            found.append(_timed(service, share, processors, truth, scopes, (search, search)))
    return found


def _timed(
    service: str,
    share: str,
    processors: Processors,
    truth: Truth,
    visible: Sequence[int],
    acts: tuple[Callable[[str], object], Callable[[str], list[int]]],
) -> Beside:
    """Time the first of the acts for each question; the second says what was found."""
    search, nearest = acts
    for question in truth.questions[:3]:
        search(question)
    times = []
    before = processors.read()
    for question in truth.questions:
        began = time.perf_counter()
        search(question)
        times.append(1000 * (time.perf_counter() - began))
    spent = [(b - a) / len(times) for a, b in zip(before, processors.read(), strict=True)]
    judged = [truth.judge(n, visible, nearest(question)) for n, question in enumerate(truth.questions)]
    p50, p95 = np.quantile(times, (0.5, 0.95))
    return Beside(
        service, share, round(float(p50), 1), round(float(p95), 1), round(spent[0], 1), round(spent[1], 1),
        round(float(np.mean([recall for recall, _ in judged])), 4), sum(hidden for _, hidden in judged),
    )  # fmt: skip


@contextlib.contextmanager
def _served(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The peer's service in a process of its own: its URL and process id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*command, str(port)], cwd=ROOT, env=dict(environ), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not _healthy(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(log.read().decode(errors="replace")[-2000:])
                time.sleep(0.2)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)


def _healthy(url: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/healthz", trust_env=False).status_code == httpx2.codes.OK
    return False
