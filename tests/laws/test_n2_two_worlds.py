"""The headline (N1, N2): what a caller may not see changes nothing of what he is shown, to the last bit.

Each world is built twice, with and without its hidden documents. A question counts only if a search without filters
would have put a hidden passage among its ten best; the share is printed. Then the filters are taken away, and it must
show.
"""

import datetime as dt
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import Phase, given, settings
from sqlalchemy import text

from app.embedding.shared_words import SharedWords
from app.retrieval import dense
from app.retrieval import search as retrieval
from app.retrieval.rerank import Reranking
from tests.laws.worlds.outcomes import Tally, upper_bound
from tests.laws.worlds.savepoint_worlds import Inside, Quick
from tests.laws.worlds.search_mutants import (
    FILTER_AFTER,
    MAKE_HNSW,
    THROUGH_HNSW,
    Codebook,
    count_all_rows,
    everything,
    weigh_blocks_by_all_rows,
)
from tests.laws.worlds.strategies import draw, specs
from tests.laws.worlds.world import Spec, world_of
from tests.support.environment import LAW_FACTOR, Report

MUTANT_WORLDS = min(20, 12 * LAW_FACTOR)  # enough to see each mutant
# Batches 1 to 9 are for tests; `make laws` takes those from 100 on.
MUTANTS = draw(1, 20)[:MUTANT_WORLDS]
BY_OWNER = "clearance_owner"  # whose policy shows all rows


def run(quick: Quick, worlds: list[Spec]) -> Tally:
    tally = Tally()
    for number, spec in enumerate(worlds):
        outcome = quick.compare(spec)
        tally.add(f"world {spec.salt}:{number}", outcome)
        tally.prompts += sum(outcome.bare[n].prompt != outcome.full[n].prompt for n in outcome.differing)
    return tally


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leg brings five candidates: in a world of fifty passages sixty would be all, whoever found them."""
    monkeypatch.setattr(retrieval, "FUSION_DEPTH", 5)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("depth", "worlds"), [(60, 80 * LAW_FACTOR), (5, 50 * LAW_FACTOR)])
def test_hidden_documents_change_nothing(
    quick: Quick, report: Report, monkeypatch: pytest.MonkeyPatch, depth: int, worlds: int
) -> None:
    """Ids, order, exact scores and prompt bytes agree in every world that Hypothesis thinks of."""
    monkeypatch.setattr(retrieval, "FUSION_DEPTH", depth)
    tally, different = Tally(), set[bytes]()

    @hypothesis.seed(0)
    # Without the phase that explains a failure: it takes longer than finding one.
    @settings(max_examples=worlds + 10, database=None, phases=[Phase.generate, Phase.shrink])
    @given(specs())
    def law(spec: Spec) -> None:
        outcome = quick.compare(spec)
        assert all(seen.hits for seen in outcome.bare), "each caller reads something"
        assert not outcome.differing, f"alone: python -m tests.laws.run --only '{spec.to_json()}'"
        if spec.digest not in different:
            tally.add("", outcome)
            different.add(spec.digest)

    law()
    report(f"two worlds, depth {depth}: {tally}; at most {upper_bound(tally.questions):.4%} can differ (95 %)")
    assert tally.worlds >= worlds
    assert tally.share >= 0.8


def test_without_both_filters_it_shows(quick: Quick, report: Report) -> None:
    """Test of the test: no filter and no row-level security, and every question that counts differs."""
    tally = run(replace(quick, role=BY_OWNER, resolve=everything), MUTANTS)
    report(f"mutation, no filters: {tally}")
    assert tally.differing == tally.threatened > 0
    assert tally.prompts >= 0.9 * tally.threatened


def test_row_level_security_holds_alone(quick: Quick) -> None:
    """The scope filter forgotten, row-level security still leaves nothing to tell."""
    tally = run(replace(quick, resolve=everything), MUTANTS)
    assert (tally.differing, tally.threatened > 0) == (0, True)


def test_the_filter_holds_alone(quick: Quick) -> None:
    """The lock open, the filter still leaves nothing to tell."""
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    assert (tally.differing, tally.threatened > 0) == (0, True)


def test_a_cross_encoder_leaves_nothing_to_tell(quick: Quick, report: Report) -> None:
    """It orders some of the candidates anew, by their text: visible ones alone, whatever is hidden."""
    plain, reranked = (quick.compare(MUTANTS[0]), replace(quick, reranking=Reranking(SharedWords(), 5)))
    assert reranked.compare(MUTANTS[0]).bare != plain.bare, "it does order them anew"
    tally = run(reranked, MUTANTS)
    report(f"a cross-encoder over five: {tally}")
    assert (tally.differing, tally.threatened > 0) == (0, True)
    unfiltered = run(replace(reranked, role=BY_OWNER, resolve=everything), MUTANTS[:5])
    assert unfiltered.differing == unfiltered.threatened > 0, "without both filters it shows"


@pytest.mark.parametrize("counted", [("volume",), ("frequencies",), ("volume", "frequencies")])
def test_global_statistics_show(
    quick: Quick, monkeypatch: pytest.MonkeyPatch, report: Report, counted: tuple[str, ...]
) -> None:
    """Test of the test: term statistics counted over all rows tell of hidden ones, though no hidden hit is shown."""
    for statistic in counted:
        count_all_rows(monkeypatch, statistic)
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    report(f"mutation, global {' and '.join(counted)}: {tally}")
    assert tally.differing >= 0.9 * tally.threatened > 0
    assert tally.prompts > 0


def test_a_statistic_over_hidden_blocks_shows(quick: Quick, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Test of the test: what words count in quotes, counted over all rows, while every hit and every prompt stays."""
    weigh_blocks_by_all_rows(monkeypatch)
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    report(f"mutation, a statistic over hidden blocks: {tally}")
    # Where a word stands in no hidden passage, or in as many for each word, nothing moves.
    assert tally.differing >= 0.5 * tally.threatened > 0
    assert tally.prompts == 0


