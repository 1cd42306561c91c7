"""What the law of two worlds rests on: worlds are what they claim, rows as the product writes them, filters real."""

import datetime as dt

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.acl.scopes import scope_for
from app.db.rls_probe import CANARY
from app.db.tables.access import Collection, Folder
from app.db.tables.people import Membership, Role, RoleInside, User
from ingest.write import NewVersion, write_version
from tests.laws.worlds.bulk_writer import Maker
from tests.laws.worlds.outcomes import TOP
from tests.laws.worlds.savepoint_worlds import Inside, Quick, look
from tests.laws.worlds.search_mutants import everything
from tests.laws.worlds.strategies import draw
from tests.laws.worlds.unfiltered_search import Unfiltered
from tests.laws.worlds.world import FOLDERS, Spec, World, world_of
from tests.laws.worlds.world_writer import WorldWriter
from tests.support.cluster import Db
from tests.support.library_db import TEXT_TABLES, LibraryDb, counts, library_of

NOW = dt.datetime.now(dt.UTC)
WORLDS = [world_of(spec, NOW) for spec in draw(2, 40)]

# All that a world is in a database, but for what is drawn there: numbers, times, and public ids of text.
CONTENT = {
    "people": "select u.id, u.name, u.clearance, u.capabilities, u.active, m.role_id from app_user u"
    " join membership m on m.user_id = u.id where u.name like 'caller-%' order by m.role_id",
    "roles": "select r.id, i.inside_id from role r left join role_inside i on i.role_id = r.id order by 1, 2",
    "folders": "select id, collection_id, path, own_rule from folder order by 1",
    "scopes": "select c.id, s.folder_id, c.name, c.own_rule, s.own_digest, s.own_rule, r.digest, r.label, o.digest"
    " from scope s join collection c on c.id = s.collection_id join rule r on r.id = s.rule_id"
    " join rule o on o.id = s.own_part_id where c.name like 'collection-%' order by c.id, s.folder_id, s.own_digest",
    "grants": "select r.digest, g.rule_id, r.label, r.grant_digests, g.ordinal, g.effect, g.principal_kind,"
    " g.principal_id, g.starts_at, g.ends_at, g.inherited from rule r join rule_grant g on g.rule_id = r.id where"
    " exists (select from scope s join collection c on c.id = s.collection_id join rule w on w.id = s.rule_id"
    " where r.id in (w.own_id, w.above_id) and c.name like 'collection-%') order by r.digest, g.ordinal",
    "documents": "select d.collection_id, s.own_digest, d.path, d.media_type, d.version,"
    " o.title, o.scope_id = d.scope_id from document d join original o on o.document_id = d.id"
    " join scope s on s.id = d.scope_id order by d.id",
    "passages": "select d.path, c.scope_id = d.scope_id, v.scope_id = d.scope_id, c.ordinal, c.text,"
    " c.heading_path, c.page, c.tokens, v.terms, v.embedding::text from chunk c join document d on d.id = c.document_id"
    " join vector_row v on v.chunk_id = c.id order by c.id",
    "postings": "select d.path, c.ordinal, p.term, e.entry & (1 << 25) - 1, p.scope_id = c.scope_id, p.document_id"
    " = c.document_id from posting p cross join generate_series(0, length(p.entries) / 8 - 1) n"
    " cross join lateral (select substr(p.entries, 8 * n + 1, 8)::bigint as entry) e"
    " join chunk c on c.id = e.entry >> 25 join document d on d.id = c.document_id order by c.id, p.term",
}


