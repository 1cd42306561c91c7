"""The checks that a running service makes of itself, with its own rights, for an administrator."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.admin.directories import list_directories
from app.admin.health import database as databases
from app.admin.health import processes
from app.admin.health.check_result import CheckResult
from app.admin.health.model import check_model, check_model_context, check_model_route
from app.admin.health.providers import check_providers
from app.admin.health.replicas import check_replicas
from app.admin.health.search_processes import check_search_processes
from app.audit.delivery.addresses import DeliveryAddress
from app.db.paging import Page
from app.db.rls_probe import OWN_SETTINGS
from app.db.session import Database
from app.embedding.protocol import EmbeddingModel
from app.errors import DatabaseUnavailable
from app.identity.subject import Capability, Subject, require_capability
from app.settings import AuditSettings, Settings, required

# A check that takes longer than this is a result of it.
SECONDS = 10.0
MANY = 500
# As many of the newest records are looked at (health.sql).
RECORDS_LOOKED_AT = 1_000
PROCESS_STATES = text("select * from clearance.process_states()")
DELIVERY_STATES = text("select * from clearance.delivery_states()")
ABOUT = text(
    "select current_setting('server_version') as version, clock_timestamp() as at,"
    " (select extversion from pg_extension where extname = 'vector') as vector,"
    " (select embedder from index_profile) as embedder"
)
Check = Callable[[], Iterable[CheckResult]]


@dataclass(frozen=True)
class ServiceParts:
    """What is checked: the parts of this process, and the settings that name the others."""

    settings: Settings
    database: Database
    embedder: EmbeddingModel


def check_service(subject: Subject, parts: ServiceParts, *, seconds: float = SECONDS) -> list[CheckResult]:
    """The state of every part (administer), the checks at once and each for so long at most. Changes nothing."""
    require_capability(subject, Capability.ADMINISTER)
    checks = _checks(subject, parts, seconds)
    pool = ThreadPoolExecutor(len(checks), "health")
    try:
        deadline = time.monotonic() + seconds
        running = {name: pool.submit(_results, name, check) for name, check in checks.items()}
        return [result for name, future in running.items() for result in _wait(name, future, deadline, seconds)]
    finally:
        # What hangs ends by its own limits; nobody waits for it.
        pool.shutdown(wait=False, cancel_futures=True)


def _checks(subject: Subject, parts: ServiceParts, seconds: float) -> Mapping[str, Check]:
    settings = parts.settings
    url = required(settings.database.app_url, "CLEARANCE_DATABASE__APP_URL")
    return {
        "database": lambda: _check_database(subject, parts),
        "row-level security": lambda: databases.check_row_level_security(parts.database),
        "replicas": lambda: check_replicas(settings, url),
        "search processes": lambda: check_search_processes(settings.lists, url, parts.embedder.dimensions),
        "model": lambda: check_model(settings.model, seconds=seconds),
        "model route": lambda: check_model_route(settings.model),
        "model context": lambda: check_model_context(settings),
        "providers": lambda: check_providers(settings, url),
    }


def _results(name: str, check: Check) -> list[CheckResult]:
    try:
        return list(check())
    except DatabaseUnavailable:
        return [CheckResult(name, "fail", "not to be seen while the database does not answer")]
    except Exception as error:  # noqa: BLE001  # an error in a check is a result of it; its words may hold a secret
        return [CheckResult(name, "fail", f"the check itself failed: {type(error).__name__}")]


def _wait(name: str, future: Future[list[CheckResult]], deadline: float, seconds: float) -> list[CheckResult]:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except TooSlow:
        return [CheckResult(name, "fail", f"no answer within {seconds:.0f} s")]


def _check_database(subject: Subject, parts: ServiceParts) -> Iterator[CheckResult]:
    """The database itself, and what the other processes leave in it."""
    with parts.database.reading(subject.user_id) as session:
        before = dt.datetime.now(dt.UTC)
        about = session.execute(ABOUT).one()
        after = dt.datetime.now(dt.UTC)
        yield CheckResult("database", "ok", f"PostgreSQL {about.version}, pgvector {about.vector}")
        yield databases.check_clock(before, about.at, after)
        yield databases.check_role_settings((row[0], row[1]) for row in session.execute(text(OWN_SETTINGS)))
        kind, embedder = parts.settings.embedder.kind, parts.embedder
        yield databases.check_index(kind, embedder.dimensions, embedder.digest, about.embedder)
        yield from _check_processes(session)
        yield from _check_deliveries(session, parts.settings.audit)
        yield from processes.check_directories(list_directories(session, subject, Page(limit=MANY)))


def _check_deliveries(session: Session, audit: AuditSettings) -> Iterator[CheckResult]:
    """What is delivered, and what the settings say should be."""
    states = list(session.execute(DELIVERY_STATES))
    lags = [
        processes.DeliveryLag(each.target, each.waiting, each.waiting_since, each.error, each.dead_letters)
        for each in states
        if each.configured
    ]
    named = [address.name for address in DeliveryAddress.parse_all(audit.deliveries)]
    now = states[0].at if states else dt.datetime.now(dt.UTC)
    limit = dt.timedelta(seconds=audit.delivery_lag_seconds)
    yield from processes.check_deliveries(named, lags, now, limit, "does it run? python -m app.delivery_process")


def _check_processes(session: Session) -> Iterator[CheckResult]:
    state = session.execute(PROCESS_STATES).one_or_none()
    if state is None:
        raise DatabaseUnavailable
    yield databases.check_revision(state.revision, "clearance init")
    yield processes.check_worker(
        state.heartbeat, state.uploads, state.oldest_upload, state.at, "start it: python -m ingest"
    )
    # Where more wait than are looked at, the last that was put in order tells since when.
    full = state.records == RECORDS_LOOKED_AT
    oldest = state.ordered_at if full and state.ordered_at is not None else state.oldest_record
    waiting = f"{'more than ' if full else ''}{state.records} records"
    age = None if oldest is None or not state.records else state.at - oldest
    yield processes.check_sequencer(waiting, age, "", "start it: python -m app.sequencer_process")
    yield processes.check_signatures(
        processes.SignatureState(
            state.entries,
            state.signed,
            state.unsigned_since,
            state.cosigned,
            state.uncosigned_since,
            state.stamped,
            state.unstamped_since,
        ),
        state.at,
    )
