"""Read replicas: a snapshot on a streaming standby that is no older than the request, or none.

A revocation holds from its commit, so a standby may answer only when it has replayed all that the primary had
committed when the request began. We ask the primary where it stands, then the standby whether it has been there. No
connection to a standby leaves this module without that; whatever is in the way, the caller goes to the primary. So it
does when the standby loses the transaction later: replay cancels what is in its way.
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

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import log
from app.errors import DatabaseUnavailable

# The position for inserts: without `synchronous_commit` a commit is acknowledged before it is written. The timeline,
# since after a failover numbers of the lost history compare with those of the new one and mean nothing; that of the
# name, since the control file has the old one until the first checkpoint. The clock, since grants start and end by it.
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
           pg_last_wal_replay_lsn() >= cast(:lsn as pg_lsn) as there, clock_timestamp() >= :clock as on_time,
           pg_postmaster_start_time(), inet_server_addr(), inet_server_port()
    """
)
# The first statement of a transaction takes its snapshot. `now()` is the moment by which its grants start and end.
SNAPSHOT = text("select now(), pg_postmaster_start_time(), inet_server_addr(), inet_server_port()")

# Between two looks at a standby that is not there yet.
POLL_SECONDS = 0.002
# So long a standby that does not answer, or is none of ours, is left alone.
LEAVE_SECONDS = 5.0
# So long one that was waited for in vain is not waited for.
HASTE_SECONDS = 1.0
# So far its clock may be ahead of the primary's: a search waits until the primary's has come to the same moment.
AHEAD_SECONDS = 0.02
# So often, at most, the log is told the same about a standby.
TELL_SECONDS = 10.0

Outcome = Literal["used", "lost", "behind", "skewed", "busy", "unreachable", "unfit"]


class SnapshotLost(DatabaseUnavailable):
    """The standby gave up a transaction that was under way; on the primary the same may be read."""


class Position(NamedTuple):
    """Where the primary stands: all that it has acknowledged lies before `lsn` in this history of this cluster.

    `clock` is the primary's; it was read between `asked` and `told` on this process's monotonic clock, in seconds.
    """

    system: int
    timeline: int
    lsn: str
    role: str
    database: str
    clock: dt.datetime
    asked: float
    told: float


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

        The snapshot holds all that the primary had committed when this was called. Raises what the primary raises, and
        SnapshotLost for an error of the block that is the standby's and not the statement's.
        """
        opened = self._opened(primary) if self._standbys else None
        if opened is None:
            yield None
            return
        standby, connection = opened
        try:
            yield connection
        except DBAPIError as error:
            if not _is_lost(error):
                raise
            standby.lose()
            raise SnapshotLost("The database does not answer; try again in a moment.") from error
        finally:
            connection.close()

    def counts(self) -> list[Count]:
        """What came of the searches so far."""
        return [count for standby in self._standbys for count in standby.counts()]

    def close(self) -> None:
        """Close the pools."""
        for standby in self._standbys:
            standby.engine.dispose()

    def _opened(self, primary: Engine) -> "tuple[_Standby, Connection] | None":
        position = position_of(primary)
        deadline = time.monotonic() + self._wait
        first = next(self._turns) % len(self._standbys)
        for standby in (*self._standbys[first:], *self._standbys[:first]):
            connection = standby.snapshot(position, deadline)
            if connection is not None:
                return standby, connection
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
        until = self._patience(deadline)
        if until is None:
            return None
        outcome: Outcome = "unreachable"
        connection = None
        try:
            connection = self.engine.connect()
            outcome = _snapshot(connection, position, until)
        except PoolTimeout:
            outcome = "busy"
        except DBAPIError as error:
            log.get().debug("replica.error", replica=self._number, error=type(error.orig).__name__)
        finally:
            self._note(outcome)
            if connection is not None and outcome != "used":
                connection.close()
        return connection if outcome == "used" else None

    def lose(self) -> None:
        """Count a snapshot that was used and did not last. The next search finds out how the standby is."""
        self._count("lost")

    def _patience(self, deadline: float) -> float | None:
        """Until when a search may wait for it; None: it is left alone.

        What is wrong with it a moment ago is likely wrong now, and every search would find out anew, in vain. After a
        while one search does, and the others need not wait for that.
        """
        with self._lock:
            absent = self._last in ("unreachable", "unfit")
            if not absent and self._last not in ("behind", "skewed"):
                return deadline
            now = time.monotonic()
            if now < self._again:
                return None if absent else 0.0
            self._again = now + (LEAVE_SECONDS if absent else HASTE_SECONDS)
            return deadline

    def _note(self, outcome: Outcome) -> None:
        now = time.monotonic()
        with self._lock:
            if outcome in ("unreachable", "unfit"):
                self._again = now + LEAVE_SECONDS
            elif outcome != self._last:
                self._again = now + HASTE_SECONDS
            self._last = outcome
        self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        now = time.monotonic()
        with self._lock:
            self._counts[outcome] += 1
            tell = outcome != "used" and now - self._told.get(outcome, -TELL_SECONDS) >= TELL_SECONDS
            if tell:
                self._told[outcome] = now
        if tell:
            log.get().warning(f"replica.{outcome}", replica=self._number, so_often=self._counts[outcome])


def position_of(primary: Engine) -> Position:
    """Where the primary stands now; raises DBAPIError, also for a server that is in recovery."""
    with primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        asked = time.monotonic()
        row = connection.execute(PRIMARY).one()
        told = time.monotonic()
    return Position(row.system, int(row.timeline, 16), row.lsn, row.role, row.database, row.clock, asked, told)


def _snapshot(connection: Connection, position: Position, deadline: float) -> Outcome:
    """Look until the standby has been at the position, and only then take the snapshot.

    Not in one statement: PostgreSQL takes the snapshot of a statement first and evaluates it later. The standby could
    replay a revocation in between and say truly that it has been there, while its snapshot still shows the document.
    """
    connection.execution_options(isolation_level="AUTOCOMMIT")
    asked = position._asdict()
    while True:
        fit, there, on_time, *server = connection.execute(STANDBY, asked).one()
        if not fit:
            return "unfit"
        if there and on_time:
            break
        if time.monotonic() + POLL_SECONDS > deadline:
            return "skewed" if there else "behind"
        time.sleep(POLL_SECONDS)
    connection.rollback()
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    moment, *found = connection.execute(SNAPSHOT).one()
    if found != server:
        # Behind a pooler or a balancer each transaction may meet another server.
        return "unfit"
    return "used" if _has_come(moment, position) else "skewed"


def _has_come(moment: dt.datetime, position: Position) -> bool:
    """Wait until this moment has come on the primary too; False where its clock is too far from that.

    By a clock that is ahead a grant would start, and a denial end, before its time. We wait for the most that it may be
    ahead, and judge by the least: when this process is slow to take the answers, no clock is wrong for that.
    """
    ahead, now = (moment - position.clock).total_seconds(), time.monotonic()
    if ahead - (now - position.asked) > AHEAD_SECONDS:
        return False
    time.sleep(max(ahead - (now - position.told), 0.0))
    return True


def _is_lost(error: DBAPIError) -> bool:
    """Whether the standby is to blame: replay cancelled the statement or ended the session, or the standby is gone.

    A statement that took too long would take as long on the primary.
    """
    if isinstance(error.orig, QueryCanceled):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InternalError)
