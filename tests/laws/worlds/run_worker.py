"""What a process of a long run does: one batch of worlds after the other, in a database of its own."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from app import log
from app.db.bootstrap import libpq
from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.local.postgres import EmbeddedPostgres
from tests.laws.worlds.http_worlds import Said, Site, compare, site_of
from tests.laws.worlds.outcomes import Tally
from tests.laws.worlds.run_state import Result
from tests.laws.worlds.savepoint_worlds import Quick, superuser
from tests.laws.worlds.strategies import draw
from tests.laws.worlds.world import Spec
from tests.support.cluster import TEMPLATE, Cluster, Db

# Tests take the batches below this one.
FIRST_BATCH = 100
HTTP_BATCH = 1_000_000  # added, so that no world of one phase is one of the other


@dataclass(frozen=True)
class Server:
    """The server of the run, as another process finds it."""

    folder: Path
    port: int
    password: str

    def cluster(self) -> Cluster:
        """The running server: this one is never started, it only knows its URLs."""
        server = EmbeddedPostgres(self.folder, password=self.password, port=self.port)
        return Cluster(server, server.url("postgres", self.password, "postgres"))


@dataclass
class Worker:
    """One process with its database, until it is closed."""

    server: Server
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        cluster = self.server.cluster()
        name = f"laws_{os.getpid()}"
        template = sql.Identifier(TEMPLATE)
        cluster.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), template))
        self.db = Db(cluster, name)
        self.quick = Quick(superuser(self.db.url("admin")), HashedEmbedder())
        self.stack.callback(self.quick.engine.dispose)

    @cached_property
    def _site(self) -> Site:
        site = self.stack.enter_context(site_of(self.db, OnnxEmbedder(threads=1)))
        log.configure(json=True, level="WARNING")  # not a line for each request
        return site

    def hear(self, spec: Spec) -> Said:
        """Both worlds of a spec over HTTP, with the real embedder."""
        return compare(self._site, spec)

    def batch(self, phase: str, number: int, size: int) -> Result:
        """All worlds of a batch."""
        begin = time.perf_counter()
        tally, compared, mismatches = (self._quick if phase == "quick" else self._http)(number, size)
        return Result(phase, number, tally, compared, time.perf_counter() - begin, tuple(mismatches))

    def _quick(self, number: int, size: int) -> tuple[Tally, int, list[str]]:
        tally, mismatches = Tally(), []
        for spec in draw(number, size):
            outcome = self.quick.compare(spec)
            tally.add(spec.to_json(), outcome)
            if outcome.differing:
                mismatches.append(spec.to_json())
        return tally, tally.questions, mismatches

    def _http(self, number: int, size: int) -> tuple[Tally, int, list[str]]:
        tally, compared, mismatches = Tally(), 0, []
        for spec in draw(HTTP_BATCH + number, size):
            said = self.hear(spec)
            compared += len(said.bare)
            tally.worlds += 1
            tally.questions += len(said.threatened)
            tally.threatened += sum(said.threatened)
            tally.differing += len(said.differing)
            if said.differing:
                mismatches.append(spec.to_json())
        self.quick.sweep()
        return tally, compared, mismatches


def databases(admin_url: str) -> list[str]:
    """What runs have made on this server."""
    with psycopg.connect(libpq(make_url(admin_url))) as connection:
        names = "select datname from pg_database where datname ~ '^laws_' or datname = %s"
        return [name for (name,) in connection.execute(names, [TEMPLATE])]


_worker: list[Worker] = []


def begin(server: Server) -> None:
    """Make this process a worker, which ends when its parent has gone and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    _worker.append(Worker(server))


def batch(phase: str, number: int, size: int) -> Result:
    """One batch, in the worker that `begin` made."""
    return _worker[0].batch(phase, number, size)
