"""The checks of `clearance doctor`, one function for each part. None changes anything."""

import contextlib
import datetime as dt
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import httpx2
import psycopg
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from app.cli.doctor import model_context, model_route, pair_models, parsers, providers, replicas, scope_index
from app.cli.doctor.check_result import Check, CheckResult
from app.cli.doctor.installation import Installation
from app.client.api import Client
from app.db.bootstrap import alembic_config, libpq
from app.db.rls_probe import OWN_SETTINGS, RowLevelSecurityBroken, probe
from app.db.session import Database, Signer, connect
from app.embedding.factory import build_embedder
from app.embedding.protocol import UnusableWeights
from app.local.sample_people import ADMINISTRATOR_KEY, PEOPLE_FILE

MAX_JOB_AGE = dt.timedelta(minutes=5)
MAX_LEAF_AGE = dt.timedelta(seconds=60)
MAX_HEARTBEAT_AGE = dt.timedelta(seconds=60)
# Seconds. A signed identity is valid for a minute by the database's clock; a service that is further off sees no row.
MAX_SKEW, LARGE_SKEW = 30.0, 3.0
MIN_DISK, LOW_DISK = 200 * 2**20, 2 * 2**30
PRIVATE_FILES = ("secrets.json", "run.json", "sample.json", PEOPLE_FILE, ADMINISTRATOR_KEY)


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
    script = ScriptDirectory.from_config(alembic_config(""))
    expected = script.get_current_head()
    role = next((r for r in ("clearance_owner", "clearance_backup") if r in installation.urls), "clearance_app")
    try:
        with _connect(installation, role) as connection:
            row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        yield CheckResult("migrations", "ok", "not for the services to see; 'clearance init' brings them up to date")
        return
    except psycopg.errors.UndefinedTable:
        row = None
    current = row[0] if row else None
    if current == expected:
        yield CheckResult("migrations", "ok", f"at {current}, the newest")
    else:
        mend = "restart 'clearance run'" if installation.embedded else "clearance init"
        yield CheckResult("migrations", "fail", f"the database is at {current}, this version wants {expected}", mend)


def check_row_level_security(installation: Installation) -> Iterator[CheckResult]:
    """Without an identity no row is visible; the canary identity sees one row of each table."""
    engine = connect(installation.urls["clearance_app"], pool_size=1)
    identity = installation.settings.identity
    try:
        probe(Database(engine, Signer(identity.key.get_secret_value(), seconds=60), statement_timeout_ms=15_000))
    except RowLevelSecurityBroken as broken:
        yield CheckResult("row-level security", "fail", str(broken), "do not serve anybody before this holds")
    else:
        yield CheckResult("row-level security", "ok", "nobody sees nothing, the canary sees one row of each table")
    finally:
        engine.dispose()


def check_role_settings(installation: Installation) -> Iterator[CheckResult]:
    """No database role has settings of its own, which each role can give itself, as it can change its password."""
    with _connect(installation, "clearance_app") as connection:
        settings = connection.execute(OWN_SETTINGS).fetchall()
    if settings:
        text = ", ".join(f"{_short_name(role)}: {setting}" for role, setting in settings)
        mend = "find out who had that role's password, change it, and run 'clearance init': it removes them"
        yield CheckResult("database roles", "fail", f"settings that a role brings into each connection ({text})", mend)
    else:
        yield CheckResult("database roles", "ok", "none brings settings of its own")


