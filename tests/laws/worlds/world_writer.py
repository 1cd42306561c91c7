"""Writes a world into a database and takes it out again, committed."""

import contextlib
from collections.abc import Iterator, Sequence

import psycopg
from sqlalchemy import text

from app.acl import visible as acl
from app.db.session import Database
from app.embedding.protocol import EmbeddingModel
from tests.laws.worlds.bulk_writer import Maker, Rows
from tests.laws.worlds.pages import Page
from tests.laws.worlds.savepoint_worlds import STEP, Look, look
from tests.laws.worlds.world import World
from tests.support.library_db import TEXT_TABLES, LibraryDb

# What the product writes afterwards is numbered behind this, and what comes next of ours behind that.
NUMBERS = "select setval(pg_get_serial_sequence(t, 'id'), %s) from unnest('{document,chunk,scope,rule}'::text[]) t"
UNUSED_RULES = (
    "delete from rule where not exists (select from scope s join rule w on w.id = s.rule_id"
    " where rule.id in (w.id, w.own_id, w.above_id, s.own_part_id))"
)


class WorldWriter:
    """A world in a database, one at a time."""

    def __init__(self, library: LibraryDb, embedder: EmbeddingModel) -> None:
        self.library, self.maker = library, Maker(embedder)
        self._written = 0
        self._scopes: dict[int, int] = {}

    def put(self, world: World) -> None:
        """Write people, roles, scopes and pages, in their order."""
        self._scopes = {}
        with self._rows(world) as rows:
            rows.people()
            rows.documents(world.pages)

    def add(self, world: World, pages: Sequence[Page]) -> None:
        """Write further pages under scopes that stand."""
        with self._rows(world) as rows:
            rows.documents(pages)

    @contextlib.contextmanager
    def _rows(self, world: World) -> Iterator[Rows]:
        self._written += 2
        with psycopg.connect(self.library.db.libpq("admin")) as connection, connection.cursor() as cursor:
            # A world has thousands of postings: to look each one's parent up takes most of the time.
            cursor.execute("set local session_replication_role = replica")
            yield Rows(cursor, world, self.maker, STEP * self._written, self._scopes)
            cursor.execute(NUMBERS, [STEP * (self._written + 1)])

    def clear(self, world: World) -> None:
        ours = "select s.id from scope s join collection c on c.id = s.collection_id where c.name ~ '^collection-'"
        with self.library.session("admin") as session:
            session.execute(text("set local session_replication_role = replica"))
            for table in reversed(TEXT_TABLES):
                session.execute(text(f"delete from {table} where scope_id in ({ours})"))
        with self.library.session("owner") as session:
            session.execute(text("delete from collection where name ~ '^collection-'"))
            session.execute(text("delete from role where id = any (:ids)"), {"ids": list(world.roles.values())})
            session.execute(text("delete from app_user where id = :id"), {"id": world.caller.user_id})
        with self.library.session("admin") as session:
            session.execute(text("set local session_replication_role = replica"))
            session.execute(text(UNUSED_RULES))
            session.execute(text("delete from rule_grant where rule_id not in (select id from rule)"))

    def looks(self, database: Database, world: World) -> tuple[Look, ...]:
        """All questions of a world, each in a snapshot of its own as in the service."""
        seen = []
        for question in world.questions:
            with database.reading(world.caller.user_id) as session:
                visible = acl.visible_scopes(session, world.caller)
                seen.append(look(session, visible, self.maker.embedder, question))
        return tuple(seen)
