"""Identifies the database of the scope index: a search process of another one would answer and miss passages."""

import hashlib
import threading

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.engine import connect
from app.errors import DatabaseUnavailable

# A cluster and its standbys share this number; a copy by dump and restore has another.
CLUSTER_AND_DATABASE = text("select (pg_control_system()).system_identifier, current_database()")
# Seconds to wait for a lookup that another thread has started.
LOCK_TIMEOUT = 1.0


class DatabaseIdentity:
    """A digest, 32 bytes, of the cluster's number and the database's name; queried when first needed, then kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: bytes | None = None

    def __call__(self) -> bytes:
        """Raises DatabaseUnavailable."""
        if self._known is None:
            if not self._lock.acquire(timeout=LOCK_TIMEOUT):
                raise DatabaseUnavailable("The database does not answer; try again in a moment.")
            try:
                self._known = self._known or self._query()
            finally:
                self._lock.release()
        return self._known

    def _query(self) -> bytes:
        engine = connect(self._url, pool_size=1)
        try:
            with engine.connect() as connection:
                system, database = connection.execute(CLUSTER_AND_DATABASE).one()
        except (DBAPIError, PoolTimeout) as error:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        finally:
            engine.dispose()
        return hashlib.sha256(f"{system} {database}".encode()).digest()
