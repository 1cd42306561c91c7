"""What `clearance doctor` looks at, one function for each part. Nothing here changes anything."""

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

from app.cli.doctor import model_route, parsers, replicas, reranker, scope_index
from app.cli.doctor.finding import Check, Finding
from app.cli.doctor.installation import Setup
from app.client.api import Client
from app.db.bootstrap import alembic_config, libpq
from app.db.rls_probe import OWN_SETTINGS, LockBroken, probe
from app.db.session import Database, Signer, connect
from app.embedding.factory import build_embedder
from app.embedding.protocol import UnusableWeights
from app.local.sample_people import ADMINISTRATOR_KEY, PEOPLE_FILE

OLDEST_JOB = dt.timedelta(minutes=5)
OLDEST_LEAF = dt.timedelta(seconds=60)
OLDEST_BEAT = dt.timedelta(seconds=60)
# A signed identity holds for a minute by the clock of the database: a service that is so far off sees nothing.
MAX_SKEW, NOTABLE_SKEW = 30.0, 3.0
MIN_DISK, LITTLE_DISK = 200 * 2**20, 2 * 2**30
PRIVATE = ("secrets.json", "run.json", "sample.json", PEOPLE_FILE, ADMINISTRATOR_KEY)


def files(home: Path) -> Iterator[Finding]:
    """What `clearance run` keeps is for its owner alone."""
    kept = [home / name for name in PRIVATE if (home / name).exists()]
    if not kept:
        return
    wide = [p for p in (home, *kept) if p.stat().st_mode & 0o077]
    if wide:
        names = ", ".join(f"{p} ({stat.filemode(p.stat().st_mode)})" for p in wide)
        mend = f"make new keys if others may have read them; then chmod go= {' '.join(map(str, wide))}"
        yield Finding("file modes", "fail", f"others can read {names}", mend)
    else:
        yield Finding("file modes", "ok", f"{home} is for its owner alone")


def service(setup: Setup) -> Iterator[Finding]:
    """The API answers, and what was started here still runs."""
    if setup.embedded and setup.instance is None:
        yield Finding("api", "fail", f"nothing runs from {setup.home}", "clearance run")
        return
    if not setup.api_url:
        yield Finding("api", "warn", "its address is not known here", "set CLEARANCE_URL")
        return
    with Client(setup.api_url, None) as client:
        if client.healthy():
            yield Finding("api", "ok", f"{setup.api_url} is ready")
        else:
            mend = f"see {setup.home / 'logs' / 'api.log'}" if setup.embedded else "see the log of the API"
            yield Finding("api", "fail", f"{setup.api_url}/readyz does not answer with 200", mend)


def database(setup: Setup) -> Iterator[Finding]:
    """Each database role reaches PostgreSQL, and is what it says."""
    for role in sorted(setup.urls):
        try:
            with _connected(setup, role) as connection:
                row = connection.execute(
                    "select current_user, current_setting('server_version'),"
                    " (select extversion from pg_extension where extname = 'vector'),"
                    " (select rolsuper from pg_roles where rolname = current_user)"
                ).fetchone()
        except psycopg.OperationalError as error:
            said = str(error).strip().splitlines()[-1]
            mend = "is PostgreSQL running, and is the password the one of the database? 'clearance init' sets it"
            yield Finding(f"database as {_short(role)}", "fail", f"{setup.host(role)}: {said}", mend)
            continue
        user, version, vector, powerful = row or (None, None, None, None)
        if user != role or powerful:
            mend = "use the URLs that 'clearance init' shows"
            yield Finding(f"database as {_short(role)}", "fail", f"the URL names {user}, not {role}", mend)
        elif vector is None:
            yield Finding(
                f"database as {_short(role)}", "fail", "the extension 'vector' is not there", "clearance init"
            )
        else:
            yield Finding(f"database as {_short(role)}", "ok", f"PostgreSQL {version}, pgvector {vector}")


