"""Requests to a server process: by the clock at the caller, and by the processor time of the API and of PostgreSQL."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import psutil

from benchmarks.company.routes import Asked
from benchmarks.world import Db

WARM_UPS = 2
AT_REST_MS = 50.0  # of processor time a second
# What PostgreSQL notes of each statement, sent as text or as a statement with parameters.
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+): ")


@dataclass(frozen=True)
class Figures:
    """Of one route for one caller: milliseconds, p50 and p95 by the clock, mean processor time, and statements."""

    caller: str
    route: str
    bound: int
    p50: float
    p95: float
    api_cpu: float
    postgres_cpu: float
    statements: int
    kilobytes: float

    @property
    def cpu(self) -> float:
        """Processor time of both: what the clock would show on a machine of one's own, but for the network."""
        return self.api_cpu + self.postgres_cpu


class Processors:
    """Processor time in ms of a process, and of a PostgreSQL: its processes, and those of it that have ended."""

    def __init__(self, pid: int, postgres: int) -> None:
        self._pid, self._postgres = pid, psutil.Process(postgres)

    def read(self) -> tuple[float, float]:
        own = self._postgres.cpu_times()
        backends = sum(_spent(child.pid) for child in self._postgres.children())
        return _spent(self._pid), backends + 1000 * (own.children_user + own.children_system)

    def rest(self, seconds: float = 120.0) -> None:
        """Wait until the process does next to nothing: one that was just started still loads its lists."""
        deadline = time.monotonic() + seconds
        spent = self.read()[0]
        while time.monotonic() < deadline:
            time.sleep(1.0)
            before, spent = spent, self.read()[0]
            if spent - before < AT_REST_MS:
                return


def _spent(pid: int) -> float:
    """What all threads of a process have used, ended ones too; Linux has a clock for each process."""
    try:
        return 1000 * time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has just ended
        return 0.0


class Caller:
    """Somebody who asks over HTTP, on one connection, or on a new one for each request."""

    def __init__(self, url: str, key: str, name: str, *, kept: bool = True) -> None:
        self.name = name
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=1 if kept else 0),
        )

    def send(self, asked: Asked, turn: int) -> httpx2.Response:
        path = asked.paths[turn % len(asked.paths)]
        if asked.bodies:
            return self._http.post(path, json=asked.bodies[turn % len(asked.bodies)])
        return self._http.get(path)

    def may(self, asked: Asked) -> bool:
        """Whether it is answered at all: with something, and not with a refusal."""
        return self.send(asked, 0).status_code == httpx2.codes.OK


def measure(caller: Caller, asked: Asked, processors: Processors, rounds: int) -> Figures:
    """Ask so often, one request after the other; statements are counted apart."""
    for turn in range(WARM_UPS):
        caller.send(asked, turn)
    times, size = list[float](), 0
    before = processors.read()
    for turn in range(rounds):
        began = time.perf_counter()
        answer = caller.send(asked, turn)
        times.append(1000 * (time.perf_counter() - began))
        size += len(answer.content)
        answer.raise_for_status()
    api, postgres = (round((b - a) / rounds, 2) for a, b in zip(before, processors.read(), strict=True))
    p50, p95 = (round(float(each), 1) for each in np.quantile(times, (0.5, 0.95)))
    return Figures(caller.name, asked.name, asked.bound, p50, p95, api, postgres, 0, round(size / rounds / 1024, 1))


def count_statements(db: Db, callers: Mapping[str, Caller], asked: Sequence[tuple[str, Asked]]) -> list[int]:
    """What PostgreSQL is sent for one request each, BEGIN and COMMIT among it: out of its own log."""
    counts = []
    with _logging(db):
        for who, what in asked:
            at = db.server.log_path.stat().st_size
            callers[who].send(what, 1)
            counts.append(_logged(db.server.log_path, at))
    return counts


def _logged(log: Path, begin: int) -> int:
    """How many statements the log notes behind this place, when it has come to rest."""
    size = -1
    while size != (size := log.stat().st_size):
        time.sleep(0.02)
    with log.open("rb") as file:
        file.seek(begin)
        return sum(1 for line in file if STATEMENT.match(line.decode(errors="replace").partition("] ")[2]))


@contextmanager
def _logging(db: Db) -> Iterator[None]:
    with db.admin() as connection:
        connection.execute("alter system set log_statement = 'all'")
        connection.execute("select pg_reload_conf()")
        time.sleep(0.5)
        try:
            yield
        finally:
            connection.execute("alter system reset log_statement")
            connection.execute("select pg_reload_conf()")
