"""The checks of `clearance doctor`, one function for each part. None changes anything."""

import contextlib
import datetime as dt
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import make_url

from app.admin.health import database as databases
from app.admin.health import model, processes, search_processes
from app.admin.health.check_result import CheckResult
from app.admin.health.providers import check_providers
from app.admin.health.replicas import check_replicas
from app.audit.delivery.addresses import DeliveryAddress
from app.cli.doctor import pair_models, parsers
from app.cli.doctor.installation import Installation
from app.client.api import Client
from app.db.bootstrap import libpq
from app.db.engine import connect
from app.db.rls_probe import OWN_SETTINGS
from app.db.session import Database, Signer
from app.embedding.factory import build_embedder
from app.embedding.protocol import EmbeddingModel, UnusableWeights
from app.local.sample_people import ADMINISTRATOR_KEY, PEOPLE_FILE
from app.local.signing_key import FILE as SIGNING_KEY_FILE
from app.settings import Settings

Check = Callable[[Installation], Iterator[CheckResult]]
MIN_DISK, LOW_DISK = 200 * 2**20, 2 * 2**30
PRIVATE_FILES = ("secrets.json", SIGNING_KEY_FILE, "run.json", "sample.json", PEOPLE_FILE, ADMINISTRATOR_KEY)


def check_file_modes(home: Path) -> Iterator[CheckResult]:
    """Nobody but the owner can read the files of `clearance run`."""
    existing = [home / name for name in PRIVATE_FILES if (home / name).exists()]
    if not existing:
        return
    readable = [p for p in (home, *existing) if p.stat().st_mode & 0o077]
    if readable:
        names = ", ".join(f"{p} ({stat.filemode(p.stat().st_mode)})" for p in readable)
        mend = f"make new keys if others may have read them; then chmod go= {' '.join(map(str, readable))}"
        yield CheckResult("file modes", "fail", f"others can read {names}", mend)
    else:
        yield CheckResult("file modes", "ok", f"{home} is for its owner alone")


def check_api(installation: Installation) -> Iterator[CheckResult]:
    """The API is ready; an instance that was started here still runs."""
    if installation.embedded and installation.instance is None:
        yield CheckResult("api", "fail", f"nothing runs from {installation.home}", "clearance run")
        return
    if not installation.api_url:
        yield CheckResult("api", "warn", "its address is not known here", "set CLEARANCE_URL")
        return
    with Client(installation.api_url, None) as client:
        if client.healthy():
            yield CheckResult("api", "ok", f"{installation.api_url} is ready")
        else:
            mend = (
                f"see {installation.home / 'logs' / 'api.log'}" if installation.embedded else "see the log of the API"
            )
            yield CheckResult("api", "fail", f"{installation.api_url}/readyz does not answer with 200", mend)


def check_database(installation: Installation) -> Iterator[CheckResult]:
    """Each database role can log in, is the role that its URL names, and is no superuser; pgvector is installed."""
    for role in sorted(installation.urls):
        try:
            with _connect(installation, role) as connection:
                row = connection.execute(
                    "select current_user, current_setting('server_version'),"
                    " (select extversion from pg_extension where extname = 'vector'),"
                    " (select rolsuper from pg_roles where rolname = current_user)"
                ).fetchone()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            mend = "is PostgreSQL running, and is the password the one of the database? 'clearance init' sets it"
            yield CheckResult(f"database as {_short_name(role)}", "fail", f"{installation.host(role)}: {reason}", mend)
            continue
        user, version, vector, is_superuser = row or (None, None, None, None)
        if user != role or is_superuser:
            mend = "use the URLs that 'clearance init' shows"
            yield CheckResult(f"database as {_short_name(role)}", "fail", f"the URL names {user}, not {role}", mend)
        elif vector is None:
            yield CheckResult(
                f"database as {_short_name(role)}", "fail", "the extension 'vector' is not there", "clearance init"
            )
        else:
            yield CheckResult(f"database as {_short_name(role)}", "ok", f"PostgreSQL {version}, pgvector {vector}")


