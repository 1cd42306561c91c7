"""How statements reach PostgreSQL: connections that wait in a pool, plans that they keep, and what is asked directly.

A request sends a dozen statements. What begins a transaction is therefore asked without what a statement of its own
costs around it, and a connection is asked whether it is alive only when it has waited for a while.
"""

import secrets
import sys
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError

# A statement with this option may keep its plan on a connection, and save making it: up to a millisecond where a caller
# has a thousand scopes. The plan is for any values, under the settings that every reading transaction begins with.
PREPARED = {"prepared": True}
# The same in any transaction: for a statement that reads by the key of a table, which is one way under all settings.
KEEPS_PLAN = {"keeps plan": True}
# Marks a statement that reads megabytes of bytes, which take long to be written and read as text.
BINARY = {"binary": True}
# Marks a statement that cannot change who may read or do what: after others alone the database is asked whether it did.
CHANGES_NO_ACCESS = {"changes no access": True}
# Seconds after which a connection that waited is asked whether it is alive.
IDLE_SECONDS = 1.0

# Keys of what is known of a connection.
_IDLE_SINCE, _CHANGES = "idle since", "may have changed access"


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
    event.listen(engine, "do_execute_no_params", _execute_without_values)
    event.listen(engine, "checkin", _checked_in)

    @event.listens_for(engine, "checkout")
    def checked_out(connection: Any, record: Any, _proxy: object) -> None:
        idle = time.monotonic() - record.info.get(_IDLE_SINCE, time.monotonic())
        if idle > IDLE_SECONDS and not _is_alive(engine, connection):
            raise InvalidatePoolError  # the server went: all that wait are gone, and a new one is made

    if prepare:
        event.listen(engine, "connect", _hide_names)
    return engine


def ask_directly(connection: Connection, statement: str, values: Sequence[str] = ()) -> list[str | None] | None:
    """Send a statement past SQLAlchemy and psycopg's own machinery, at a fifth of the processor time; gives its one row
    as text. Without `values` (for $1, $2 …) it begins a transaction: several statements, and the row is the last one's.

    None if the connection is lost: whoever then sends a statement as usual gets the error, and the pool learns of it.
    Raises psycopg.Error for a statement that fails, RuntimeError where one would begin a transaction within another:
    PostgreSQL would go on with that one, under its settings.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the connection is not psycopg's")
    if _CHANGES in connection.info:
        connection.info[_CHANGES] = True
    if not values and raw.pgconn.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
        raise RuntimeError("the connection has a transaction already")
    try:
        if values:
            result = raw.pgconn.exec_params(statement.encode(), [value.encode() for value in values])
        else:
            result = raw.pgconn.exec_(statement.encode())
    except psycopg.OperationalError:
        return None
    if raw.pgconn.status != ConnStatus.OK:
        return None
    if result.status != ExecStatus.TUPLES_OK:
        raise error_from_result(result)
    found = (result.get_value(0, column) for column in range(result.nfields))
    return [None if value is None else value.decode() for value in found]


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
    record.info.pop(_CHANGES, None)
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
    """Send what may keep its plan; True tells SQLAlchemy that it was sent.

    Results of a statement marked BINARY come as PostgreSQL has them, and not as text.
    """
    options, info = context.execution_options, _info(context)
    if _CHANGES in info and not options.get("changes no access"):
        info[_CHANGES] = True
    if options.get("binary"):
        cursor.format = Format.BINARY
    # Other transactions have other settings, and a plan once kept is taken under all of them.
    keep = options.get("keeps plan") or (options.get("prepared") and options.get("postgresql_readonly"))
    if keep:
        cursor.execute(statement, parameters, prepare=True)
    return bool(keep)


def _execute_many(_cursor: Any, _statement: str, _parameters: Any, context: Any) -> None:
    _note_change(context)


def _execute_without_values(_cursor: Any, _statement: str, context: Any) -> None:
    _note_change(context)


def _note_change(context: Any) -> None:
    """What is sent in a way of its own has no mark that is believed."""
    info = _info(context)
    if _CHANGES in info:
        info[_CHANGES] = True
