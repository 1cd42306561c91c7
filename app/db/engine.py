"""How statements reach PostgreSQL: connections that wait in a pool, and what is sent together in one round trip.

A round trip costs a tenth of a millisecond of processor time on each side, and a request makes a dozen of them. What
begins a transaction therefore goes along with its first statement, and a connection is asked whether it is alive only
when it has waited for a while.
"""

import secrets
import sys
import time
from collections.abc import Mapping
from typing import Any

from psycopg.pq import Format
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError

# A statement with this option may keep its plan on a connection, and save making it: up to a millisecond where a caller
# has a thousand scopes. The plan is for any values, under the settings that every reading transaction begins with.
PREPARED = {"prepared": True}
# The same for a statement that no reading transaction sends: by a key that is one of a table, whatever plan it takes.
KEEPS_PLAN = {"keeps plan": True}
# Marks a statement that reads megabytes of bytes, which take long to be written and read as text.
BINARY = {"binary": True}
# Marks a statement that cannot change who may read or do what: after others alone the database is asked whether it did.
CHANGES_NO_ACCESS = {"changes no access": True}
# Seconds after which a connection that waited is asked whether it is alive.
IDLE_SECONDS = 1.0

# Keys of what is known of a connection.
_PENDING, _IDLE_SINCE, _CHANGES = "pending statement", "idle since", "may have changed access"


def prepared(statement: str) -> TextClause:
    """A statement as text that may keep its plan."""
    return text(statement).execution_options(**PREPARED)


def connect(url: str, *, pool_size: int, prepare: bool = False) -> Engine:
    """An engine fit for a transaction pooler, unless it may `prepare`; dead connections are noticed before use."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        hide_parameters=True,
        # Never by itself: what is not marked PREPARED may be sent under other settings.
        connect_args={"prepare_threshold": sys.maxsize if prepare else None, "connect_timeout": 5},
    )
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _execute_many)
    event.listen(engine, "checkin", _checked_in)

    @event.listens_for(engine, "checkout")
    def checked_out(connection: Any, record: Any, _proxy: object) -> None:
        idle = time.monotonic() - record.info.get(_IDLE_SINCE, time.monotonic())
        if idle > IDLE_SECONDS and not _is_alive(engine, connection):
            raise InvalidatePoolError  # the server went: all that wait are gone, and a new one is made

    if prepare:
        event.listen(engine, "connect", _hide_names)
    return engine


def send_with_next(connection: Connection, statement: str, values: Mapping[str, str]) -> None:
    """Have this statement, in the driver's own form, go along with the next one on this connection, before it; what it
    gives is dropped.

    Without a next one it is not sent. The connection is one of `connect`, at the beginning of a transaction.
    """
    connection.info[_PENDING] = (statement, values)


def send_pending(connection: Connection) -> None:
    """Send now what was to go along with the next statement, for one that is not sent by SQLAlchemy."""
    _send(connection.info.pop(_PENDING, None), connection.connection.driver_connection)


def watch_changes(connection: Connection) -> None:
    """From now on, remember whether a statement was sent that may change access."""
    connection.info[_CHANGES] = False


def may_have_changed_access(connection: Connection) -> bool:
    """Whether any statement since `watch_changes` was not marked CHANGES_NO_ACCESS."""
    return bool(connection.info.get(_CHANGES, True))


def _info(context: Any) -> dict[str, Any]:
    """What is known of the connection; of the one by which SQLAlchemy gets to know the server, nothing."""
    try:
        known: dict[str, Any] = context.root_connection.info
        return known
    except NotImplementedError:
        return {}


def _is_alive(engine: Engine, connection: Any) -> bool:
    try:
        return bool(engine.dialect.do_ping(connection))
    except engine.dialect.loaded_dbapi.Error:
        return False


def _checked_in(_connection: Any, record: Any) -> None:
    for key in (_PENDING, _CHANGES):
        record.info.pop(key, None)
    record.info[_IDLE_SINCE] = time.monotonic()


def _hide_names(connection: Any, _record: Any) -> None:
    """Give the plans that this connection keeps names that no SQL can know.

    SQL that somebody smuggled into an earlier transaction could put a statement of its own under a name that it knows,
    and this would then run as the next caller. The view that lists the names is closed (`app.db.bootstrap`).
    """
    if connection._prepared._prepared_idx != 0:  # psycopg has no public way to choose the names
        raise RuntimeError("this psycopg numbers its statements in another way: its names would be known")
    connection._prepared._prepared_idx = secrets.randbits(128)


def _execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Send what may keep its plan, or goes along with something; True tells SQLAlchemy that it was sent.

    Results of a statement marked BINARY come as PostgreSQL has them, and not as text.
    """
    options, info = context.execution_options, _info(context)
    if _CHANGES in info and not options.get("changes no access"):
        info[_CHANGES] = True
    if options.get("binary"):
        cursor.format = Format.BINARY
    # Other transactions have other settings, and a plan once kept is taken under all of them.
    keep = options.get("keeps plan") or (options.get("prepared") and options.get("postgresql_readonly"))
    pending = info.pop(_PENDING, None)
    if pending is not None or options.get("opens"):
        # A pipeline: one round trip for all, with BEGIN before the first of a transaction.
        with cursor.connection.pipeline():
            _send(pending, cursor.connection)
            cursor.execute(statement, parameters, prepare=True if keep else None)
        return True
    if keep:
        cursor.execute(statement, parameters, prepare=True)
    return bool(keep)


def _execute_many(cursor: Any, _statement: str, _parameters: Any, context: Any) -> None:
    """The same for a statement with many rows of values: what was to go along goes first."""
    info = _info(context)
    if _CHANGES in info:
        info[_CHANGES] = True
    _send(info.pop(_PENDING, None), cursor.connection)


def _send(pending: tuple[str, Mapping[str, str]] | None, connection: Any) -> None:
    if pending is not None:
        connection.execute(*pending, prepare=True)
