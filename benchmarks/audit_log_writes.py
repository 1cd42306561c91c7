"""What a record costs: `python -m benchmarks.audit_log_writes [--writers 8] [--seconds 5]`.

Writers, each a process with a connection of its own, write the same record again and again, every one committed and
flushed to the disk: as a plain row, as a row of a table whose hash covers the row before it (the lock that this takes
is the price of such a chain), and as the product does, sealed, under a signed identity, in a transaction of its own.
The three take turns, three times. Then the sequencer puts the product's records in order, and they are exported.
"""

import argparse
import itertools
import multiprocessing
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from app.admin.audit_log import AuditLog
from app.audit.encryption import Sealer
from app.audit.events.answers import AnswerOpened, ShownPassage
from app.audit.events.base import Actor, CommittedText, SealedText
from app.audit.log import record
from app.audit.proofs import inclusion_proof
from app.audit.sequencing import append_batch
from app.db.bootstrap import libpq
from app.db.engine import connect
from app.db.session import Database, Signer, WriteSession
from app.evidence.merkle import canonical
from app.identity.subject import Capability
from benchmarks.machine import load
from benchmarks.stats import quantile
from benchmarks.tables import show
from benchmarks.world import AUDIT_KEY, KEY, Db, World, database, server

TURNS = 3
QUESTION = "How many weeks of parental leave does an employee get after the first year?"
PASSAGES = tuple(ShownPassage(uuid.UUID(int=n), uuid.UUID(int=n), uuid.UUID(int=n), n, "internal") for n in range(1, 9))
SCOPES = tuple(str(uuid.UUID(int=n)) for n in range(40))
# A chain as it is built in a table: who adds must wait for whoever added the row before.
TABLES = """
    create table plain_record (id bigint generated always as identity primary key, body text not null);
    create table chained_record (id bigint primary key, body text not null, hash bytea not null);
    insert into chained_record values (0, '', sha256(''));
    grant select, insert on plain_record, chained_record to clearance_app;
    grant usage on all sequences in schema public to clearance_app;
"""
ADD_PLAIN = "insert into plain_record (body) values (%s)"
ADD_CHAINED = """
    insert into chained_record
    select id + 1, %(body)s, sha256(hash || convert_to(%(body)s, 'UTF8')) from chained_record order by id desc limit 1
"""


@dataclass(frozen=True)
class Urls:
    """Where a writer writes, and in whose name."""

    app: str
    user: uuid.UUID


def opened(user: uuid.UUID) -> AnswerOpened:
    """A record as the opening of an answer leaves it."""
    return AnswerOpened(
        actor=Actor(user, key="clr_00000000", address="10.0.0.1"),
        trail=uuid.uuid4(),
        question=SealedText(QUESTION),
        mode="quote",
        policy_epoch=1,
        valid_until=None,
        scopes=SCOPES,
        passages=PASSAGES,
        label="internal",
        embedder="e" * 64,
        template="t" * 64,
        prompt=CommittedText(QUESTION * 40),
        model=None,
    )


def _plain(urls: Urls) -> Callable[[], object]:
    connection = psycopg.connect(libpq(make_url(urls.app)), autocommit=True)
    body = _body()
    return lambda: connection.execute(ADD_PLAIN, [body])


def _chained(urls: Urls) -> Callable[[], object]:
    connection = psycopg.connect(libpq(make_url(urls.app)), autocommit=True)
    # Before the statement: its snapshot must hold the row that is last.
    body = {"body": _body()}

    def add() -> None:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(7)")
            connection.execute(ADD_CHAINED, body)

    return add


def _product(urls: Urls) -> Callable[[], object]:
    engine = connect(urls.app, pool_size=1, prepare=True)
    sealer = Sealer(bytes.fromhex(AUDIT_KEY))
    api = Database(engine, Signer(KEY, seconds=600), statement_timeout_ms=60_000, sealer=sealer)

    def add() -> None:
        with api.writing(urls.user) as session:
            record(session, opened(urls.user))

    return add


WAYS: dict[str, Callable[[Urls], Callable[[], object]]] = {
    "a plain row": _plain,
    "a chain in a table": _chained,
    "the product": _product,
}


def _body() -> str:
    """As long as the product's record, which is sealed."""
    values = {name: value for name, value in opened(uuid.UUID(int=1)).to_record().items() if name != "prompt"}
    return canonical({**values, "question": "s" * 300, "prompt": "s" * 200})


def write(given: tuple[Urls, str, float]) -> list[float]:
    """What one writer does for so many seconds: milliseconds of each record."""
    urls, way, seconds = given
    add, taken = WAYS[way](urls), list[float]()
    add()
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        add()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with server({"max_connections": "60"}) as running:
        db = database(running)
        with db.admin() as connection:
            connection.execute(TABLES)
        world = World(db)
        writers = [Urls(db.url("app"), world.person(f"p{n}")) for n in range(max(given.writers))]
        rows = []
        for count in given.writers:
            rows += measure(writers[:count], given.seconds)
        columns = ("writers", "as", "records a second", "× a plain row", "p50 ms", "p95 ms")
        show(f"records that are committed and on the disk; {load()}", columns, rows)
        show(f"afterwards; {load()}", ("what", "figure"), afterwards(db, world))


def measure(writers: list[Urls], seconds: float) -> list[tuple[str, ...]]:
    """A line for each way: all writers at once, in turns."""
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    with multiprocessing.get_context("spawn").Pool(len(writers)) as pool:
        for _ in range(TURNS):
            for way in WAYS:
                done = pool.map(write, [(urls, way, seconds) for urls in writers], chunksize=1)
                taken[way] += itertools.chain.from_iterable(done)
    rates = {way: len(each) / (TURNS * seconds) for way, each in taken.items()}
    plain = next(iter(rates.values()))
    rows = []
    for way, each in taken.items():
        rate = (f"{rates[way]:,.0f}", f"{rates[way] / plain:.2f}")
        rows.append((str(len(writers)), way, *rate, *(str(quantile(each, share)) for share in (0.5, 0.95))))
    return rows


def afterwards(db: Db, world: World) -> list[tuple[str, str]]:
    """Order and export what the product wrote."""
    engine, began, placed = connect(db.url("sequencer"), pool_size=1), time.perf_counter(), 0
    while True:
        with WriteSession(engine) as ordering, ordering.begin():
            batch = append_batch(ordering)
        placed += batch.count
        if not batch.more:
            break
    order = placed / (time.perf_counter() - began)
    auditor = world.subject(world.person("au", may=[Capability.AUDIT, Capability.EXPORT]))
    log = AuditLog(db.api(), Sealer(bytes.fromhex(AUDIT_KEY)), auditor)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        began = time.perf_counter()
        with path.open("wb") as file:
            file.writelines(log.export(log.query(""), "jsonl"))
        export = placed / (time.perf_counter() - began)
        size = path.stat().st_size / placed
    proofs = []
    for seq in range(0, placed, max(placed // 200, 1)):
        began = time.perf_counter()
        with log.reading() as session:
            inclusion_proof(session, seq, placed)
        proofs.append(1000 * (time.perf_counter() - began))
    return [
        ("records", f"{placed:,}, {size:,.0f} bytes a line"),
        ("put in order, a second", f"{order:,.0f}"),
        ("exported as JSONL, a second", f"{export:,.0f}"),
        ("a proof out of the database, p50 and p95 ms", f"{quantile(proofs, 0.5)}, {quantile(proofs, 0.95)}"),
    ]


if __name__ == "__main__":
    main()
