"""Engines for standbys that drop a silent server, so that the primary can answer in its place."""

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import OperationalError
from sqlalchemy import Engine, create_engine, event

# Whole seconds that a standby may take to connect, to answer a ping, and to report its position.
PROBE_TIMEOUT = 2
# Seconds that we wait beyond the statement limit: the server ends a statement before that, unless it hangs.
GRACE_PERIOD = 1.0


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer in time: TCP does not notice one that hangs."""

    statement_seconds: float = PROBE_TIMEOUT

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As in psycopg, with a limit; raises OperationalError when it is over."""
        # The pool's ping and the question for the position run in autocommit; what a search reads, in a transaction.
        limit = PROBE_TIMEOUT if self.autocommit else self.statement_seconds
        try:
            return super().wait(gen, interval, limit if timeout is None else timeout)
        except OperationalError:
            # A late answer would be taken for the answer to the next statement.
            if self.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect_standby(url: str, *, pool_size: int, statement_timeout_ms: int) -> Engine:
    """An engine like that of `connect`, with short limits for getting a connection and for every answer."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=0.05,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": PROBE_TIMEOUT,
            "tcp_user_timeout": 1000 * PROBE_TIMEOUT,
        },
    )

    @event.listens_for(engine, "do_connect")
    def connected(
        _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> TimeoutConnection:
        made = TimeoutConnection.connect(*arguments, **options)
        made.statement_seconds = statement_timeout_ms / 1000 + GRACE_PERIOD
        return made

    return engine
