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
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import make_url, text

from app.db.bootstrap import libpq
from app.db.engine import connect
from app.db.session import Database, Signer
from app.errors import DatabaseUnavailable
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Db, answers
from tests.support.environment import free_port, real_part_missing
from tests.support.identities import signed_on
from tests.support.library_db import LibraryDb, allow, check_refused
from tests.support.sealing import SEALER
from tests.support.waiting import wait_for

CALLERS = 64
ROUNDS = 20
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
def started(db: Db, tmp_path: Path) -> Iterator[str]:
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
        url = target.set(port=port)
        wait_for(lambda: answers(libpq(url)), child=process)
        yield url.render_as_string(hide_password=False)
    finally:
        process.send_signal(signal.SIGQUIT)  # at once; SIGTERM waits for clients that a failed test left behind
        process.wait(10)


class Caller(NamedTuple):
    """Somebody with one document that nobody else may read."""

    id: uuid.UUID
    title: str


@contextlib.contextmanager
def raw(url: str, caller: Caller | None = None) -> Iterator[psycopg.Connection]:
    """A client of its own, without ours between; in a transaction as this caller, if one is given."""
    with contextlib.closing(psycopg.connect(libpq(make_url(url)), prepare_threshold=None)) as connection:
        if caller is not None:
            leave_identity(connection, caller, local=True)
        yield connection


def leave_identity(connection: psycopg.Connection, caller: Caller, *, local: bool) -> None:
    """Sign this caller's identity for the transaction that this connection is in, and set it for that or for longer."""
    identity = signed_on(connection, caller.id)
    connection.execute("select set_config('clearance.identity', %s, %s)", [identity, local])


def break_one(url: str, database: Database, how: str, caller: Caller) -> None:
    """One transaction as this caller that comes to a bad end."""
    match how:
        case "division by zero":
            check_refused(database, caller.id, "division by zero", "select count(*), 1 / 0 from original")
        case "constraint":
            twice = "insert into conversation (id, user_id) values (:id, :user), (:id, :user)"
            check_refused(database, caller.id, "duplicate key", twice, id=uuid.uuid4(), user=caller.id)
        case "serialization":
            with pytest.raises(DatabaseUnavailable), database.writing(caller.id) as session:
                session.execute(text("do $$ begin raise serialization_failure; end $$"))
        case "rollback":
            with pytest.raises(KeyError), database.writing(caller.id) as session:
                session.execute(text("select count(*) from original"))
                raise KeyError
        case "timeout":
            with pytest.raises(DatabaseUnavailable), database.writing(caller.id) as session:
                session.execute(text("set local statement_timeout = '100ms'"))
                session.execute(text("select pg_sleep(2)"))
        case "poison":
            with raw(url) as connection:
                leave_identity(connection, caller, local=False)
                connection.commit()
        case "cancel":
            with raw(url, caller) as connection, pytest.raises(psycopg.OperationalError):
                threading.Timer(0.02, connection.cancel).start()
                connection.execute("select pg_sleep(20)")
        case "vanish":
            with raw(url, caller) as connection:
                assert connection.execute("select title from original").fetchall() == [(caller.title,)]
                with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


def make_callers(library: LibraryDb, count: int = CALLERS) -> list[Caller]:
    made = []
    for number in range(count):
        user = library.person(f"caller-{number}")
        title = f"document-{number}"
        collection = library.collection(f"collection-{number}", allow("user", user))
        library.document(collection, title, f"Text number {number}.")
        made.append(Caller(user, title))
    return made


def rounds(url: str, database: Database, caller: Caller) -> tuple[list[list[str]], Counter[str]]:
    """Read a few times as this caller, and often break a transaction before: the titles seen, and what was broken."""
    dice = random.Random(caller.title)
    seen, broken = [], Counter[str]()
    for _ in range(ROUNDS):
        how = dice.choices([*BREAKS, ""], weights=[*BREAKS.values(), 100 - sum(BREAKS.values())])[0]
        if how:
            break_one(url, database, how, caller)
            broken[how] += 1
        with database.reading(caller.id) as session:
            seen.append(list(session.scalars(text("select title from original"))))
    return seen, broken


def through(url: str, *, timeout_ms: int, size: int = 16) -> Database:
    return Database(
        connect(url, pool_size=size), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=timeout_ms, sealer=SEALER
    )
