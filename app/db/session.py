"""Transactions. Each is opened under a signed identity; reading and writing sessions are different types.

The identity and the statement limit are set inside the transaction, so a pooled connection carries neither to the next
caller and a transaction pooler between us and PostgreSQL changes nothing.
"""

import contextlib
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.db.engine import (
    CHANGES_NO_ACCESS,
    KEEPS_PLAN,
    may_have_changed_access,
    send_with_next,
    watch_changes,
)
from app.db.replicas import Replicas, SnapshotLost
from app.errors import DatabaseUnavailable

# Asked for in the round trip that begins the transaction: the backend, and the moment at which the transaction began.
# An identity is signed for these two and holds in no other transaction.
TRANSACTION = text("select concat_ws('|', pg_backend_pid(), extract(epoch from now()))").execution_options(
    opens=True, **CHANGES_NO_ACCESS, **KEEPS_PLAN
)
# The same with the key under which a writer's words are sealed, wrapped as it is stored: each record asks for it.
WRITERS_TRANSACTION = text(
    "select concat_ws('|', pg_backend_pid(), extract(epoch from now())) as transaction,"
    " (select wrapped from person_key where user_id = :user) as wrapped_key"
).execution_options(opens=True, **CHANGES_NO_ACCESS, **KEEPS_PLAN)
WRAPPED_KEYS = "wrapped keys by user"
# Set by one statement: `true` makes all values end with the transaction. The last three keep the planner from ways that
# cost as much as a whole table, or that it takes because a table is large: time would tell how much is hidden in it
# (promise N3; `benchmarks.side_channel` measures it).
BEGIN_AS = (
    "select set_config('clearance.identity', %(identity)s, true), set_config('statement_timeout', %(timeout)s, true),"
    " set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)
# In a snapshot nothing changes who sees what: resolved here once, and remembered for what comes behind it. And it reads
# by plain index scans: what makes the planner take a bitmap is statistics of all rows (promise N3).
BEGIN_READING = f"{BEGIN_AS}, set_config('enable_bitmapscan', 'off', true), clearance.remember_scopes()"

# Whether this transaction has changed access: noted by triggers, whatever statement did it.
ACCESS_CHANGED = text(
    "select concat(current_setting('clearance.changed', true), current_setting('clearance.moved', true)) <> ''"
)

Read = TypeVar("Read")


class ReadSession(Session):
    """One REPEATABLE READ, read-only transaction."""

    # Whether it is one of a standby's, which does not say who is running (`app.retrieval.corpus_size`).
    on_standby = False


class WriteSession(Session):
    """One READ COMMITTED transaction, committed when its block ends without an error.

    `author` is the user whose it is. `guard` is called last and raises if the author would gain by what was done;
    `app.acl.change_guard` alone sets it. A transaction that changed access and has none is not committed.
    """

    author: uuid.UUID | None = None
    guard: Callable[[], None] | None = None


class UnguardedChange(Exception):
    """A transaction changed who may read or do what, and nobody asked whether its author gains: our own mistake."""


class Signer:
    """Signs identities with the key that the database verifies them with."""

    def __init__(self, key_hex: str, *, seconds: int) -> None:
        self._key = bytes.fromhex(key_hex)
        if len(self._key) != 32:
            raise ValueError("the identity key must have 32 bytes, in hex")
        self._seconds = seconds

    def sign(self, user_id: uuid.UUID, transaction: str) -> str:
        """`user|expiry|mac`, good for the one transaction that says `transaction` of itself (`TRANSACTION`)."""
        payload = f"{user_id}|{int(time.time()) + self._seconds}"
        mac = hmac.new(self._key, f"{payload}|{transaction}".encode(), hashlib.sha256)
        return f"{payload}|{mac.hexdigest()}"


class Database:
    """The API's way to PostgreSQL: `reading` and `writing` as a verified user, `anonymous` before anyone is known."""

    def __init__(
        self, engine: Engine, signer: Signer, *, statement_timeout_ms: int, replicas: Replicas | None = None
    ) -> None:
        self.engine = engine
        self.replicas = replicas or Replicas()
        self._signer = signer
        self._timeout = str(statement_timeout_ms)
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writing = engine.execution_options(isolation_level="READ COMMITTED")

    @contextlib.contextmanager
    def reading(self, user_id: uuid.UUID) -> Iterator[ReadSession]:
        """A snapshot as this user sees it."""
        # What was read stays readable when the snapshot has ended: nothing in it can change.
        with _translate_errors(), ReadSession(self._reading, expire_on_commit=False) as session, session.begin():
            self._begin(session, user_id, BEGIN_READING)
            yield session

    def retrieve(self, user_id: uuid.UUID, read: Callable[[ReadSession], Read]) -> Read:
        """What a search reads in a snapshot as this user sees it, on a read replica that is fit for it or the primary.

        Called again, on the primary, if the replica loses the snapshot: what `read` did before must not matter then.
        """
        try:
            with self.on_replica_or_primary(user_id) as session:
                return read(session)
        except SnapshotLost:
            with self.reading(user_id) as session:
                return read(session)

    @contextlib.contextmanager
    def on_replica_or_primary(self, user_id: uuid.UUID) -> Iterator[ReadSession]:
        """A snapshot on a read replica that holds all that is committed by now, else on the primary.

        Raises SnapshotLost when the replica cannot go on; `retrieve` then goes to the primary.
        """
        with _translate_errors(), self.replicas.snapshot(self.engine) as connection:
            if connection is not None:
                with ReadSession(connection, expire_on_commit=False) as session:
                    session.on_standby = True
                    self._begin(session, user_id, BEGIN_READING)
                    yield session
                return
        with self.reading(user_id) as session:
            yield session

    @contextlib.contextmanager
    def writing(self, user_id: uuid.UUID) -> Iterator[WriteSession]:
        """A transaction as this user. Raises UnguardedChange where it changes access without `app.acl.change_guard`."""
        with _translate_errors(), WriteSession(self._writing) as session, session.begin():
            session.author = user_id
            # Of any commit, also one that a stage makes by itself though it should not.
            event.listen(session, "before_commit", _refuse_unguarded)
            self._begin(session, user_id)
            watch_changes(session.connection())
            yield session

    @contextlib.contextmanager
    def dry_run(self, user_id: uuid.UUID) -> Iterator[WriteSession]:
        """A transaction as this user that is rolled back when its block ends, whatever it did."""
        with _translate_errors(), WriteSession(self._writing) as session, session.begin() as transaction:
            session.author = user_id
            self._begin(session, user_id)
            yield session
            transaction.rollback()

    @contextlib.contextmanager
    def anonymous(self) -> Iterator[WriteSession]:
        """Without identity: sees no document. For finding out who calls, and for audit records."""
        with _translate_errors(), WriteSession(self._writing) as session, session.begin():
            self._begin(session, None)
            yield session

    def close(self) -> None:
        self.engine.dispose()
        self.replicas.close()

    def _begin(self, session: Session, user_id: uuid.UUID | None, begin: str = BEGIN_AS) -> None:
        values = {
            "identity": "" if user_id is None else self._signer.sign(user_id, self._open(session, user_id)),
            "timeout": self._timeout,
        }
        if isinstance(session, ReadSession) and session.on_standby:
            session.connection().exec_driver_sql(begin, values)
        else:
            send_with_next(session.connection(), begin, values)

    def _open(self, session: Session, user_id: uuid.UUID) -> str:
        """Begin the transaction; gives what it says of itself."""
        if not isinstance(session, WriteSession):
            return transaction_of(session)
        row = session.execute(WRITERS_TRANSACTION, {"user": user_id}).one()
        session.info[WRAPPED_KEYS] = {user_id: row.wrapped_key}
        return str(row.transaction)


def transaction_of(session: Session | Connection) -> str:
    """What this transaction says of itself, for `Signer.sign`; begins it if need be."""
    return str(session.execute(TRANSACTION).scalar_one())


def _refuse_unguarded(session: WriteSession) -> None:
    """Last before the commit: a change of access is checked by its guard; without a guard it is not committed."""
    session.flush()
    if session.guard is not None:
        session.guard()
    elif may_have_changed_access(session.connection()) and session.scalar(ACCESS_CHANGED):
        raise UnguardedChange(
            "this transaction changed access without 'app.acl.change_guard.guard_change'; nothing of it was committed"
        )


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn a lost or unreachable database into the error that callers can act on."""
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        raise
