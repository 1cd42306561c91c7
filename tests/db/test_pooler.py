"""Identity never bleeds from one caller to the next, also behind PgBouncer in transaction mode with two connections.

Whatever happens to a transaction between two others: errors, cancels, time-outs, clients that vanish, settings that
somebody leaves on the pooled connection.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.db import pgbouncer
from tests.db.pgbouncer import BREAKS, CALLERS, POOL, ROUNDS, Caller, make_callers, raw, rounds, through
from tests.support.cluster import Db
from tests.support.identities import by_hand, signed_on, soon
from tests.support.library_db import LibraryDb

pytestmark = pytest.mark.alone


@pytest.fixture
def pooler(db: Db, tmp_path: Path) -> Iterator[str]:
    with pgbouncer.started(db, tmp_path) as url:
        yield url


def test_no_identity_bleeds_through_a_transaction_pooler(library: LibraryDb, pooler: str) -> None:
    """64 callers at once on two connections, each breaking transactions between reads, see their own and no more."""
    callers = make_callers(library)
    database = through(pooler, timeout_ms=60_000, size=CALLERS)
    with ThreadPoolExecutor(CALLERS) as threads:
        found = list(threads.map(lambda caller: rounds(pooler, database, caller), callers))
    database.engine.dispose()
    broken = sum((each for _, each in found), Counter[str]())
    foreign = [t for caller, (seen, _) in zip(callers, found, strict=True) for t in seen if t != [caller.title]]
    print(f"{CALLERS * ROUNDS} reads of {CALLERS} callers on {POOL} connections, between {dict(broken)}")
    assert sum(len(seen) for seen, _ in found) == CALLERS * ROUNDS
    assert set(broken) == set(BREAKS)
    assert foreign == []


POISONS = {
    "an identity": "select set_config('clearance.identity', '{victim}', false)",
    "no row-level security": "set row_security = off",
    "another search path": "set search_path = pg_catalog, clearance",
    "another role": "set role clearance_audit",
    "a session of another role": "set session authorization clearance_owner",
    "the role of the backup": "set role clearance_backup",
    "a replica's session": "set session_replication_role = replica",
    "a schema to look in first": "create schema evil; set search_path = evil, public",
    "a table to look at first": "create temporary table original (title text)",
    "a kept query": "prepare mine as select title from original",
    "a kept cursor": "declare mine cursor with hold for select title from original",
    "a lock": "select pg_advisory_lock(1)",
}
# What the API's database role may leave behind; the rest is refused.
REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.DuplicatePreparedStatement,  # the pooled connection has it already
    psycopg.errors.DuplicateCursor,
)
LEFT = {"an identity", "no row-level security", "another search path", "a kept query", "a kept cursor", "a lock"}


@pytest.mark.parametrize("poison", POISONS)
def test_a_poisoned_session_shows_nothing(library: LibraryDb, pooler: str, poison: str) -> None:
    """Somebody who has the service's own password leaves a setting on every pooled connection, perhaps an identity. The
    next caller sees his own, or an error; who is nobody sees nothing, or an error; and never a foreign row.
    """
    victim, other = make_callers(library, 2)
    database = through(pooler, timeout_ms=5_000)
    left = set()
    for _ in range(3 * POOL):
        with raw(pooler) as connection, contextlib.suppress(*REFUSED):
            connection.execute(POISONS[poison].format(victim=signed_on(connection, victim.id)).encode())
            connection.commit()
            left.add(poison)
    assert left == {poison} & LEFT
    seen: list[object] = []
    for _ in range(3 * POOL):
        with contextlib.suppress(psycopg.Error), raw(pooler) as connection:  # who sets no identity at all
            seen.append(connection.execute("select title from original").fetchall())
        with contextlib.suppress(DBAPIError), database.anonymous() as session:
            seen.append(session.scalars(text("select title from original")).all())
        with contextlib.suppress(DBAPIError), database.reading(other.id) as session:
            assert session.scalars(text("select title from original")).all() == [other.title]
            seen.append([])
    database.engine.dispose()
    assert not [rows for rows in seen if rows != []]
    if poison not in {"no row-level security", "another search path"}:
        assert len(seen) == 9 * POOL, "the service works on"


def test_a_pooler_that_cleans_up_works_on(library: LibraryDb, pooler: str) -> None:
    """With `server_reset_query_always = 1` nobody finds what another client left, not even an error."""
    caller = make_callers(library, 1)[0]
    admin = make_url(pooler).set(drivername="postgresql", database="pgbouncer").render_as_string(hide_password=False)
    with contextlib.closing(psycopg.connect(admin, autocommit=True, prepare_threshold=None)) as console:
        console.pgconn.exec_(b"set server_reset_query_always = 1")
    database = through(pooler, timeout_ms=5_000)
    for _ in range(3 * POOL):
        for poison in ("no row-level security", "another search path"):
            with raw(pooler) as connection:
                connection.execute(POISONS[poison].encode())
                connection.commit()
        with database.reading(caller.id) as session:
            assert session.scalars(text("select title from original")).all() == [caller.title]
    database.engine.dispose()


def test_an_identity_that_holds_longer_would_bleed(library: LibraryDb, pooler: str) -> None:
    """The mutation: bound to no transaction, a session-level identity shows foreign rows."""
    callers = make_callers(library, 16)
    database = through(pooler, timeout_ms=60_000, size=16)
    source = library.text("select prosrc from pg_proc where oid = 'clearance.signed_caller()'::regprocedure")
    unbound = source.replace("pg_backend_pid(), extract(epoch from now())", "'any'")
    assert unbound != source
    library.run("admin", f"create or replace function clearance.signed_caller() returns uuid language sql stable"
                       f" security definer set search_path = '' as $f${unbound}$f$")  # fmt: skip
    bad = text("select set_config('clearance.identity', :identity, false)")

    def look(caller: Caller) -> int:
        foreign = 0
        with database.engine.connect() as connection:
            connection.execute(bad, {"identity": by_hand(caller.id, soon(), "any")})
            connection.commit()
            for _ in range(5):
                foreign += connection.scalars(text("select title from original")).all() != [caller.title]
                connection.commit()
        return foreign

    with ThreadPoolExecutor(len(callers)) as threads:
        foreign = sum(threads.map(look, callers))
    database.engine.dispose()
    assert foreign > len(callers)