def migrations(setup: Setup) -> Iterator[Finding]:
    """The tables are those of this version."""
    script = ScriptDirectory.from_config(alembic_config(""))
    wanted = script.get_current_head()
    role = next((r for r in ("clearance_owner", "clearance_backup") if r in setup.urls), "clearance_app")
    try:
        with _connected(setup, role) as connection:
            row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        yield Finding("migrations", "ok", "not for the services to see; 'clearance init' brings them up to date")
        return
    except psycopg.errors.UndefinedTable:
        row = None
    found = row[0] if row else None
    if found == wanted:
        yield Finding("migrations", "ok", f"at {found}, the newest")
    else:
        mend = "restart 'clearance run'" if setup.embedded else "clearance init"
        yield Finding("migrations", "fail", f"the database is at {found}, this version wants {wanted}", mend)


def lock(setup: Setup) -> Iterator[Finding]:
    """Row-level security: nobody sees nothing, the canary sees one row of each table."""
    engine = connect(setup.urls["clearance_app"], pool_size=1)
    identity = setup.settings.identity
    try:
        probe(Database(engine, Signer(identity.key.get_secret_value(), seconds=60), statement_timeout_ms=15_000))
    except LockBroken as broken:
        yield Finding("row-level security", "fail", str(broken), "do not serve anybody before this holds")
    else:
        yield Finding("row-level security", "ok", "nobody sees nothing, the canary sees one row of each table")
    finally:
        engine.dispose()


def role_settings(setup: Setup) -> Iterator[Finding]:
    """No database role brings settings of its own: each can give itself some, and its password, without being asked."""
    with _connected(setup, "clearance_app") as connection:
        found = connection.execute(OWN_SETTINGS).fetchall()
    if found:
        says = ", ".join(f"{_short(role)}: {setting}" for role, setting in found)
        mend = "find out who had that role's password, change it, and run 'clearance init': it removes them"
        yield Finding("database roles", "fail", f"settings that a role brings into each connection ({says})", mend)
    else:
        yield Finding("database roles", "ok", "none brings settings of its own")


def embedder(setup: Setup) -> Iterator[Finding]:
    """The weights are there, and are those the index was made with."""
    options = setup.settings.embedder
    try:
        found = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
    except (UnusableWeights, ModuleNotFoundError) as error:
        yield Finding(
            "embedder",
            "fail",
            str(error),
            "install the environment anew from its lock, or change CLEARANCE_EMBEDDER__KIND",
        )
        return
    with _connected(setup, "clearance_app") as connection:
        row = connection.execute("select embedder from index_profile").fetchone()
    if row is None:
        yield Finding("embedder", "ok", f"{options.kind}, {found.dimensions} dimensions; nothing is indexed yet")
    elif row[0] == found.digest:
        yield Finding("embedder", "ok", f"{options.kind}, {found.dimensions} dimensions, that of the index")
    else:
        mend = "use the embedder that made the index, or index the documents anew"
        yield Finding("embedder", "fail", f"the index was made with {row[0][:12]}…, this is {found.digest[:12]}…", mend)


def model(setup: Setup) -> Iterator[Finding]:
    """The language model says a word."""
    options = setup.settings.model
    headers = {"Authorization": f"Bearer {options.api_key.get_secret_value()}"}
    body = {"model": options.name, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 1}
    begin = time.monotonic()
    url = f"{options.base_url.rstrip('/')}/chat/completions"
    mend = "CLEARANCE_MODEL__BASE_URL, __NAME and __API_KEY name it; until it answers, answers are quotes"
    try:
        timeout = httpx2.Timeout(options.first_token_seconds, connect=options.connect_seconds)
        response = httpx2.post(url, json=body, headers=headers, timeout=timeout)
    except httpx2.TransportError as error:
        yield Finding("model", "fail", f"{options.base_url}: {error or type(error).__name__}", mend)
        return
    if response.is_success:
        took = time.monotonic() - begin
        yield Finding("model", "ok", f"{options.name} at {options.base_url}, {took:.1f} s for a word")
    else:
        yield Finding("model", "fail", f"{options.base_url} answers with HTTP status {response.status_code}", mend)


