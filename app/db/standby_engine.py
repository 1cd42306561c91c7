"""Engines for standbys: one that is silent is given up, so that the primary can answer in its place."""

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import OperationalError
from sqlalchemy import Engine, create_engine, event

# So many whole seconds a standby may take to connect, to say that it is there, and how far it is.
LOOK_SECONDS = 2
# How much longer than the statement limit a statement may take: the server ends it before, unless it hangs.
GRACE_SECONDS = 1.0


class Impatient(psycopg.Connection[Any]):
    """A connection that is closed when the server is silent: TCP alone does not notice a server that hangs."""

    statement_seconds: float = LOOK_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As it is in psycopg; raises OperationalError when the time is over."""
        # In autocommit are the pool's ping and the look at how far it is; what a search reads is in a transaction.
        limit = LOOK_SECONDS if self.autocommit else self.statement_seconds
        try:
            return super().wait(gen, interval, limit if timeout is None else timeout)
        except OperationalError:
            # The answer could still come, and would be taken for that to another question.
            if self.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect_standby(url: str, *, pool_size: int, statement_timeout_ms: int) -> Engine:
    """An engine as `connect` makes one, that waits for nothing long: not for a connection, nor for an answer."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=0.05,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": LOOK_SECONDS,
            "tcp_user_timeout": 1000 * LOOK_SECONDS,
        },
    )

    @event.listens_for(engine, "do_connect")
    def connected(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Impatient:
        made = Impatient.connect(*arguments, **options)
        made.statement_seconds = statement_timeout_ms / 1000 + GRACE_SECONDS
        return made

    return engine