def check_embedder(installation: Installation) -> Iterator[CheckResult]:
    """The embedder loads, and is the one the index was made with."""
    options = installation.settings.embedder
    try:
        built = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
    except (UnusableWeights, ModuleNotFoundError) as error:
        yield CheckResult(
            "embedder",
            "fail",
            str(error),
            "install the environment anew from its lock, or change CLEARANCE_EMBEDDER__KIND",
        )
        return
    with _connect(installation, "clearance_app") as connection:
        row = connection.execute("select embedder from index_profile").fetchone()
    if row is None:
        yield CheckResult("embedder", "ok", f"{options.kind}, {built.dimensions} dimensions; nothing is indexed yet")
    elif row[0] == built.digest:
        yield CheckResult("embedder", "ok", f"{options.kind}, {built.dimensions} dimensions, that of the index")
    else:
        mend = "use the embedder that made the index, or index the documents anew"
        yield CheckResult(
            "embedder", "fail", f"the index was made with {row[0][:12]}…, this is {built.digest[:12]}…", mend
        )


def check_model(installation: Installation) -> Iterator[CheckResult]:
    """The language model answers with one token."""
    options = installation.settings.model
    headers = {"Authorization": f"Bearer {options.api_key.get_secret_value()}"}
    body = {"model": options.name, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 1}
    begin = time.monotonic()
    url = f"{options.base_url.rstrip('/')}/chat/completions"
    mend = "CLEARANCE_MODEL__BASE_URL, __NAME and __API_KEY name it; until it answers, answers are quotes"
    try:
        timeout = httpx2.Timeout(options.first_token_seconds, connect=options.connect_seconds)
        response = httpx2.post(url, json=body, headers=headers, timeout=timeout)
    except httpx2.TransportError as error:
        yield CheckResult("model", "fail", f"{options.base_url}: {error or type(error).__name__}", mend)
        return
    if response.is_success:
        seconds = time.monotonic() - begin
        yield CheckResult("model", "ok", f"{options.name} at {options.base_url}, {seconds:.1f} s for a word")
    else:
        yield CheckResult("model", "fail", f"{options.base_url} answers with HTTP status {response.status_code}", mend)


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
    if heartbeat is None or now - heartbeat > MAX_HEARTBEAT_AGE:
        since = "never was one" if heartbeat is None else f"the last heartbeat is {_format_age(now - heartbeat)} old"
        yield CheckResult("worker", "fail", f"no worker: {since}; {waiting} uploads wait", mend)
    elif waiting and now - oldest > MAX_JOB_AGE:
        yield CheckResult("worker", "warn", f"{waiting} uploads wait, the oldest for {_format_age(now - oldest)}", mend)
    else:
        yield CheckResult("worker", "ok", f"alive, {waiting} uploads wait")


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
    if count and now - oldest > MAX_LEAF_AGE:
        log = installation.home / "logs" / "sequencer.log"
        mend = f"see {log}" if installation.embedded else "python -m app.sequencer_process"
        waiting = f"{count} records wait for their order, the oldest for {_format_age(now - oldest)}"
        yield CheckResult("audit", "fail", f"{waiting}: the sequencer does not run", mend)
    else:
        yield CheckResult("audit", "ok", f"{size or 0} records in order, {count} on their way")


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
    skew = max(0.0, (database_time - after).total_seconds(), (before - database_time).total_seconds())
    state: Literal["ok", "warn", "fail"] = "fail" if skew > MAX_SKEW else "warn" if skew > LARGE_SKEW else "ok"
    mend = "" if state == "ok" else "set both clocks by NTP: signed identities hold for a minute"
    yield CheckResult("clock", state, f"{skew:.1f} s from the clock of the database", mend)


CHECKS: dict[str, Check] = {
    "api": check_api,
    "database": check_database,
    "migrations": check_migrations,
    "row-level security": check_row_level_security,
    "database roles": check_role_settings,
    "replicas": replicas.check_replicas,
    "search processes": scope_index.check_search_processes,
    "embedder": check_embedder,
    "reranker": pair_models.check_reranker,
    "entailment": pair_models.check_entailment,
    "model": check_model,
    "model route": model_route.check_model_route,
    "model context": model_context.check_model_context,
    "providers": providers.check_providers,
    "parsers": parsers.check_parsers,
    "worker": check_worker,
    "audit": check_sequencer,
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


def _format_age(age: dt.timedelta) -> str:
    seconds = int(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
