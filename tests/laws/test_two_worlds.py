"""The headline (N1, N2): what a caller may not see changes nothing of what he is shown, to the last bit.

Each world is built twice, with and without its hidden documents. A question counts only if a search without walls would
have put a hidden passage among its ten best; the share is printed. Then the walls are taken away, and it must show.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import BindParameter, select, text
from sqlalchemy.orm import Session

from app.acl import visible as acl
from app.acl.rules import Subject
from app.db.probe import CANARY
from app.db.session import Database, Signer
from app.db.tables.access import PolicyEpoch, Rule, Scope
from app.embedding.hashed import HashedEmbedder
from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import EmbeddingModel, UnusableWeights
from app.retrieval import dense, lexical
from tests.conftest import IDENTITY_KEY, Db, real_part_missing
from tests.db.house import House, house_of
from tests.laws.conftest import Report
from tests.laws.shelving import TOP, Look, Shelves
from tests.laws.worlds import Page, World, make_world

WORLDS = 200
MUTANT_WORLDS = 20


@dataclass
class Tally:
    """What was looked at, and what differed."""

    questions: int = 0
    threatened: int = 0
    differing: int = 0
    prompts: int = 0

    def __str__(self) -> str:
        share = self.threatened / self.questions
        return (
            f"{self.questions} questions, {share:.1%} of them with a hidden passage in the unfiltered top {TOP}; "
            f"{self.differing} of those differ, {self.prompts} in the prompt"
        )


@dataclass(frozen=True)
class Bench:
    """A house with its shelves, seen through the API's database role (with both locks) or the owner's (without RLS)."""

    house: House
    shelves: Shelves
    walled: Database
    owner: Database

    def looks(self, world: World, database: Database) -> list[Look]:
        """All questions of a world."""
        return [self.shelves.look(database, world.caller, q) for q in world.questions]


def bench_of(house: House, embedder: EmbeddingModel) -> Bench:
    signer = Signer(IDENTITY_KEY, seconds=60)
    walled, owner = (Database(house.engine(r), signer, statement_timeout_ms=15_000) for r in ("app", "owner"))
    return Bench(house, Shelves(house, embedder), walled, owner)


@pytest.fixture
def bench(db: Db) -> Iterator[Bench]:
    with house_of(db) as house:
        yield bench_of(house, HashedEmbedder())


def everything(session: Session, subject: Subject) -> acl.Visible:
    """What `visible_scopes` would give without any rule: every scope there is, but for the start-up probe's."""
    scopes = select(Scope.id, Scope.public_id, Rule.label).join(Rule).where(Scope.collection_id != CANARY)
    rows = session.execute(scopes).all()
    return acl.Visible(
        at=dt.datetime.now(dt.UTC),
        epoch=session.scalars(select(PolicyEpoch.number)).one(),
        scope_ids=tuple(r.id for r in rows),
        public_ids=tuple(r.public_id for r in rows),
        labels={r.id: r.label for r in rows},
        valid_until=None,
    )


def threats(bench: Bench, world: World) -> list[bool]:
    """For each question: would a search without walls have shown a hidden passage among the best?"""
    hidden = {str(world.name("chunk", p.path, n)) for p in world.pages if not world.visible(p) for n in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acl, "visible_scopes", everything)
        return [any(hit[0] in hidden for hit in look.hits[:TOP]) for look in bench.looks(world, bench.owner)]


def compare(bench: Bench, world: World, tally: Tally, *, database: Database | None = None, upheaval: int = 0) -> None:
    """Look at both worlds and count the questions that tell them apart."""
    through = database or bench.walled
    bench.shelves.put(world.without_hidden())
    bare = bench.looks(world, through)
    bench.shelves.clear(world)
    bench.shelves.put(world)
    full = bench.looks(world, through)
    threatened = threats(bench, world)
    tally.questions += len(bare)
    tally.threatened += sum(threatened)
    tally.differing += sum(a != b for a, b, counts in zip(bare, full, threatened, strict=True) if counts)
    tally.prompts += sum(a.prompt != b.prompt for a, b, counts in zip(bare, full, threatened, strict=True) if counts)
    assert all(look.hits for look in bare), "each caller reads something"
    if upheaval:
        upset(bench, world, upheaval)
        tally.differing += sum(a != b for a, b in zip(bare, bench.looks(world, through), strict=True))
    bench.shelves.clear(world)


def upset(bench: Bench, world: World, kind: int) -> None:
    """Edit, re-rule or delete hidden documents, or have the database tidy up."""
    hidden = [p for p in world.pages if not world.visible(p)]
    names = [world.name("document", p.path) for p in hidden]
    some = {"ids": names[::2]}
    match kind:
        case 1:
            bench.house.run("owner", "delete from document where public_id = any (:ids)", **some)
            edited = [Page(f"e{n}", p.title, p.place, p.texts[:1] * 2) for n, p in enumerate(hidden[:5])]
            bench.shelves.add(world, edited)
        case 2:
            shut = (
                "(select scope_id from document d where d.collection_id = document.collection_id"
                " and d.public_id = any (:ids) order by scope_id desc limit 1)"
            )
            bench.house.run("owner", f"update document set scope_id = {shut} where public_id = any (:ids)", ids=names)
        case 3:
            bench.house.run("owner", "delete from document where public_id = any (:ids)", ids=names)
        case _:
            with bench.house.engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in ("document", "chunk", "vector_row", "posting"):
                    connection.execute(text(f"vacuum (full, analyze) {table}"))
                    connection.execute(text(f"reindex table {table}"))


