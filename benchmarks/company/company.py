"""A company in a PostgreSQL of its own: filled once, and kept in a folder if one is named."""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from app.local.postgres import EmbeddedPostgres
from benchmarks.audit_log_pages import fill as fill_log
from benchmarks.company.library import COLLECTIONS, put_documents, put_passages, put_shelves
from benchmarks.company.lists import put_lists
from benchmarks.company.passages import Sentences
from benchmarks.company.people import SIGN_INS, put_callers, put_staff
from benchmarks.tables import console
from benchmarks.world import PASSWORD, Db, World, database, server

# A machine of some memory, as docs/operate.md advises; nothing is lost that anybody needs while it is filled.
SETTINGS = {
    "shared_buffers": "3GB", "maintenance_work_mem": "1GB", "max_wal_size": "16GB", "synchronous_commit": "off",
    "checkpoint_timeout": "1h", "autovacuum": "off", "random_page_cost": "1.1", "max_connections": "100",
    "effective_cache_size": "8GB",
}  # fmt: skip
NOTE, NAME = "company.json", "company"


@dataclass(frozen=True)
class Sizes:
    """How large the company is. `each`: passages of a document."""

    people: int
    roles: int
    passages: int
    records: int
    each: int

    @property
    def documents(self) -> int:
        return -(-self.passages // self.each)


@dataclass(frozen=True)
class Company:
    """What was filled, the keys of those as whom it is asked, and how long it took. `first`: number of a passage."""

    sizes: Sizes
    keys: dict[str, str]
    first: int
    seconds: dict[str, float]


@contextlib.contextmanager
def company(sizes: Sizes, folder: Path | None) -> Iterator[tuple[Db, Company]]:
    """The company in `folder` if it is there, else a new one, which is kept there; without a folder thrown away."""
    if folder is None:
        with server(SETTINGS) as running:
            db = database(running, NAME)
            yield db, fill(db, sizes)
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL runs as another user than root
    note = folder / NOTE
    with EmbeddedPostgres(folder / "pg", password=PASSWORD, settings=SETTINGS) as running:
        if note.exists():
            kept = _read(note)
            if kept.sizes != sizes:
                raise SystemExit(f"{folder} holds another company, {kept.sizes}: name another folder")
            yield Db(running, NAME), kept
            return
        db = database(running, NAME)
        made = fill(db, sizes)
        note.write_text(json.dumps(asdict(made)), "utf-8")
        yield db, made


def fill(db: Db, sizes: Sizes) -> Company:
    """People, roles, documents, passages, records of the log, and what stands in the other lists."""
    world, rng, seconds = World(db), random.Random(1), dict[str, float]()

    @contextlib.contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[what] = round(time.perf_counter() - began, 1)
        console.log(f"{what}: {seconds[what]:,} s")

    with timed("people and roles"), world.session() as session:
        staff = put_staff(session, rng, sizes.people, sizes.roles)
        shelves = put_shelves(session, rng, staff, sizes.documents)
    collections = list(dict.fromkeys(shelf.collection for shelf in shelves))
    assert len(collections) == COLLECTIONS
    with timed("documents"), db.admin() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(SIGN_INS)
        documents = put_documents(connection, shelves, sizes.each)
    keys = put_callers(world, staff, collections)
    with timed("passages"):
        first = put_passages(db, Sentences(), documents, sizes.passages, sizes.each)
    with timed("records of the log"):
        fill_log(db, sizes.records)
    with timed("other lists"):
        put_lists(db)
    with timed("vacuum"):
        world.settle()
        with db.admin() as connection:
            connection.execute("checkpoint")
    return Company(sizes, keys, first, seconds)


def _read(note: Path) -> Company:
    kept = json.loads(note.read_text("utf-8"))
    return Company(Sizes(**kept["sizes"]), kept["keys"], kept["first"], kept["seconds"])