def content(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for name, query in CONTENT.items():
        rows = [tuple(row) for row in connection.execute(text(query))]
        # The rule's number is the database's; its digest stands in front.
        found[name] = [(row[0], *row[2:]) for row in rows] if name == "grants" else rows
    return found


def test_worlds_are_what_they_claim() -> None:
    """At least 30 documents and 5 scopes, a nested role that opens, a deny that closes; order kept, numbers not."""
    for world in WORLDS:
        assert len(world.pages) >= 30
        assert len(world.places) >= 5
        assert 0 < len(world.seen) < len(world.places)
        assert world.roles["staff"] in world.caller.roles
        assert "staff" not in world.held
        grants = {g for place in world.places for g in place.own.grants}
        assert any(g.effect == "deny" and world.caller.is_named_by(g.principal) for g in grants)
        assert any(not g.in_time(NOW) for g in grants)
        assert any(p.own.label is not None and p.own.label > world.caller.clearance for p in world.places)
        bare = world.without_hidden().pages
        assert [p for p in world.pages if p in bare] == list(bare)
        assert any(not world.visible(p) for p in world.pages[: len(bare) // 2])


def test_a_world_is_made_again_from_its_line() -> None:
    for world in WORLDS:
        assert world_of(Spec.from_json(world.spec.to_json()), NOW) == world
    assert draw(2, 40) == [world.spec for world in WORLDS]
    assert not set(draw(3, 40)) & {world.spec for world in WORLDS}


def write_by_the_product(library: LibraryDb, world: World, maker: Maker) -> None:
    """People as rows, scopes by `scope_for`, documents by the worker's own writer, in their order."""
    with library.session("owner") as session:
        put_people(session, world)
        collections = {
            name: Collection(id=world.name("collection", name), name=f"collection-{name}", own_rule=own.to_json())
            for name, own in world.collections.items()
        }
        session.add_all(collections.values())
        session.flush()
        places = {n: world.places[n] for n in sorted({page.place for page in world.pages})}
        for name in collections:
            depth = max((place.depth for place in places.values() if place.collection == name), default=0)
            for n, own in enumerate(world.folders[:depth]):
                ids = {"id": world.name("folder", name, n + 1), "collection_id": world.name("collection", name)}
                session.add(Folder(**ids, path=FOLDERS[n], own_rule=own.to_json()))
        session.flush()
        scopes = {}
        for n, place in places.items():
            within = world.name("folder", place.collection, place.depth) if place.depth else None
            scopes[n] = scope_for(session, collections[place.collection], place.own, within)
    for page in world.pages:
        upload = {world.path(page): (scopes[page.place], page.title.encode())}
        with library.uploading(collections[places[page.place].collection].id, upload) as (worker, [job]):
            version = NewVersion(page.title, "text/plain", page.title.encode())
            write_version(worker, job, version, maker.index(page.title, page.texts))


def put_people(session: Session, world: World) -> None:
    caller = world.caller
    session.add_all(Role(id=role, name=f"{name}-{caller.name}") for name, role in world.roles.items())
    rights = {"clearance": int(caller.clearance), "capabilities": sorted(caller.capabilities)}
    session.add(User(id=caller.user_id, name=caller.name, display_name="", **rights))
    session.flush()
    session.add_all(RoleInside(role_id=world.roles[a], inside_id=world.roles[b]) for a, b in world.nesting)
    session.add_all(Membership(user_id=caller.user_id, role_id=world.roles[r]) for r in world.held)


def test_worlds_are_written_as_the_product_writes(db: Db, quick: Quick) -> None:
    """Row by row, but for what the database draws."""
    maker = Maker(quick.embedder)
    with library_of(db) as library:
        rows = []
        for world in WORLDS[:6]:
            with quick.begun(world) as (_, connection):
                quick.put(connection, world)
                rows.append(content(connection))
            assert all(found or name == "folders" for name, found in rows[-1].items())
        assert any(found["folders"] for found in rows)
        for world, expected in zip(WORLDS, rows, strict=False):
            write_by_the_product(library, world, maker)
            with library.engine("admin").connect() as connection:
                assert content(connection) == expected
            WorldWriter(library, quick.embedder).clear(world)


def test_the_filters_stand_in_a_world_that_is_rolled_back(quick: Quick) -> None:
    """Nobody sees nothing, the canary its row, the caller what the oracle says, the owner all; then all is gone."""
    world = WORLDS[0]
    with quick.begun(world) as (_, connection):
        quick.put(connection, world)
        seen = {}
        for role, who in [("app", None), ("app", CANARY), ("app", world.caller.user_id), ("owner", None)]:
            with Inside(connection, f"clearance_{role}").reading(who) as session:
                assert session.scalar(text("select current_user")) == f"clearance_{role}"
                assert session.scalar(text("show transaction_read_only")) == "on"
                seen[role, who] = counts(session)
        assert connection.scalar(text("select current_user || current_setting('clearance.identity')")) == "postgres"
    assert set(seen["app", None].values()) == {0}
    assert set(seen["app", CANARY].values()) == {1}
    mine = [page for page in world.pages if world.visible(page)]
    assert seen["app", world.caller.user_id]["document"] == len(mine)
    assert seen["app", world.caller.user_id]["chunk"] == sum(len(page.texts) for page in mine)
    assert seen["owner", None]["document"] == len(world.pages) + 1
    with quick.engine.connect() as connection:
        left = [connection.scalar(text(f"select count(*) from {table}")) for table in (*TEXT_TABLES, "app_user")]
    assert set(left) == {1}


def test_the_threat_is_what_the_product_would_show_without_filters(quick: Quick) -> None:
    """The ranking computed beside the database is that of the product's own search over everything."""
    maker = Maker(quick.embedder)
    for world in WORLDS[:12]:
        unfiltered = Unfiltered(world, maker)
        with quick.begun(world) as (_, connection):
            quick.put(connection, world)
            with Inside(connection, "clearance_owner").reading(world.caller.user_id) as session:
                for question in world.questions:
                    shown = look(session, everything(session, world.caller), quick.embedder, question)
                    best = [unfiltered.names[n] for n in unfiltered.best(question)]
                    assert [hit[0] for hit in shown.hits][:TOP] == best[:TOP]