def worker(setup: Setup) -> Iterator[Finding]:
    """The worker's heart beats, and no upload waits for long."""
    if "clearance_ingest" not in setup.urls:
        yield Finding("worker", "warn", "CLEARANCE_DATABASE__INGEST_URL is not set here, so it was not looked at")
        return
    with _connected(setup, "clearance_ingest") as connection:
        beat = _one(connection, "select max(last_heartbeat) from procrastinate_workers")
        waiting, oldest, now = _row(
            connection,
            "select count(*), min(created_at), clock_timestamp() from ingest_job where state in ('queued', 'running')",
        )
    mend = f"see {setup.home / 'logs' / 'worker.log'}" if setup.embedded else "start it: python -m ingest"
    if beat is None or now - beat > OLDEST_BEAT:
        since = "never was one" if beat is None else f"the last heartbeat is {_ago(now - beat)} old"
        yield Finding("worker", "fail", f"no worker: {since}; {waiting} uploads wait", mend)
    elif waiting and now - oldest > OLDEST_JOB:
        yield Finding("worker", "warn", f"{waiting} uploads wait, the oldest for {_ago(now - oldest)}", mend)
    else:
        yield Finding("worker", "ok", f"alive, {waiting} uploads wait")


def sequencer(setup: Setup) -> Iterator[Finding]:
    """The audit log is put in order soon after it is written."""
    if "clearance_sequencer" not in setup.urls:
        yield Finding("audit", "warn", "CLEARANCE_DATABASE__SEQUENCER_URL is not set here, so it was not looked at")
        return
    with _connected(setup, "clearance_sequencer") as connection:
        count, oldest, now = _row(
            connection,
            "select count(*), min(l.at), clock_timestamp() from audit_leaf l"
            " where not exists (select 1 from audit_entry e where e.leaf_id = l.id)",
        )
        size = _one(connection, "select max(size) from audit_head")
    if count and now - oldest > OLDEST_LEAF:
        mend = f"see {setup.home / 'logs' / 'sequencer.log'}" if setup.embedded else "python -m app.sequencer_process"
        says = f"{count} records wait for their order, the oldest for {_ago(now - oldest)}: the sequencer does not run"
        yield Finding("audit", "fail", says, mend)
    else:
        yield Finding("audit", "ok", f"{size or 0} records in order, {count} on their way")


def disk(setup: Setup) -> Iterator[Finding]:
    """There is room for more."""
    if not setup.embedded:
        return
    free = shutil.disk_usage(setup.home).free
    state: Literal["ok", "warn", "fail"] = "fail" if free < MIN_DISK else "warn" if free < LITTLE_DISK else "ok"
    mend = "" if state == "ok" else f"make room where {setup.home} lies: a full disk stops PostgreSQL"
    yield Finding("disk", state, f"{free / 2**30:.1f} GiB free", mend)


def clock(setup: Setup) -> Iterator[Finding]:
    """This machine and the database agree on the time."""
    with _connected(setup, "clearance_app") as connection:
        before = dt.datetime.now(dt.UTC)
        there = _one(connection, "select clock_timestamp()")
        after = dt.datetime.now(dt.UTC)
    skew = max(0.0, (there - after).total_seconds(), (before - there).total_seconds())
    state: Literal["ok", "warn", "fail"] = "fail" if skew > MAX_SKEW else "warn" if skew > NOTABLE_SKEW else "ok"
    mend = "" if state == "ok" else "set both clocks by NTP: signed identities hold for a minute"
    yield Finding("clock", state, f"{skew:.1f} s from the clock of the database", mend)


CHECKS: dict[str, Check] = {
    "api": service,
    "database": database,
    "migrations": migrations,
    "row-level security": lock,
    "database roles": role_settings,
    "replicas": replicas.found,
    "search processes": scope_index.found,
    "embedder": embedder,
    "reranker": reranker.found,
    "model": model,
    "model route": model_route.found,
    "parsers": parsers.found,
    "worker": worker,
    "audit": sequencer,
    "disk": disk,
    "clock": clock,
}


@contextlib.contextmanager
def _connected(setup: Setup, role: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq(make_url(setup.urls[role])), connect_timeout=5, autocommit=True) as connection:
        yield connection


def _row(connection: psycopg.Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement.encode()).fetchone()
    return row or ()


def _one(connection: psycopg.Connection, statement: str) -> Any:
    return _row(connection, statement)[0]


def _short(role: str) -> str:
    return role.removeprefix("clearance_")


def _ago(age: dt.timedelta) -> str:
    seconds = int(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
