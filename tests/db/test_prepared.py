"""Plans that are kept on a connection; how they read is looked at with all others (`tests.db.query_plans`)."""

import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import text

from app.acl.visible import visible_scopes
from app.db.session import Database, Signer, connect
from app.retrieval.search import Query, search
from app.scope_index.protocol import NoIndex
from tests.db.bulk_rows import Stock
from tests.support.cluster import IDENTITY_KEY
from tests.support.vector_rows import unit

KEPT = text("select statement from pg_prepared_statements where statement not like '%pg_prepared_statements%'")
QUERY = Query('"dry dock" crane', unit(np.random.default_rng(1), 1)[0], 9, operators=True)


@pytest.fixture(scope="module")
def stock(bulk_rows: Stock) -> Iterator[Stock]:
    # Closed to the service itself (tests/db/test_kept_plans.py).
    with bulk_rows.copy("grant execute on function pg_prepared_statement() to clearance_app") as made:
        yield made


def database(stock: Stock, *, prepare: bool) -> Database:
    engine = connect(stock.db.url("app"), pool_size=1, prepare=prepare)
    return Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=60_000)


def found(stock: Stock, through: Database, user: uuid.UUID) -> list[tuple[uuid.UUID, float]]:
    with through.reading(user) as session:
        visible = visible_scopes(session, stock.library.subject(user))
        return [(h.passage.chunk, h.score) for h in search(session, visible, NoIndex(), QUERY).best().hits]


@pytest.mark.parametrize("prepare", [True, False])
def test_plans_are_kept_if_they_may_be(stock: Stock, prepare: bool) -> None:
    """From one transaction to the next; not those whose settings differ from one to the other, and none by default."""
    through = database(stock, prepare=prepare)
    for _ in range(8):
        with through.writing(stock.wide) as session:
            visible_scopes(session, stock.library.subject(stock.wide))
            assert list(session.scalars(KEPT)) == []
    first = found(stock, through, stock.wide)
    for _ in range(8):
        assert found(stock, through, stock.wide) == first
    with through.anonymous() as session:
        kept = list(session.scalars(KEPT))
    for _ in range(8):
        found(stock, through, stock.narrow)
    with through.anonymous() as session:
        of_few = list(session.scalars(KEPT))
    through.close()
    assert any("posting" in statement for statement in kept) == prepare
    assert any("clearance.remember_scopes" in statement for statement in kept) == prepare
    assert not any("order by (embedding" in statement for statement in kept)
    assert any("order by (embedding" in statement for statement in of_few) == prepare
