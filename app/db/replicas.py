"""Read replicas: a snapshot on a streaming standby that is no older than the request, or none.

A revocation holds from its commit, so a standby may answer only when it has replayed all that the primary had
committed when the request began. We ask the primary where it stands, then the standby whether it has been there. No
connection to a standby leaves this module without that; whatever is in the way, the caller goes to the primary.
"""

import contextlib
import datetime as dt
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import log

# The position for inserts: without `synchronous_commit` a commit is acknowledged before it is written. The timeline,
# since after a failover numbers of the lost history compare with those of the new one and mean nothing; that of the
# name, since the control file has the old one until the first checkpoint. The clock, since grants end by it.
PRIMARY = text(
    """
    select (pg_control_system()).system_identifier as system, substr(pg_walfile_name(p.lsn), 1, 8) as timeline,
           cast(p.lsn as text) as lsn, cast(current_user as text) as role,
           cast(current_database() as text) as database, clock_timestamp() as clock
    from pg_current_wal_insert_lsn() as p (lsn)
    """
)

# Same cluster, history, database and database role: then the locks are those that the start-up probe has looked at. A
# standby's control file tells at least which timeline it has reached, and never one that it has not.
# The last three, in one statement with the rest, are the server's own: no two have the same.
STANDBY = text(
    """
    select pg_is_in_recovery()
             and (pg_control_system()).system_identifier = :system
             and greatest((pg_control_recovery()).min_recovery_end_timeline, (pg_control_checkpoint()).timeline_id)
               = :timeline
             and current_user = :role and current_database() = :database as fit,
           pg_last_wal_replay_lsn() >= cast(:lsn as pg_lsn) and clock_timestamp() >= :clock as current,
           pg_postmaster_start_time(), inet_server_addr(), inet_server_port()
    """
)
SERVER = text("select pg_postmaster_start_time(), inet_server_addr(), inet_server_port()")

# Between two looks at a standby that is not there yet.
POLL_SECONDS = 0.002
# So long a standby that does not answer, or is none of ours, is left alone.
LEAVE_SECONDS = 5.0
# So often, at most, the log is told the same about a standby.
TELL_SECONDS = 10.0

Outcome = Literal["used", "behind", "busy", "unreachable", "unfit"]


class Position(NamedTuple):
    """Where the primary stands: all that it has acknowledged lies before `lsn` in this history of this cluster."""

    system: int
    timeline: int
    lsn: str
    role: str
    database: str
    clock: dt.datetime


@dataclass(frozen=True)
class Count:
    """How often a standby, by its place in the setting, had this outcome."""

    replica: int
    outcome: Outcome
    number: int


class Replicas:
    """The standbys that searches may go to, in turn. Safe to use from several threads at once."""

    def __init__(self, engines: Sequence[Engine] = (), *, wait_ms: int = 0) -> None:
        self._standbys = [_Standby(engine, number) for number, engine in enumerate(engines, 1)]
        self._wait = wait_ms / 1000
        self._turns = itertools.count()

    @contextlib.contextmanager
    def snapshot(self, primary: Engine) -> Iterator[Connection | None]:
        """A read-only REPEATABLE READ transaction on a standby, its snapshot taken; None: use the primary.

        The snapshot holds all that the primary had committed when this was called. Raises what the primary raises.
        """
        connection = self._opened(primary) if self._standbys else None
        try:
            yield connection
        finally:
            if connection is not None:
                connection.close()

    def counts(self) -> list[Count]:
        """What came of the searches so far."""
        return [count for standby in self._standbys for count in standby.counts()]

    def close(self) -> None:
        """Close the pools."""
        for standby in self._standbys:
            standby.engine.dispose()

    def _opened(self, primary: Engine) -> Connection | None:
        position = position_of(primary)
        deadline = time.monotonic() + self._wait
        first = next(self._turns) % len(self._standbys)
        for standby in (*self._standbys[first:], *self._standbys[:first]):
            connection = standby.snapshot(position, deadline)
            if connection is not None:
                return connection
        return None


class _Standby:
    """One standby, and what was found of it."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.engine, self._number = engine, number
        self._last: Outcome = "used"
        self._again = 0.0
        self._lock = threading.Lock()
        self._counts: Counter[Outcome] = Counter()
        self._told: dict[Outcome, float] = {}

    def counts(self) -> list[Count]:
        with self._lock:
            return [Count(self._number, outcome, number) for outcome, number in self._counts.items()]

    def snapshot(self, position: Position, deadline: float) -> Connection | None:
        """A transaction whose snapshot holds all before this position; None if there is none by the deadline."""
        if self._left_alone():
            return None
        outcome: Outcome = "unreachable"
        connection = None
        try:
            connection = self.engine.connect()
            # One that was behind a moment ago is not waited for: every search would wait in vain.
            outcome = _snapshot(connection, position, 0.0 if self._last == "behind" else deadline)
        except PoolTimeout:
            outcome = "busy"
        except DBAPIError as error:
            log.get().debug("replica.error", replica=self._number, error=type(error.orig).__name__)
        finally:
            self._note(outcome)
            if connection is not None and outcome != "used":
                connection.close()
        return connection if outcome == "used" else None

    def _left_alone(self) -> bool:
        """Whether it failed a moment ago. Afterwards one search tries, and the others need not wait for that."""
        with self._lock:
            if self._last not in ("unreachable", "unfit"):
                return False
            if time.monotonic() < self._again:
                return True
            self._again = time.monotonic() + LEAVE_SECONDS
            return False

    def _note(self, outcome: Outcome) -> None:
        now = time.monotonic()
        with self._lock:
            self._last = outcome
            self._again = now + LEAVE_SECONDS
            self._counts[outcome] += 1
            tell = outcome != "used" and now - self._told.get(outcome, -TELL_SECONDS) >= TELL_SECONDS
            if tell:
                self._told[outcome] = now
        if tell:
            log.get().warning(f"replica.{outcome}", replica=self._number, so_often=self._counts[outcome])


def position_of(primary: Engine) -> Position:
    """Where the primary stands now; raises DBAPIError, also for a server that is in recovery."""
    with primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        row = connection.execute(PRIMARY).one()
    return Position(row.system, int(row.timeline, 16), row.lsn, row.role, row.database, row.clock)


def _snapshot(connection: Connection, position: Position, deadline: float) -> Outcome:
    """Look until the standby has been at the position, and only then take the snapshot.

    Not in one statement: PostgreSQL takes the snapshot of a statement first and evaluates it later. The standby could
    replay a revocation in between and say truly that it has been there, while its snapshot still shows the document.
    """
    connection.execution_options(isolation_level="AUTOCOMMIT")
    asked = position._asdict()
    while True:
        fit, current, *server = connection.execute(STANDBY, asked).one()
        if not fit:
            return "unfit"
        if current:
            break
        if time.monotonic() + POLL_SECONDS > deadline:
            return "behind"
        time.sleep(POLL_SECONDS)
    connection.rollback()
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    # This statement takes the snapshot. Behind a pooler or a balancer each transaction may meet another server.
    return "used" if list(connection.execute(SERVER).one()) == server else "unfit"
