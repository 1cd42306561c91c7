"""Transactions. Each is opened under a signed identity; reading and writing sessions are different types.

The identity and the statement limit are set inside the transaction, so a pooled connection carries neither to the next
caller and a transaction pooler between us and PostgreSQL changes nothing.
"""

import contextlib
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.db.engine import (
    ask_directly,
    may_have_changed_access,
    watch_changes,
)
from app.db.replicas import Replicas, SnapshotLost
from app.errors import Conflict, DatabaseUnavailable

# Asked for in the round trip that begins the transaction: the backend, and the moment at which the transaction began.
# An identity is signed for these two and holds in no other transaction.
TRANSACTION = text("select concat_ws('|', pg_backend_pid(), extract(epoch from now()))")
# What seals the personal words of records (`app.audit.encryption.Sealer`), for `app.audit.log` to find.
RECORD_SEALER = "sealer of records"
# By this code the database refuses in words for whoever asked (`migrations/versions/001_initial/forgetting.sql`).
REFUSED = "CLR01"
# As the engines of `Database` begin theirs.
BEGIN_READ, BEGIN_WRITE = "begin isolation level repeatable read read only", "begin isolation level read committed"
# Of a writing session: the wrapped keys that it has read, by their users.
WRAPPED_KEYS = "wrapped keys by user"
# Set by one statement, the identity as $1 and the limit of a statement as $2; they end with the transaction. The last
# three keep the planner from ways that cost as much as a whole table, or that it takes because a table is large: time
# would tell how much is hidden in it (promise N3; `benchmarks.side_channel` measures it).
SETTINGS = (
    "set_config('clearance.identity', $1, true)",
    "set_config('statement_timeout', $2, true)",
    "set_config('enable_seqscan', 'off', true)",
    "set_config('jit', 'off', true)",
    "set_config('max_parallel_workers_per_gather', '0', true)",
)
# In a snapshot nothing changes who sees what: resolved here once, and remembered for what comes behind it. And it reads
# by plain index scans: what makes the planner take a bitmap is statistics of all rows (promise N3).
READING_SETTINGS = (*SETTINGS, "set_config('enable_bitmapscan', 'off', true)", "clearance.remember_scopes()")


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
        self,
        engine: Engine,
        signer: Signer,
        *,
        statement_timeout_ms: int,
        replicas: Replicas | None = None,
        sealer: object = None,
    ) -> None:
        """`sealer` seals what is personal in records; without one none that has any is written."""
        self.engine = engine
        self._info = {RECORD_SEALER: sealer}
        self.replicas = replicas or Replicas()
        self._signer = signer
        self._timeout = str(statement_timeout_ms)
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writing = engine.execution_options(isolation_level="READ COMMITTED")

    @contextlib.contextmanager
    def reading(self, user_id: uuid.UUID) -> Iterator[ReadSession]:
        """A snapshot as this user sees it."""
        # What was read stays readable when the snapshot has ended: nothing in it can change.
        with (
            _translate_errors(),
            ReadSession(self._reading, expire_on_commit=False, info=self._info) as session,
            session.begin(),
        ):
            self._begin(session, user_id, READING_SETTINGS)
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
                with ReadSession(connection, expire_on_commit=False, info=self._info) as session:
                    session.on_standby = True
                    self._begin(session, user_id, READING_SETTINGS)
                    yield session
                return
        with self.reading(user_id) as session:
            yield session

    @contextlib.contextmanager
    def writing(self, user_id: uuid.UUID) -> Iterator[WriteSession]:
        """A transaction as this user. Raises UnguardedChange where it changes access without `app.acl.change_guard`."""
        with _translate_errors(), WriteSession(self._writing, info=self._info) as session, session.begin():
            session.author = user_id
            # Of any commit, also one that a stage makes by itself though it should not.
            event.listen(session, "before_commit", _refuse_unguarded)
            self._begin(session, user_id)
            watch_changes(session.connection())
            yield session

    @contextlib.contextmanager
    def dry_run(self, user_id: uuid.UUID) -> Iterator[WriteSession]:
        """A transaction as this user that is rolled back when its block ends, whatever it did."""
        with (
            _translate_errors(),
            WriteSession(self._writing, info=self._info) as session,
            session.begin() as transaction,
        ):
            session.author = user_id
            self._begin(session, user_id)
            yield session
            transaction.rollback()

    @contextlib.contextmanager
    def anonymous(self) -> Iterator[WriteSession]:
        """Without identity: sees no document. For finding out who calls, and for audit records."""
        with _translate_errors(), WriteSession(self._writing, info=self._info) as session, session.begin():
            self._begin(session, None)
            yield session

    def close(self) -> None:
        self.engine.dispose()
        self.replicas.close()

    def _begin(self, session: Session, user_id: uuid.UUID | None, settings: Sequence[str] = SETTINGS) -> None:
        """Begin the transaction, and set in it whose it is and what holds for it."""
        connection = session.connection()
        if isinstance(session, ReadSession) and session.on_standby and user_id is not None:
            # Through the driver, which gives a standby up after a while.
            named = select_settings(settings).replace("$1", ":identity").replace("$2", ":timeout")
            identity = self._signer.sign(user_id, transaction_of(session))
            session.execute(text(named), {"identity": identity, "timeout": self._timeout})
            return
        if user_id is None:
            literal = select_settings(settings).replace("$1", "''").replace("$2", f"'{int(self._timeout)}'")
            if ask_directly(connection, f"{BEGIN_WRITE}; {literal}") is not None:
                return
        else:
            identity = self._signer.sign(user_id, self._open(session, user_id))
            if ask_directly(connection, select_settings(settings), (identity, self._timeout)) is not None:
                return
        # The connection is lost: this says so as any statement does.
        session.execute(text("select 1"))

    def _open(self, session: Session, user_id: uuid.UUID) -> str:
        """Begin the transaction; gives what it says of itself. A writer's also reads the key that records are sealed
        under, wrapped as it is stored.
        """
        begin, also = BEGIN_READ, ""
        if isinstance(session, WriteSession):
            # What may wait for a lock has its limit of time. A UUID in hex holds nothing that could be SQL.
            begin = f"{BEGIN_WRITE}; set local statement_timeout = {int(self._timeout)}"
            also = f", (select wrapped from person_key where user_id = '{user_id.hex}')"  # noqa: S608  # see above
        row = ask_directly(session.connection(), f"{begin}; {TRANSACTION.text}{also}")
        if row is None:
            return transaction_of(session)
        if also:
            session.info[WRAPPED_KEYS] = {user_id: bytes.fromhex(row[1].removeprefix("\\x")) if row[1] else None}
        return str(row[0])


def select_settings(settings: Sequence[str]) -> str:
    """The statement that sets these."""
    return f"select {', '.join(settings)}"


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


def refusal_of(error: DBAPIError) -> str | None:
    """What the database says in words for whoever asked; None where it failed in another way."""
    said = error.orig
    return str(said.diag.message_primary) if isinstance(said, psycopg.Error) and said.sqlstate == REFUSED else None


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn a lost or unreachable database into the error that callers can act on."""
    try:
        yield
    except (OperationalError, PoolTimeout, psycopg.OperationalError) as error:
        raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
    except DBAPIError as error:
        if (refusal := refusal_of(error)) is not None:
            raise Conflict(refusal) from error
        if error.connection_invalidated:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        raise
