"""PgBouncer in transaction mode before a test database, callers with a document each, and the ways a transaction ends
badly.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.db.session import Database, Signer, connect
from app.errors import DatabaseUnavailable
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Db
from tests.support.environment import free_port, real_part_missing
from tests.support.identities import signed_on
from tests.support.library_db import LibraryDb, allow

CALLERS = 64
ROUNDS = 40
POOL = 2
# Between two reads, in how many of a hundred; the other reads follow one another.
BREAKS = {
    "division by zero": 10,
    "constraint": 10,
    "serialization": 10,
    "rollback": 10,
    "poison": 10,
    "cancel": 2,
    "vanish": 4,
    "timeout": 1,
}


@contextlib.contextmanager
def pgbouncer(db: Db, tmp_path: Path) -> Iterator[str]:
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
        f"admin_users = clearance_app\npool_mode = transaction\ndefault_pool_size = {POOL}\nmax_client_conn = 200\n"
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
        process.send_signal(signal.SIGQUIT)  # at once; SIGTERM waits for clients that a failed test left behind
        process.wait(10)


@dataclass(frozen=True)
class Caller:
    """Somebody with one document that nobody else may read."""

    id: uuid.UUID
    title: str


@dataclass(frozen=True)
class Line:
    """The ways through the pooler, one of them with a short limit for statements, and what was broken on them."""

    url: str
    database: Database
    hasty: Database
    broken: Counter[str]

    @contextlib.contextmanager
    def raw(self) -> Iterator[psycopg.Connection]:
        """A client of its own, without ours between."""
        url = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with contextlib.closing(psycopg.connect(url, prepare_threshold=None)) as connection:
            yield connection

    def break_one(self, how: str, caller: Caller) -> None:
        """One transaction as this caller that comes to a bad end."""
        match how:
            case "division by zero":
                self._fail(caller, "select count(*), 1 / 0 from original", "division by zero")
            case "constraint":
                twice = "insert into conversation (id, user_id) values (:id, :user), (:id, :user)"
                self._fail(caller, twice, "duplicate key", id=uuid.uuid4(), user=caller.id)
            case "serialization":
                with pytest.raises(DatabaseUnavailable), self.database.writing(caller.id) as session:
                    session.execute(text("do $$ begin raise serialization_failure; end $$"))
            case "rollback":
                with pytest.raises(KeyError), self.database.writing(caller.id) as session:
                    session.execute(text("select count(*) from original"))
                    raise KeyError
            case "timeout":
                with pytest.raises(DatabaseUnavailable), self.hasty.reading(caller.id) as session:
                    session.execute(text("select pg_sleep(2)"))
            case "poison":
                with self.raw() as connection:
                    connection.execute("select set_config('clearance.identity', %s, false)", [sign(connection, caller)])
                    connection.commit()
            case "cancel":
                with self.raw() as connection, pytest.raises(psycopg.OperationalError):
                    identify(connection, caller)
                    threading.Timer(0.02, connection.cancel).start()
                    connection.execute("select pg_sleep(20)")
            case "vanish":
                with self.raw() as connection:
                    identify(connection, caller)
                    assert connection.execute("select title from original").fetchall() == [(caller.title,)]
                    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                        wire.shutdown(socket.SHUT_RDWR)

    def _fail(self, caller: Caller, statement: str, match: str, **values: object) -> None:
        with pytest.raises(DBAPIError, match=match), self.database.writing(caller.id) as session:
            session.execute(text(statement), values)


def sign(connection: psycopg.Connection, caller: Caller) -> str:
    """An identity as our process signs it, for the transaction that this connection is in."""
    return signed_on(connection, caller.id)


def identify(connection: psycopg.Connection, caller: Caller) -> None:
    """Begin a transaction as this caller."""
    connection.execute("select set_config('clearance.identity', %s, true)", [sign(connection, caller)])


def make_callers(library: LibraryDb, count: int = CALLERS) -> list[Caller]:
    """Callers, each with a document."""
    made = []
    for number in range(count):
        user = library.person(f"caller-{number}")
        title = f"document-{number}"
        library.document(
            library.collection(f"collection-{number}", allow("user", user)), title, f"Text number {number}."
        )
        made.append(Caller(user, title))
    return made


def rounds(line: Line, caller: Caller) -> list[list[str]]:
    """Read a few times as this caller, and often break a transaction before; gives the titles that each read saw."""
    dice = random.Random(str(caller.title))
    seen: list[list[str]] = []
    for _ in range(ROUNDS):
        how = dice.choices([*BREAKS, ""], weights=[*BREAKS.values(), 100 - sum(BREAKS.values())])[0]
        if how:
            line.break_one(how, caller)
            line.broken[how] += 1
        with line.database.reading(caller.id) as session:
            seen.append(list(session.scalars(text("select title from original"))))
    return seen


def through(url: str, *, timeout_ms: int, size: int = 16) -> Database:
    """The API's way to the database, through the pooler."""
    return Database(connect(url, pool_size=size), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=timeout_ms)


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
