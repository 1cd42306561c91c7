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
from sqlalchemy import make_url

from app import log
from app.db.bootstrap import libpq
from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.local.postgres import EmbeddedPostgres
from tests.laws.worlds.http_worlds import Site, compare, site_of
from tests.laws.worlds.outcomes import Outcome, Tally
from tests.laws.worlds.savepoint_worlds import Quick, superuser
from tests.laws.worlds.strategies import draw
from tests.laws.worlds.world import Spec
from tests.support.cluster import TEMPLATE, Cluster, Db

# Tests take the batches below the first; those of the phase over HTTP lie apart, so that no world is looked at twice.
FIRST_BATCH = {"quick": 100, "http": 1_000_100}


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
        self.db = Db(cluster, f"laws_{os.getpid()}")
        cluster.copy(TEMPLATE, self.db.name)
        self.quick = Quick(superuser(self.db.url("admin")), HashedEmbedder())
        self.stack.callback(self.quick.engine.dispose)

    @cached_property
    def _site(self) -> Site:
        site = self.stack.enter_context(site_of(self.db, OnnxEmbedder(threads=1)))
        log.configure(json=True, level="WARNING")  # not a line for each request
        return site

    def compare(self, phase: str, spec: Spec) -> Outcome:
        """Both worlds of a spec: through search and prompt, or over HTTP with the real embedder."""
        return self.quick.compare(spec) if phase == "quick" else compare(self._site, spec)

    def batch(self, phase: str, number: int, size: int) -> Tally:
        tally, begin = Tally(), time.perf_counter()
        for spec in draw(FIRST_BATCH[phase] + number, size):
            tally.add(spec.to_json(), self.compare(phase, spec))
        if phase == "http":
            self.quick.sweep()
        tally.seconds = time.perf_counter() - begin
        return tally


def databases(admin_url: str) -> list[str]:
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


def batch(phase: str, number: int, size: int) -> tuple[str, int, Tally]:
    return phase, number, _worker[0].batch(phase, number, size)