def check_migrations(installation: Installation) -> Iterator[CheckResult]:
    """The database is at the newest migration."""
    role = next((r for r in ("clearance_owner", "clearance_backup") if r in installation.urls), "clearance_app")
    try:
        with _connect(installation, role) as connection:
            row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        yield CheckResult("migrations", "ok", "not for the services to see; 'clearance init' brings them up to date")
        return
    except psycopg.errors.UndefinedTable:
        row = None
    mend = "restart 'clearance run'" if installation.embedded else "clearance init"
    yield databases.check_revision(row[0] if row else None, mend)


def check_row_level_security(installation: Installation) -> Iterator[CheckResult]:
    """Without an identity no row is visible; the canary identity sees one row of each table."""
    engine = connect(installation.urls["clearance_app"], pool_size=1)
    signer = Signer(installation.settings.identity.key.get_secret_value(), seconds=60)
    try:
        yield from databases.check_row_level_security(Database(engine, signer, statement_timeout_ms=15_000))
    finally:
        engine.dispose()


def check_role_settings(installation: Installation) -> Iterator[CheckResult]:
    """No database role has settings of its own, which each role can give itself, as it can change its password."""
    with _connect(installation, "clearance_app") as connection:
        yield databases.check_role_settings(connection.execute(OWN_SETTINGS).fetchall())


def check_embedder(installation: Installation) -> Iterator[CheckResult]:
    """The embedder loads, and is the one the index was made with."""
    try:
        built = _embedder(installation)
    except (UnusableWeights, ModuleNotFoundError) as error:
        mend = "install the environment anew from its lock, or change CLEARANCE_EMBEDDER__KIND"
        yield CheckResult("embedder", "fail", str(error), mend)
        return
    with _connect(installation, "clearance_app") as connection:
        row = connection.execute("select embedder from index_profile").fetchone()
    kind = installation.settings.embedder.kind
    yield databases.check_index(kind, built.dimensions, built.digest, row[0] if row else None)


def _embedder(installation: Installation) -> EmbeddingModel:
    options = installation.settings.embedder
    return build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)


def check_search_processes(installation: Installation) -> Iterator[CheckResult]:
    """Each of them answers, where there are any."""
    lists = installation.settings.lists
    if lists.addresses:
        url = installation.urls["clearance_app"]
        yield from search_processes.check_search_processes(lists, url, _embedder(installation).dimensions)


def check_worker(installation: Installation) -> Iterator[CheckResult]:
    """The worker's last heartbeat is recent, and no upload has waited for long."""
    if "clearance_ingest" not in installation.urls:
        yield CheckResult("worker", "warn", "CLEARANCE_DATABASE__INGEST_URL is not set here, so it was not looked at")
        return
    with _connect(installation, "clearance_ingest") as connection:
        heartbeat = _value(connection, "select max(last_heartbeat) from procrastinate_workers")
        waiting, oldest, now = _row(
            connection,
            "select count(*), min(created_at), clock_timestamp() from ingest_job where state in ('queued', 'running')",
        )
    log = installation.home / "logs" / "worker.log"
    mend = f"see {log}" if installation.embedded else "start it: python -m ingest"
    yield processes.check_worker(heartbeat, waiting, oldest, now, mend)


# As `clearance.process_states` says it to an administrator of the service.
SIGNATURES = """
    select s.entries, s.signed,
      (select h.at from audit_head h where h.size > coalesce(s.signed, 0) order by h.size limit 1), s.cosigned,
      (select c.at from audit_checkpoint c where c.size > s.cosigned order by c.size limit 1), s.stamped,
      (select c.at from audit_checkpoint c where c.size > s.stamped order by c.size limit 1)
    from (select (select max(size) from audit_head) as entries, (select max(size) from audit_checkpoint) as signed,
      (select max(size) from audit_cosignature) as cosigned, (select max(size) from audit_timestamp) as stamped) as s
"""

DELIVERIES = (
    "select target, waiting, waiting_since, error, dead_letters from clearance.delivery_states() where configured"
)


