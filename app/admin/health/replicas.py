"""Checks the read replicas by a query on each, as a search would make it."""

from collections.abc import Iterator

from sqlalchemy import text

from app.admin.health.check_result import CheckResult, State
from app.db.engine import connect
from app.db.replicas import Replicas
from app.db.rls_probe import CANARY
from app.db.session import Database, Signer
from app.db.standby_engine import connect_standby
from app.settings import Settings

WAIT_MS = 1_000  # for a replica to catch up with the primary
TIMEOUT_MS = 15_000
OUTCOMES: dict[str, tuple[State, str, str]] = {
    "used": ("ok", "a standby of this database, and it keeps up", ""),
    "behind": (
        "warn",
        f"more than {WAIT_MS / 1000:.0f} s behind: searches go to the primary",
        "see its replication; on the primary wal_writer_delay = 10ms sends sooner",
    ),
    "skewed": (
        "warn",
        "its clock and the primary's differ: searches go to the primary",
        "see its time synchronisation, and the primary's",
    ),
    "unfit": (
        "fail",
        "no standby of this database any more, or for another database role: searches go to the primary",
        "use the URL of CLEARANCE_DATABASE__APP_URL with the host of a standby that follows it; after a failover it is "
        "used from its next restart point on",
    ),
    "unreachable": (
        "fail",
        "it does not answer: searches go to the primary",
        "is it running, and is it a hot standby?",
    ),
    "busy": ("warn", "no connection was free: searches go to the primary", ""),
    "lost": ("warn", "it gave a search up: the primary answered", "see its log; hot_standby_feedback = on may help"),
}


def check_replicas(settings: Settings, url: str) -> Iterator[CheckResult]:
    """A result for each replica, in the order of the setting; `url` is the primary's.

    Raises DatabaseUnavailable if the primary is down.
    """
    signer = Signer(settings.identity.key.get_secret_value(), seconds=60)
    for number, standby in enumerate(settings.database.standbys(), 1):
        engine = connect_standby(standby, pool_size=1, statement_timeout_ms=TIMEOUT_MS)
        replicas = Replicas([engine], wait_ms=WAIT_MS)
        primary = connect(url, pool_size=1)
        database = Database(primary, signer, statement_timeout_ms=TIMEOUT_MS, replicas=replicas)
        try:
            database.retrieve(CANARY, lambda session: session.execute(text("select 1")))
            outcome = replicas.counts()[-1].outcome
        finally:
            database.close()
        yield CheckResult(f"replica {number}", *OUTCOMES[outcome])