@pytest.mark.usefixtures("shallow")
def test_a_shared_candidate_list_shows(quick: Quick, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Test of the test: the nearest of all, filtered after."""
    monkeypatch.setattr(dense, "NEAREST", FILTER_AFTER)
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    report(f"mutation, filter after the nearest 20: {tally}")
    # Not each of them: a candidate that one leg loses is often brought by the other, with both of its scores.
    assert tally.differing >= 0.2 * tally.threatened > 0
    assert tally.prompts > 0


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize("iterative", ["off", "relaxed_order", "strict_order"])
def test_a_shared_hnsw_index_shows_under_both_filters(
    quick: Quick, monkeypatch: pytest.MonkeyPatch, report: Report, iterative: str
) -> None:
    """Test of the test: row-level security and the filter over one approximate index for everyone."""
    monkeypatch.setattr(dense, "NEAREST", THROUGH_HNSW)
    shared = replace(quick, prepare=f"{MAKE_HNSW}{iterative}")
    with shared.begun(world_of(MUTANTS[0], dt.datetime.now(dt.UTC))) as (world, connection):
        shared.put(connection, world)
        with Inside(connection, shared.role).reading(world.caller.user_id) as session:
            query: dict[str, object] = {"query": str([1.0] * 384), "scopes": "{1}", "limit": 60}
            plan = "\n".join(session.scalars(text(f"explain {THROUGH_HNSW.text}"), query))
    assert "shared_hnsw" in plan
    # An iterative scan finds everything among fifty passages; among some hundred it does not.
    tally = run(shared, MUTANTS if iterative == "off" else [replace(spec, floods=400) for spec in MUTANTS[:8]])
    report(f"mutation, a shared HNSW index, iterative scan {iterative}: {tally}")
    assert tally.differing > 0


@pytest.mark.usefixtures("shallow")
def test_a_codebook_trained_on_hidden_text_shows(quick: Quick, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Test of the test: visible rows alone are ranked, by codes whose centres lie where hidden rows pulled them."""
    monkeypatch.setattr(retrieval, "nearest", Codebook(data_free=False).nearest)
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    report(f"mutation, a codebook trained on all rows: {tally}")
    # Not each of them: a candidate that one leg loses is often brought by the other, with both of its scores.
    assert tally.differing >= 0.2 * tally.threatened > 0
    assert tally.prompts > 0


@pytest.mark.usefixtures("shallow")
def test_a_codebook_without_data_tells_nothing(quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side of it: the same codes from centres that know no document."""
    monkeypatch.setattr(retrieval, "nearest", Codebook(data_free=True).nearest)
    tally = run(replace(quick, role=BY_OWNER), MUTANTS)
    assert (tally.differing, tally.threatened > 0) == (0, True)