def check_sequencer(installation: Installation) -> Iterator[CheckResult]:
    """The sequencer appends new audit records to the log soon after they are written."""
    if "clearance_sequencer" not in installation.urls:
        yield CheckResult("audit", "warn", "CLEARANCE_DATABASE__SEQUENCER_URL is not set here, so it was not looked at")
        return
    with _connect(installation, "clearance_sequencer") as connection:
        count, oldest, now = _row(
            connection,
            "select count(*), min(l.at), clock_timestamp() from audit_leaf l"
            " where not exists (select 1 from audit_entry e where e.leaf_id = l.id)",
        )
        size = _value(connection, "select max(size) from audit_head")
        signatures = processes.SignatureState(*_row(connection, SIGNATURES))
    log = installation.home / "logs" / "sequencer.log"
    mend = f"see {log}" if installation.embedded else "python -m app.sequencer_process"
    age = now - oldest if count else None
    yield processes.check_sequencer(f"{count} records", age, f"{size or 0} records in order, ", mend)
    yield processes.check_signatures(signatures, now)


def check_deliveries(installation: Installation) -> Iterator[CheckResult]:
    """The log reaches each target of its delivery soon, where there are any."""
    audit = installation.settings.audit
    named = [address.name for address in DeliveryAddress.parse_all(audit.deliveries)]
    if "clearance_delivery" not in installation.urls:
        if named:
            says = "CLEARANCE_DATABASE__DELIVERY_URL is not set here, so it was not looked at"
            yield CheckResult("delivery", "warn", says)
        return
    with _connect(installation, "clearance_delivery") as connection:
        rows = connection.execute(DELIVERIES).fetchall()
        now = _value(connection, "select clock_timestamp()")
    log = installation.home / "logs" / "delivery.log"
    mend = f"see {log}" if installation.embedded else "start it: python -m app.delivery_process"
    lags, limit = (processes.DeliveryLag(*row) for row in rows), dt.timedelta(seconds=audit.delivery_lag_seconds)
    yield from processes.check_deliveries(named, lags, now, limit, mend)


def check_disk(installation: Installation) -> Iterator[CheckResult]:
    """The disk of an instance that runs here has free space."""
    if not installation.embedded:
        return
    free = shutil.disk_usage(installation.home).free
    state: Literal["ok", "warn", "fail"] = "fail" if free < MIN_DISK else "warn" if free < LOW_DISK else "ok"
    mend = "" if state == "ok" else f"make room where {installation.home} lies: a full disk stops PostgreSQL"
    yield CheckResult("disk", state, f"{free / 2**30:.1f} GiB free", mend)


def check_clock(installation: Installation) -> Iterator[CheckResult]:
    """This machine's clock and the database's differ little."""
    with _connect(installation, "clearance_app") as connection:
        before = dt.datetime.now(dt.UTC)
        database_time = _value(connection, "select clock_timestamp()")
        after = dt.datetime.now(dt.UTC)
    yield databases.check_clock(before, database_time, after)


def of_settings(check: Callable[[Settings, str], Iterator[CheckResult]]) -> Check:
    """A check of an installation that takes its settings and the URL of the API's database role."""
    return lambda installation: check(installation.settings, installation.urls["clearance_app"])


CHECKS: dict[str, Check] = {
    "api": check_api,
    "database": check_database,
    "migrations": check_migrations,
    "row-level security": check_row_level_security,
    "database roles": check_role_settings,
    "replicas": of_settings(check_replicas),
    "search processes": check_search_processes,
    "embedder": check_embedder,
    "reranker": pair_models.check_reranker,
    "entailment": pair_models.check_entailment,
    "model": lambda installation: model.check_model(installation.settings.model),
    "model route": lambda installation: model.check_model_route(installation.settings.model),
    "model context": lambda installation: model.check_model_context(installation.settings),
    "providers": of_settings(check_providers),
    "parsers": parsers.check_parsers,
    "worker": check_worker,
    "audit": check_sequencer,
    "deliveries": check_deliveries,
    "disk": check_disk,
    "clock": check_clock,
}


@contextlib.contextmanager
def _connect(installation: Installation, role: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq(make_url(installation.urls[role])), connect_timeout=5, autocommit=True) as connection:
        yield connection


def _row(connection: psycopg.Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement.encode()).fetchone()
    return row or ()


def _value(connection: psycopg.Connection, statement: str) -> Any:
    return _row(connection, statement)[0]


def _short_name(role: str) -> str:
    return role.removeprefix("clearance_")
