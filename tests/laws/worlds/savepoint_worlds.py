"""Two worlds in one transaction that is rolled back: quick enough for thousands, and through the product's own search.

The transaction is a superuser's, which writes the rows; each look is taken in a savepoint of its own as the database
role that the API has, under its signed identity, so that row-level security holds there as it does in the service.
"""

import contextlib
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, text

from app.acl import visible as acl
from app.answer.prompt import build, choose
from app.answer.quotes.material import LOOKED_AT, Material
from app.answer.quotes.select import QuoteSelector
from app.db.session import Database, ReadSession, Signer, transaction_of
from app.embedding.protocol import EmbeddingModel
from app.identity.subject import Subject
from app.retrieval import search as retrieval
from app.retrieval.rerank import Reranking
from app.scope_index.protocol import NoIndex, VectorIndex
from tests.laws.worlds.bulk_writer import Maker, Rows
from tests.laws.worlds.outcomes import TOP, Outcome
from tests.laws.worlds.unfiltered_search import Unfiltered
from tests.laws.worlds.world import Spec, World, world_of
from tests.support.cluster import IDENTITY_KEY

LIMIT = 32  # as many hits as an answer looks at
# Dead rows of worlds that were rolled back: after so many, they are swept up.
SWEEP = 100
# How far the numbers of two worlds lie apart; numbers of scopes have 31 bits.
STEP = 1000
PEOPLE = "app_user, role, role_inside, membership"
LIBRARY = "document, original, chunk, vector_row, scope_volume, posting"
SWEPT = f"{PEOPLE}, collection, folder, rule, rule_grant, scope, {LIBRARY}"

BEGIN_AS = text(
    "select set_config('role', :role, true), set_config('transaction_read_only', 'on', true),"
    " set_config('clearance.identity', :identity, true)"
)


@dataclass(frozen=True)
class Look:
    """What one question shows: each hit and each quote with its exact scores, and the digest of the prompt's bytes."""

    hits: tuple[tuple[str, float, float, float], ...]
    supported: bool
    quotes: tuple[tuple[str, str, str, float], ...]
    prompt: str


def look(
    session: ReadSession,
    visible: acl.Visible,
    embedder: EmbeddingModel,
    question: str,
    lists: VectorIndex = NoIndex(),  # noqa: B008  # holds nothing
    *,
    reranking: Reranking | None = None,
) -> Look:
    """Search, choose and build, as the answer pipeline does it."""
    query = retrieval.Query(question, embedder.embed_query(question), LIMIT, with_neighbors=LOOKED_AT)
    found = retrieval.search(session, visible, lists, query).best(reranking)
    hits = found.hits
    quotes = QuoteSelector(Material(question, query.vector, hits, found.around, found.weights))
    context = build(question, choose(hits, passages=8, tokens=1600)) if hits else None
    return Look(
        tuple((str(h.passage.chunk), h.score, h.similarity, h.coverage) for h in hits),
        quotes.answerable,
        tuple((str(c.page.passage.chunk), c.block.text, c.confidence, c.score) for c in quotes.choose()),
        hashlib.sha256(context.prompt).hexdigest() if context else "",
    )


class Inside(Database):
    """The product's `Database` on one connection: each transaction is a savepoint that is rolled back.

    `role` is who looks: clearance_app under both filters, clearance_owner without row-level security.
    """

    def __init__(self, connection: Connection, role: str) -> None:
        super().__init__(connection.engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=15_000)
        self._connection, self._role = connection, role

    @contextlib.contextmanager
    def reading(self, user_id: uuid.UUID | None) -> Iterator[ReadSession]:
        """What this user sees; nobody for None."""
        with self._connection.begin_nested() as point:
            identity = "" if user_id is None else self._signer.sign(user_id, transaction_of(self._connection))
            self._connection.execute(BEGIN_AS, {"role": self._role, "identity": identity})
            with ReadSession(self._connection, expire_on_commit=False) as session:
                yield session
            # The settings above end with a savepoint that is rolled back, and stay on if it is released.
            point.rollback()


@dataclass
class Quick:
    """Builds and compares worlds on one connection of a superuser."""

    engine: Engine
    embedder: EmbeddingModel
    role: str = "clearance_app"
    resolve: Callable[[ReadSession, Subject], acl.Visible] | None = None
    prepare: str | None = None
    """A statement that the superuser runs when a world is written, such as an index to make."""
    reranking: Reranking | None = None
    done: int = 0
    written: int = 0
    _maker: Maker = field(init=False)

    def __post_init__(self) -> None:
        self._maker = Maker(self.embedder)

    def compare(self, spec: Spec) -> Outcome:
        """Write both worlds of a spec, one after the other, and look at both."""
        if self.done % SWEEP == SWEEP - 1:
            self.sweep()
        self.done += 1
        with self.begun(world_of(spec, dt.datetime.now(dt.UTC))) as (world, connection):
            bare = self._looks(connection, world.without_hidden())
            full = self._looks(connection, world)
        unfiltered = Unfiltered(world, self._maker)  # beside the database: a third look would cost as much as a world
        return Outcome(bare, full, tuple(unfiltered.shows_hidden(q, TOP) for q in world.questions))

    @contextlib.contextmanager
    def begun(self, world: World) -> Iterator[tuple[World, Connection]]:
        """A transaction with the people and collections of a world, and no document yet."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text("set local session_replication_role = replica"))
            with _cursor(connection) as cursor:
                Rows(cursor, world, self._maker, 0).people()
            yield world, connection
            transaction.rollback()

    def put(self, connection: Connection, world: World) -> None:
        """Write the world's documents, under numbers that no world before it had."""
        self.written += 1
        with _cursor(connection) as cursor:
            Rows(cursor, world, self._maker, STEP * self.written).documents(world.pages)
        if self.prepare is not None:
            connection.execute(text(self.prepare))

    def _looks(self, connection: Connection, world: World) -> tuple[Look, ...]:
        with connection.begin_nested() as point:
            self.put(connection, world)
            with Inside(connection, self.role).reading(world.caller.user_id) as session:
                visible = (self.resolve or acl.visible_scopes)(session, world.caller)
                looks = tuple(
                    look(session, visible, self.embedder, q, reranking=self.reranking) for q in world.questions
                )
            point.rollback()
        return looks

    def sweep(self) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"vacuum {SWEPT}"))


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """One of psycopg's own, inside this connection's transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("worlds are written by psycopg's COPY")
    return driver.cursor()


def superuser(url: str) -> Engine:
    """An engine with one connection. What is rolled back needs no snapshot of its own: READ COMMITTED, and no JIT."""
    return create_engine(
        url, pool_size=1, max_overflow=0, hide_parameters=True, connect_args={"prepare_threshold": None}
    )