def run(
    bench: Bench, seeds: range, *, database: Database | None = None, flood: int = 0, upheavals: bool = False
) -> Tally:
    tally = Tally()
    for seed in seeds:
        world = make_world(seed, dt.datetime.now(dt.UTC), flood=flood)
        kind = seed % 10 if upheavals and seed % 10 in (1, 2, 3, 4) else 0
        before = tally.differing
        compare(bench, world, tally, database=database, upheaval=kind)
        if database is None and tally.differing != before:
            pytest.fail(f"world {seed} tells its hidden documents (upheaval {kind})")
    return tally


@pytest.mark.timeout(900)
def test_hidden_documents_change_nothing(bench: Bench, report: Report) -> None:
    """Ids, order, exact scores and prompt bytes agree in every world, also while hidden documents change."""
    tally = run(bench, range(WORLDS), upheavals=True)
    report(f"two worlds: {WORLDS} worlds, {tally}")
    assert tally.threatened >= 0.8 * tally.questions
    assert tally.differing == 0


def test_a_flood_of_hidden_documents_changes_nothing(bench: Bench, report: Report) -> None:
    """A hundred hidden passages for each question."""
    tally = run(bench, range(1000, 1006), flood=300)
    report(f"two worlds, flooded: 6 worlds, {tally}")
    assert tally.threatened == tally.questions
    assert tally.differing == 0


def test_the_real_embedder_changes_nothing(db: Db, report: Report) -> None:
    """The same with the vectors of the product."""
    try:
        embedder = OnnxEmbedder(threads=2)
    except UnusableWeights as missing:
        real_part_missing(str(missing))
    with house_of(db) as house:
        tally = run(bench_of(house, embedder), range(2000, 2006))
    report(f"two worlds, real embedder: 6 worlds, {tally}")
    assert tally.threatened >= 0.8 * tally.questions
    assert tally.differing == 0


def test_without_both_walls_it_shows(bench: Bench, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Test of the test: no filter and no row-level security, and every question that counts differs."""
    monkeypatch.setattr(acl, "visible_scopes", everything)
    tally = run(bench, range(MUTANT_WORLDS), database=bench.owner)
    report(f"mutation, no walls: {MUTANT_WORLDS} worlds, {tally}")
    assert tally.differing == tally.threatened > 0
    assert tally.prompts >= 0.9 * tally.threatened


def test_row_level_security_holds_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter forgotten, the second lock still leaves nothing to tell."""
    monkeypatch.setattr(acl, "visible_scopes", everything)
    tally = run(bench, range(MUTANT_WORLDS), database=bench.walled)
    assert (tally.differing, tally.threatened > 0) == (0, True)


def test_the_filter_holds_alone(bench: Bench) -> None:
    """The lock open, the filter still leaves nothing to tell."""
    tally = run(bench, range(MUTANT_WORLDS), database=bench.owner)
    assert (tally.differing, tally.threatened > 0) == (0, True)


@pytest.mark.parametrize("statements", [("VOLUME",), ("FREQUENCIES",), ("VOLUME", "FREQUENCIES")])
def test_global_statistics_show(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, report: Report, statements: tuple[str, ...]
) -> None:
    """Test of the test: term statistics counted over all rows tell of hidden ones, though no hidden hit is shown."""
    for name in statements:
        before = getattr(lexical, name)
        counted = str(before.text).replace("scope_id = any (:scopes)", "(scope_id = any (:scopes) or true)")
        assert counted != before.text
        monkeypatch.setattr(lexical, name, text(counted).bindparams(*_binds(name)))
    tally = run(bench, range(MUTANT_WORLDS), database=bench.owner)
    report(f"mutation, global {' and '.join(statements)}: {MUTANT_WORLDS} worlds, {tally}")
    assert tally.differing >= 0.9 * tally.threatened > 0
    assert tally.prompts > 0


def test_a_shared_candidate_list_shows(bench: Bench, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Test of the test: the nearest of all, filtered after, is what row-level security over a shared index does."""
    after = text(
        "select chunk_id, similarity from ("
        " select chunk_id, scope_id, -(embedding <#> cast(:query as halfvec)) as similarity"
        " from vector_row where vector_dims(embedding) > 1"
        " order by embedding <#> cast(:query as halfvec), chunk_id limit 30) as best"
        " where scope_id = any (:scopes) order by similarity desc, chunk_id limit :limit"
    ).bindparams(lexical.SCOPES)
    monkeypatch.setattr(dense, "NEAREST", after)
    tally = run(bench, range(MUTANT_WORLDS), database=bench.owner)
    report(f"mutation, filter after the nearest 30: {MUTANT_WORLDS} worlds, {tally}")
    assert tally.differing >= 0.9 * tally.threatened > 0
    assert tally.prompts > 0


def _binds(name: str) -> list[BindParameter[Any]]:
    return [lexical.SCOPES] if name == "VOLUME" else [lexical.TERMS, lexical.SCOPES]


def test_worlds_are_what_they_claim() -> None:
    """At least 30 documents and 5 scopes, a nested role that opens, a deny that closes; order kept, numbers not."""
    for seed in range(WORLDS):
        world = make_world(seed, dt.datetime.now(dt.UTC))
        assert len(world.pages) >= 30
        assert len(world.places) >= 5
        assert 0 < len(world.seen) < len(world.places)
        assert world.roles["staff"] in world.caller.roles
        assert "staff" not in world.held
        bare = world.without_hidden().pages
        assert [p for p in world.pages if p in bare] == list(bare)
        assert any(not world.visible(p) for p in world.pages[: len(bare) // 2])
