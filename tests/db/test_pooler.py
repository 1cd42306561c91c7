"""Identity never bleeds from one caller to the next, also behind PgBouncer in transaction mode with two connections."""

import os
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from app.db.session import Database, Signer, connect
from app.errors import DatabaseUnavailable
from tests.conftest import IDENTITY_KEY, PASSWORDS, Db, real_part_missing
from tests.db.house import House, allow

CALLERS = 64
ROUNDS = 6
POOL = 2


@pytest.fixture
def pooler(db: Db, tmp_path: Path) -> Iterator[str]:
    """The URL of the app's database role through PgBouncer: transaction mode, two server connections."""
    program = shutil.which("pgbouncer")
    if program is None:
        real_part_missing("pgbouncer is not installed (Debian package pgbouncer)")
    assert program is not None
    target = make_url(db.url("app"))
    port = free_port()
    folder = tmp_path / "pooler"
    folder.mkdir()
    (folder / "users.txt").write_text(f'"clearance_app" "{PASSWORDS["clearance_app"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{db.name} = host=127.0.0.1 port={target.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = {POOL}\nmax_client_conn = 200\n"
    )
    for each in (*reversed(folder.parents[:-1]), folder):
        if each.is_relative_to(tmp_path.parents[1]):
            each.chmod(each.stat().st_mode | 0o011)
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    for file in folder.iterdir():
        file.chmod(0o644)
    folder.chmod(0o755)
    process = subprocess.Popen(
        [program, *as_nobody, str(folder / "pgbouncer.ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = target.set(port=port).render_as_string(hide_password=False)
        await_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_no_identity_bleeds_through_a_transaction_pooler(house: House, pooler: str) -> None:
    """64 callers, each with one document, with errors and time-outs between, see their own and nothing else."""
    callers = make_callers(house)
    database = through(pooler, timeout_ms=500)
    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(lambda caller: rounds(database, caller), callers * 2))
    database.engine.dispose()
    requests = sum(len(s) for s in seen)
    foreign = [title for (_, own), titles in zip(callers * 2, seen, strict=True) for title in titles if title != own]
    print(f"requests {requests}, foreign rows {len(foreign)}")
    assert requests == 2 * CALLERS * ROUNDS
    assert foreign == []


def test_a_poisoned_session_setting_shows_nothing(house: House, pooler: str) -> None:
    """Somebody leaves a session-level identity on every pooled server connection: the next caller does not get it."""
    callers = make_callers(house)
    victim = Signer(IDENTITY_KEY, seconds=60).sign(callers[0][0])
    raw = make_url(pooler).set(drivername="postgresql").render_as_string(hide_password=False)
    for _ in range(3 * POOL):
        with psycopg.connect(raw, prepare_threshold=None) as connection:
            connection.execute("select set_config('clearance.identity', %s, false)", [victim])
    database = through(pooler, timeout_ms=5_000)
    with database.anonymous() as session:
        assert session.scalar(text("select count(*) from original")) == 0
    with database.reading(callers[1][0]) as session:
        assert session.scalars(text("select title from original")).all() == [callers[1][1]]
    database.engine.dispose()


def test_session_level_identity_would_bleed(house: House, pooler: str) -> None:
    """The mutation: with set_config(…, false) instead of true, the next caller on the connection sees foreign rows."""
    callers = make_callers(house)
    raw = make_url(pooler).set(drivername="postgresql").render_as_string(hide_password=False)
    signer = Signer(IDENTITY_KEY, seconds=60)
    for user_id, _ in callers[:POOL]:
        with psycopg.connect(raw, prepare_threshold=None) as connection:
            connection.execute("select set_config('clearance.identity', %s, false)", [signer.sign(user_id)])
    with psycopg.connect(raw, prepare_threshold=None) as connection:
        row = connection.execute("select count(*) from original").fetchone()
    assert row is not None
    assert row[0] > 0


def make_callers(house: House) -> list[tuple[uuid.UUID, str]]:
    """Users with one document each, which nobody else may read: (id, title)."""
    made = []
    for number in range(CALLERS):
        user = house.person(f"caller-{number}")
        title = f"document-{number}"
        house.document(house.shelf(f"shelf-{number}", allow("user", user)), title, f"Text number {number}.")
        made.append((user, title))
    return made


def rounds(database: Database, caller: tuple[uuid.UUID, str]) -> list[str]:
    """Read a few times as this caller; between the reads, break a transaction in one of three ways."""
    dice = random.Random(str(caller[0]))
    seen: list[str] = []
    for _ in range(ROUNDS):
        broken = dice.choices(["error", "rollback", "none", "timeout"], weights=[4, 4, 4, 1])[0]
        if broken == "error":
            with pytest.raises(Exception, match="division by zero"), database.reading(caller[0]) as session:
                session.execute(text("select 1 / 0"))
        elif broken == "timeout":
            with pytest.raises(DatabaseUnavailable), database.reading(caller[0]) as session:
                session.execute(text("select pg_sleep(2)"))
        elif broken == "rollback":
            with pytest.raises(KeyError), database.writing(caller[0]) as session:
                session.execute(text("select count(*) from original"))
                raise KeyError
        with database.reading(caller[0]) as session:
            seen += list(session.scalars(text("select title from original")))
    return seen


def through(url: str, *, timeout_ms: int) -> Database:
    """The API's way to the database, through the pooler."""
    return Database(connect(url, pool_size=16), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=timeout_ms)


def await_ready(url: str) -> None:
    """Until the pooler answers."""
    raw = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    deadline = time.monotonic() + 15
    while True:
        try:
            psycopg.connect(raw, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
