"""Two worlds through the scope lists; `python -m tests.laws.large` asks more, beside more."""

from collections.abc import Iterator

import numpy as np
import pytest
from psycopg import sql

from app.retrieval import dense
from app.retrieval.dense import Nearest, nearest
from app.retrieval.reader import ReaderSnapshot
from tests.laws.large import FEW, VISIBLE, Side, differing, names, questions, side, threatened
from tests.laws.worlds.search_mutants import count_all_rows
from tests.support.cluster import TEMPLATE, Cluster, Db, copied
from tests.support.environment import Report
from tests.support.hidden_volume import Books, draw_books, worlds

TIMES = (1, 5)
ASKED = 80

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def stock() -> Books:
    return draw_books(VISIBLE, max(TIMES))


@pytest.fixture(scope="module")
def made(cluster: Cluster, stock: Books) -> Iterator[dict[str, Db]]:
    """The worlds by name: A without hidden passages, B with as many and with five times as many."""
    with copied(cluster, TEMPLATE) as empty:
        _, found = worlds(empty, stock, TIMES)
    yield found
    for one in found.values():
        cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(one.name)))


@pytest.fixture
def bare(made: dict[str, Db], monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    monkeypatch.setattr(dense, "EXACT_SCAN_LIMIT", FEW)
    with side("A", made["A"]) as found:
        yield found


@pytest.mark.parametrize("k", TIMES)
def test_hidden_passages_change_no_hit_no_score_and_no_prompt(
    made: dict[str, Db], bare: Side, stock: Books, report: Report, monkeypatch: pytest.MonkeyPatch, k: int
) -> None:
    by: list[str] = []

    def counted(seen: ReaderSnapshot, *given: object, **options: object) -> Nearest:
        found = nearest(seen, *given, **options)  # type: ignore[arg-type]
        by.append(found.outcome)
        return found

    monkeypatch.setattr("app.retrieval.search.nearest", counted)
    asked = questions(stock, ASKED)
    with side(f"B×{k}", made[f"B×{k}"]) as full, side("all", made[f"B×{k}"], role="owner") as everything:
        told = differing(bare, full, asked)
        threat = threatened(everything, names(stock), asked)
    report(f"lists, {k * VISIBLE} hidden: {ASKED} questions, {threat} threatened, {len(told)} differ")
    assert not told
    assert threat > 0.9 * ASKED
    assert set(by) == {"lists"}


@pytest.mark.parametrize("statistic", ["volume", "frequencies"])
def test_global_statistics_show(
    made: dict[str, Db], bare: Side, stock: Books, monkeypatch: pytest.MonkeyPatch, statistic: str
) -> None:
    """Test of the test: BM25's statistics counted over hidden passages too."""
    count_all_rows(monkeypatch, statistic)
    with side("all", made["B×5"], role="owner") as full:
        assert len(differing(bare, full, questions(stock, 20))) >= 10


def test_candidates_shared_with_hidden_passages_show(
    made: dict[str, Db], bare: Side, stock: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Test of the test: the best codes of all passages, and of these what may be read, as a shared index does."""

    def shared(self: dense._IndexSearch, depth: int) -> dict[int, float] | None:
        scopes = (
            self._reader.session.connection()
            .exec_driver_sql("select array_agg(id order by id) from scope")
            .scalar_one()
        )
        every = np.array(scopes, np.int32)
        near = self._view.scan(self._query, every, depth=depth)
        return self._reader.similarities(self._text, near.ids.tolist())

    monkeypatch.setattr(dense._IndexSearch, "run", shared)
    with side("B×5", made["B×5"]) as full:
        assert len(differing(bare, full, questions(stock, 20))) >= 10
