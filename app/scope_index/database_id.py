"""Which database the lists are read from: a search process of another one would answer, and miss passages."""

import hashlib
import threading

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.session import connect
from app.errors import DatabaseUnavailable

# The number that a cluster and its standbys have for themselves; copies by dump and restore have others.
WHICH = text("select (pg_control_system()).system_identifier, current_database()")
# So long one waits for another who is asking already.
SECONDS = 1.0


class Identity:
    """A digest, 32 bytes, of the cluster's number and the database's name; asked when first needed, and kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: bytes | None = None

    def __call__(self) -> bytes:
        """Raises DatabaseUnavailable."""
        if self._known is None:
            if not self._lock.acquire(timeout=SECONDS):
                raise DatabaseUnavailable("The database does not answer; try again in a moment.")
            try:
                self._known = self._known or self._asked()
            finally:
                self._lock.release()
        return self._known

    def _asked(self) -> bytes:
        engine = connect(self._url, pool_size=1)
        try:
            with engine.connect() as connection:
                system, database = connection.execute(WHICH).one()
        except (DBAPIError, PoolTimeout) as error:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        finally:
            engine.dispose()
        return hashlib.sha256(f"{system} {database}".encode()).digest()
