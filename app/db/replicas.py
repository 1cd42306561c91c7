"""Read replicas: a snapshot on a streaming standby that is no older than the request, or none.

A revocation holds from its commit, so a standby may answer only when it has replayed all that the primary had
committed when the request began. We ask the primary for its position, then the standby whether it has passed it. No
connection to a standby leaves this module without that; whatever goes wrong, the caller uses the primary. So it does
if the standby loses the transaction later, since replay cancels what is in its way.
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

# Same cluster, history, database and database role: then its row-level security is what the start-up probe checked. A
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

# Seconds between two questions to a standby that has not replayed far enough.
POLL_INTERVAL = 0.002
# Seconds for which a standby that does not answer, or is none of ours, is skipped.
UNREACHABLE_BACKOFF = 5.0
# Seconds for which a standby that was behind is not waited for again.
BEHIND_BACKOFF = 1.0
# Seconds that its clock may be ahead of the primary's: a search waits until the primary's has caught up.
MAX_CLOCK_SKEW = 0.02
# Seconds between two identical log lines about one standby.
LOG_INTERVAL = 10.0

Outcome = Literal["used", "lost", "behind", "skewed", "busy", "unreachable", "unfit"]


class SnapshotLost(DatabaseUnavailable):
    """The standby cancelled a running transaction; the same can be read on the primary."""


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
class ReplicaCount:
    """How often a standby, by its place in the setting, had an outcome."""

    replica: int
    outcome: Outcome
    number: int


class Replicas:
    """The standbys for searches, used in turn. Safe to use from several threads at once."""

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

    def counts(self) -> list[ReplicaCount]:
        """The outcomes of all searches since the process began."""
        return [count for standby in self._standbys for count in standby.counts()]

    def close(self) -> None:
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
    def __init__(self, engine: Engine, number: int) -> None:
        self.engine, self._number = engine, number
        self._last: Outcome = "used"
        self._retry_at = 0.0
        self._lock = threading.Lock()
        self._counts: Counter[Outcome] = Counter()
        self._logged_at: dict[Outcome, float] = {}

    def counts(self) -> list[ReplicaCount]:
        with self._lock:
            return [ReplicaCount(self._number, outcome, number) for outcome, number in self._counts.items()]

    def snapshot(self, position: Position, deadline: float) -> Connection | None:
        """A transaction whose snapshot holds all before this position; None if there is none by the deadline."""
        until = self._wait_until(deadline)
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
        """Count a snapshot that the standby cancelled; the next search checks the standby again."""
        self._count("lost")

    def _wait_until(self, deadline: float) -> float | None:
        """The time until which a search may wait for it; None: the standby is skipped.

        What was wrong a moment ago is likely wrong now, so during the back-off no search tries. Afterwards one search
        tries again, and the others do not wait for it.
        """
        with self._lock:
            absent = self._last in ("unreachable", "unfit")
            if not absent and self._last not in ("behind", "skewed"):
                return deadline
            now = time.monotonic()
            if now < self._retry_at:
                return None if absent else 0.0
            self._retry_at = now + (UNREACHABLE_BACKOFF if absent else BEHIND_BACKOFF)
            return deadline

    def _note(self, outcome: Outcome) -> None:
        now = time.monotonic()
        with self._lock:
            if outcome in ("unreachable", "unfit"):
                self._retry_at = now + UNREACHABLE_BACKOFF
            elif outcome != self._last:
                self._retry_at = now + BEHIND_BACKOFF
            self._last = outcome
        self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        now = time.monotonic()
        with self._lock:
            self._counts[outcome] += 1
            due = outcome != "used" and now - self._logged_at.get(outcome, -LOG_INTERVAL) >= LOG_INTERVAL
            if due:
                self._logged_at[outcome] = now
        if due:
            log.get().warning(f"replica.{outcome}", replica=self._number, so_often=self._counts[outcome])


def position_of(primary: Engine) -> Position:
    """The primary's position now; raises DBAPIError, also for a server that is in recovery."""
    with primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        asked = time.monotonic()
        row = connection.execute(PRIMARY).one()
        told = time.monotonic()
    return Position(row.system, int(row.timeline, 16), row.lsn, row.role, row.database, row.clock, asked, told)


def _snapshot(connection: Connection, position: Position, deadline: float) -> Outcome:
    """Poll until the standby has replayed the position, and only then take the snapshot.

    Not in one statement: PostgreSQL takes the snapshot of a statement first and evaluates it later. The standby could
    replay a revocation in between and truly report it, while its snapshot still shows the document.
    """
    connection.execution_options(isolation_level="AUTOCOMMIT")
    parameters = position._asdict()
    while True:
        fit, there, on_time, *server = connection.execute(STANDBY, parameters).one()
        if not fit:
            return "unfit"
        if there and on_time:
            break
        if time.monotonic() + POLL_INTERVAL > deadline:
            return "skewed" if there else "behind"
        time.sleep(POLL_INTERVAL)
    connection.rollback()
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    moment, *found = connection.execute(SNAPSHOT).one()
    if found != server:
        # Behind a pooler or a load balancer each transaction may reach another server.
        return "unfit"
    return "used" if _wait_for_moment(moment, position) else "skewed"


def _wait_for_moment(moment: dt.datetime, position: Position) -> bool:
    """Wait until this moment has come on the primary too; False if the standby's clock is too far ahead.

    With a clock that is ahead a grant would start, and a denial end, too early. We wait for the largest possible skew
    and reject by the smallest, since this process may have been slow to read the answers.
    """
    ahead, now = (moment - position.clock).total_seconds(), time.monotonic()
    if ahead - (now - position.asked) > MAX_CLOCK_SKEW:
        return False
    time.sleep(max(ahead - (now - position.told), 0.0))
    return True


def _is_lost(error: DBAPIError) -> bool:
    """Whether the error is the standby's: replay cancelled the statement or ended the session, or the standby is gone.

    A statement that exceeded its time limit would do so on the primary too.
    """
    if isinstance(error.orig, QueryCanceled):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InternalError)
