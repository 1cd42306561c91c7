"""Which rows a change of rules writes, as PostgreSQL counts them, for `benchmarks.scopes`."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rich.progress import track
from rich.table import Table
from sqlalchemy import text

from app.acl.placement import find_place, rule_document
from app.acl.rule_changes import rule_collection
from app.acl.rules import OwnRule
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection
from app.identity.subject import Capability, Label, Subject
from benchmarks.timings import load, p50_p95
from ingest.document import Passage
from ingest.embed import vectorize
from ingest.write import Version, write
from tests.support.library_db import EMBEDDER, House, allow

# What this connection has written since its counts were last taken over: a difference of two readings is what lies
# between them, cascades and triggers too.
WRITTEN = text(
    "select relname, n_tup_ins + n_tup_upd + n_tup_del as rows from pg_stat_xact_user_tables"
    " where n_tup_ins + n_tup_upd + n_tup_del > 0 order by relname"
)
# The service's database role may not read statistics; the counting needs them.
ALLOW = text(
    "do $$ declare f regprocedure; begin"
    " for f in select oid from pg_proc where proname ~ '^pg_stat_get_xact_' loop"
    " execute format('grant execute on function %s to clearance_app', f); end loop; end $$"
)
PER_DOCUMENT = 100  # passages of a document on a shelf
ROUNDS = 20


@dataclass(frozen=True)
class Writes:
    """One kind of change: its milliseconds, and the most rows of each table that one of them wrote."""

    what: str
    times: list[float]
    rows: Counter[str]


def measure_writes(house: House, database: Database, chunks: int) -> Table:
    """Re-grant a large and a small shelf, move a large and a small document; every change is committed."""
    readers = [house.role("one"), house.role("two")]
    large, small = house.shelf("large"), house.shelf("small")
    admin = house.person("root", may=list(Capability), curates=[large, small])
    subject = house.subject(admin)
    for number in track(range(max(chunks // PER_DOCUMENT, 1)), description=f"writing {chunks:,} passages"):
        fill(house, large, f"{number}.md", PER_DOCUMENT)
    fill(house, small, "0.md", PER_DOCUMENT)
    documents = {count: fill(house, small, f"moves-{count}.md", count) for count in (10, 1000)}
    with house.engine("admin").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
        connection.execute(ALLOW)
    owns = [OwnRule(frozenset({allow("role", r)}), inherits=False, label=Label.INTERNAL) for r in readers]
    changes = [
        repeated(f"re-grant a shelf of {count:,} passages", database, subject, regrant(shelf, subject, owns))
        for shelf, count in ((small, PER_DOCUMENT), (large, chunks))
    ]
    changes += [
        repeated(f"move a document of {count:,} passages", database, subject, move(public, subject, owns))
        for count, public in documents.items()
    ]
    return shown(changes)


def regrant(shelf: uuid.UUID, subject: Subject, owns: list[OwnRule]) -> Callable[[WriteSession, int], None]:
    """The change that gives the shelf another rule in each round."""

    def change(session: WriteSession, number: int) -> None:
        rule_collection(session, subject, session.get_one(Collection, shelf), owns[number % 2])

    return change


def move(public: uuid.UUID, subject: Subject, owns: list[OwnRule]) -> Callable[[WriteSession, int], None]:
    """The change that puts the document under another scope in each round."""

    def change(session: WriteSession, number: int) -> None:
        rule_document(session, subject, find_place(session, subject, public), owns[number % 2])

    return change


def repeated(what: str, database: Database, subject: Subject, change: Callable[[WriteSession, int], None]) -> Writes:
    """Make the change in transactions of its own. The first two make the scopes and rules, and do not count."""
    times, rows = [], Counter[str]()
    for number in range(ROUNDS + 2):
        with database.writing(subject.user_id) as session:
            before = counted(session)
            began = time.perf_counter()
            change(session, number)
            session.flush()
            changed = time.perf_counter() - began
            written = counted(session) - before
            began = time.perf_counter()
        if number >= 2:
            times.append(1000 * (changed + time.perf_counter() - began))
            rows |= written
    return Writes(what, times, rows)


def counted(session: WriteSession) -> Counter[str]:
    """Rows written so far, by table."""
    return Counter({row.relname: row.rows for row in session.execute(WRITTEN)})


def fill(house: House, shelf: uuid.UUID, path: str, count: int) -> uuid.UUID:
    """A document of so many short passages, written as the worker writes it."""
    passages = [Passage(f"passage {n} of {path}", (), None, n, 4) for n in range(count)]
    content = path.encode()
    with house.uploading(shelf, {path: (house.scope(shelf), content)}) as (session, [job]):
        return write(session, job, Version(path, "text/plain", content), vectorize(passages, EMBEDDER)).document


def shown(changes: list[Writes]) -> Table:
    """One row for each kind of change."""
    made = Table(title=f"Rows that one change writes, {ROUNDS} rounds each, commit included; {load()}")
    made.add_column("change")
    made.add_column("p50 / p95 ms", justify="right")
    made.add_column("passages written", justify="right")
    made.add_column("all rows written")
    for change in changes:
        rows = ", ".join(f"{name} {count:,}" for name, count in sorted(change.rows.items()))
        made.add_row(change.what, p50_p95(change.times), f"{change.rows['chunk']:,}", rows)
    return made
