"""Two worlds under stress: a hundred hidden documents for each visible one, and hidden documents that never rest.

What changes between looks is committed, as it is in life: dead rows, versions and emptied pages stay where they fell.
"""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text

from app.db.session import Database
from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import UnusableWeights
from tests.laws.worlds.outcomes import Tally
from tests.laws.worlds.pages import Page
from tests.laws.worlds.savepoint_worlds import Quick, superuser
from tests.laws.worlds.strategies import draw
from tests.laws.worlds.world import Spec, World, world_of
from tests.laws.worlds.world_writer import WorldWriter
from tests.support.cluster import Db
from tests.support.environment import LAW_FACTOR, Report, real_part_missing
from tests.support.library_db import TEXT_TABLES, LibraryDb

UNREST, CROWDED = 6 * LAW_FACTOR, 2 * LAW_FACTOR  # worlds
STEPS = 14


@dataclass
class Unrest:
    """What happens to the hidden documents of a world in a database. Each change is one that `kinds` names."""

    library: LibraryDb
    writer: WorldWriter
    world: World
    chance: random.Random
    written: int = 0

    def __post_init__(self) -> None:
        self.hidden = [page for page in self.world.pages if not self.world.visible(page)]
        self.closed = [n for n in range(len(self.world.places)) if n not in self.world.seen]

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        return {
            "added": self.added,
            "edited": self.edited,
            "ruled anew": self.ruled_anew,
            "deleted": self.deleted,
            "vacuumed": self.vacuumed,
            "indexed anew": self.indexed_anew,
            "analyzed": lambda: self._alone("analyze"),
        }

    def added(self) -> None:
        """Near-copies and floods, under scopes that are closed."""
        pages = self.chance.choices(self.hidden, k=5)
        self.written += 1
        again = [replace(p, path=f"{self.written}-{n}-{p.path}", texts=p.texts * 2) for n, p in enumerate(pages)]
        self.writer.add(self.world, again)
        self.hidden += again

    def edited(self) -> None:
        """Other words at the same paths, by the worker's own writer: new passages under higher numbers."""
        for page in self._some(3):
            place = self.world.places[page.place]
            if place.depth == 0:
                words = [t.words for other in self.chance.sample(self.hidden, 2) for t in other.texts]
                self.library.document(self.world.name("collection", place.collection), page.path, *words, own=place.own)

    def ruled_anew(self) -> None:
        """To another closed scope of its collection, as the product does it: one column, and the rest follows."""
        target = (
            "select s.id from scope s where s.collection_id = document.collection_id and not s.id = any (:open)"
            " order by (s.id * 31 + document.id) % 7, s.id limit 1"
        )
        seen = "select distinct scope_id from document where public_id = any (:ids)"
        visible = [self._name(page) for page in self.world.pages if self.world.visible(page)]
        with self.library.session("owner") as session:
            opened = list(session.scalars(text(seen), {"ids": visible}))
            values = {"open": opened, "ids": [self._name(page) for page in self._some(8)]}
            session.execute(text(f"update document set scope_id = ({target}) where public_id = any (:ids)"), values)

    def deleted(self) -> None:
        gone = self._some(len(self.hidden) // 3)
        with self.library.session("owner") as session:
            ids = [self._name(page) for page in gone]
            session.execute(text("delete from document where public_id = any (:ids)"), {"ids": ids})
        self.hidden = [page for page in self.hidden if page not in gone]

    def vacuumed(self) -> None:
        """Dead rows go; or every row moves."""
        self._alone(self.chance.choice(["vacuum", "vacuum (full)", "vacuum (freeze, analyze)"]))

    def indexed_anew(self) -> None:
        self._alone("reindex table")

    def _alone(self, statement: str) -> None:
        with self.library.engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in TEXT_TABLES:
                connection.execute(text(f"{statement} {table}"))

    def _some(self, count: int) -> list[Page]:
        return self.chance.sample(self.hidden, min(count, len(self.hidden)))

    def _name(self, page: Page) -> object:
        return self.world.name("document", page.path)


@pytest.mark.timeout(900)
def test_hidden_documents_that_change_are_never_noticed(library: LibraryDb, database: Database, report: Report) -> None:
    """After each of many changes, in random order, the caller is shown what he was shown before there was any."""
    writer, done, looks = WorldWriter(library, HashedEmbedder()), Counter[str](), 0
    for number, spec in enumerate(draw(5, UNREST)):
        world = world_of(spec, dt.datetime.now(dt.UTC))
        writer.put(world.without_hidden())
        bare = writer.looks(database, world)
        writer.clear(world)
        writer.put(world)
        unrest = Unrest(library, writer, world, random.Random(number))
        order = [*unrest.kinds, *unrest.chance.choices(list(unrest.kinds), k=STEPS - len(unrest.kinds))]
        unrest.chance.shuffle(order)
        for step, kind in enumerate(["written", *order]):
            if kind != "written":
                unrest.kinds[kind]()
            assert writer.looks(database, world) == bare, f"world 5:{number} tells after step {step}: {order[:step]}"
            done[kind] += 1
            looks += len(bare)
        writer.clear(world)
    report(f"two worlds, unrest: {UNREST} worlds, {looks} looks after {dict(done)}; 0 differ")
    assert set(done) == {"written", *unrest.kinds}


def test_a_change_of_a_visible_document_is_noticed(library: LibraryDb, database: Database) -> None:
    """Test of the test: the same comparison, and one visible passage deleted."""
    writer = WorldWriter(library, HashedEmbedder())
    world = world_of(draw(5, 1)[0], dt.datetime.now(dt.UTC))
    writer.put(world)
    before = writer.looks(database, world)
    seen = next(page for page in world.pages if world.visible(page))
    library.run("owner", "delete from document where public_id = :id", id=world.name("document", seen.path))
    assert writer.looks(database, world) != before


def run(quick: Quick, name: str, worlds: list[Spec]) -> Tally:
    tally = Tally()
    for number, spec in enumerate(worlds):
        tally.add(f"{name}:{number}", quick.compare(spec))
    return tally


MANY = 1500  # for 15 visible ones
CROWDS: dict[str, Callable[[Spec], Spec]] = {
    "near-copies": lambda spec: replace(spec, visible=15, copies=MANY),
    "floods": lambda spec: replace(spec, visible=15, floods=MANY),
    "others": lambda spec: replace(spec, visible=15, others=MANY),
}


@pytest.mark.parametrize("kind", CROWDS)
def test_a_hundred_hidden_documents_for_each_visible_one_change_nothing(
    quick: Quick, report: Report, kind: str
) -> None:
    """Near-duplicates of what is asked about, floods of the question's words, and plain volume."""
    tally = run(quick, "6", [CROWDS[kind](spec) for spec in draw(6, CROWDED)])
    report(f"two worlds, {MANY:,} hidden {kind}: {tally}")
    assert tally.threatened == tally.questions
    assert tally.differing == 0


def test_the_real_embedder_changes_nothing(db: Db, report: Report) -> None:
    """The same with the vectors of the product."""
    try:
        embedder = OnnxEmbedder(threads=2)
    except UnusableWeights as missing:
        real_part_missing(str(missing))
    quick = Quick(superuser(db.url("admin")), embedder)
    tally = run(quick, "7", draw(7, 4))
    quick.engine.dispose()
    report(f"two worlds, real embedder: {tally}")
    assert tally.share >= 0.8
    assert tally.differing == 0
