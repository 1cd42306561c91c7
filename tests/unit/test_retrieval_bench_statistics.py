"""Intervals, growth, the plan of a run, and what tables and plots make of results."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from app.evaluation.plot import Axis, Series, plot
from app.local.postgres import EmbeddedPostgres
from benchmarks.retrieval.cases import Caller, Case, make_cases
from benchmarks.retrieval.intervals import growth, mean, quantile, ratio
from benchmarks.retrieval.markdown import markdown
from benchmarks.retrieval.measure import Plan, measure, tasks_of
from benchmarks.retrieval.peers.numpy_exact import NumpyExact
from benchmarks.retrieval.plots import draw_all
from benchmarks.retrieval.postgres import Server
from benchmarks.retrieval.protocol import Place, Retriever
from benchmarks.retrieval.report import show
from benchmarks.retrieval.results import Cell, Cost, Results, load
from benchmarks.retrieval.world import Floats, make, synthetic


def test_a_quantile_lies_in_its_interval_which_narrows_with_more_values() -> None:
    rng = np.random.default_rng(1)
    few, many = (quantile(rng.lognormal(size=n).tolist(), 0.5) for n in (30, 3_000))
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_intervals_hold_the_true_median_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    found = [quantile(rng.exponential(size=60).tolist(), 0.5, seed=n) for n in range(200)]
    held = sum(one.low <= np.log(2) <= one.high for one in found)
    assert 175 <= held <= 199


def test_a_ratio_of_equal_samples_covers_one_and_of_doubled_ones_two() -> None:
    rng = np.random.default_rng(3)
    ruler, same = rng.exponential(size=400).tolist(), rng.exponential(size=400)
    equal, double = ratio(same.tolist(), ruler, 0.5), ratio((2 * same).tolist(), ruler, 0.5)
    assert equal.low < 1 < equal.high < double.low < 2 < double.high


def test_the_mean_of_constants_has_no_width() -> None:
    assert (mean([0.5] * 9).low, mean([0.5] * 9).value, mean([0.5] * 9).high) == (0.5, 0.5, 0.5)


def test_nothing_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.3])
def test_growth_finds_the_exponent(exponent: float) -> None:
    sizes = [1e4, 3e4, 1e5, 1e6]
    fit = growth(sizes, [0.02 * size**exponent for size in sizes])
    assert fit.exponent == pytest.approx(exponent, abs=1e-9)
    assert fit.factor == pytest.approx(0.02)
    assert fit.error < 1e-6


@pytest.mark.parametrize(("sizes", "values"), [([10.0], [1.0]), ([10.0, 10.0], [1.0, 2.0]), ([10.0, 20.0], [0.0, 1.0])])
def test_growth_needs_two_sizes_and_positive_values(sizes: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="power law"):
        growth(sizes, values)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Two cells of eight questions."""
    source = synthetic(100, np.random.default_rng(1))
    return make_cases(make(source, source[:8], 2_000), fractions=(1.0, 0.1), regimes=("rand",))


def test_a_plan_asks_all_peers_everything_in_mixed_order(cases: list[Case]) -> None:
    tasks = tasks_of(["one", "hnsw", "a", "b"], cases, Plan(deep_share=0.5, slow_questions=3), {"b"})
    asked = {(p, k): [t.case.caller.id for t in tasks if (t.peer, t.k) == (p, k)] for p in "ab" for k in (10, 50)}
    assert sorted(asked["a", 10]) == [case.caller.id for case in cases]
    assert len(asked["a", 50]) == 8
    assert len(asked["b", 10]) == 6  # slow: three questions a cell
    assert asked["a", 10] != sorted(asked["a", 10])
    # The rulers answer what everybody may see, five times.
    assert sum(t.peer == "hnsw" for t in tasks) == 40
    order = [t.peer for t in tasks]
    assert max(sum(1 for _ in run) for run in runs(order)) < 12


class Leaky(NumpyExact):
    """Shows everybody everything."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """All scopes."""
        return super().search(question, Caller(caller.id, tuple(range(1_500))), k)


class Lazy(NumpyExact):
    """Gives half of what it is asked for, and takes ten milliseconds."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Half."""
        time.sleep(0.01)
        return super().search(question, caller, k // 2)


def test_a_run_tells_exact_leaky_and_lazy_peers_apart(tmp_path: Path) -> None:
    source = synthetic(100, np.random.default_rng(1))
    world = make(source, source[:6], 2_000)
    cases = make_cases(world, fractions=(1.0, 0.1), regimes=("anti",))
    place = Place(tmp_path, Server(EmbeddedPostgres(tmp_path, password="unused")))  # nothing is started
    peers: dict[str, Retriever] = {"numpy": NumpyExact(place), "leaky": Leaky(place), "lazy": Lazy(place)}
    for peer in peers.values():
        peer.build(world)
    cells = {(c.peer, c.cell, c.k): c for c in measure(peers, world, cases, Plan(deep_share=0.5), lambda *_: None)}
    assert len(cells) == 12
    assert [len(cells["numpy", "10 % anti", k].ms) for k in (10, 50)] == [6, 3]
    for (name, cell, k), found in cells.items():
        leaks, halves = name == "leaky" and cell != "100 %", name == "lazy"
        assert found.hidden == (k * len(found.ms) if leaks else 0)
        assert found.short == (len(found.ms) if halves else 0)
        assert set(found.recall) == {0.0 if leaks else 0.5 if halves else 1.0}
        assert min(found.cpu) >= 0
        if halves:  # it sleeps, and sleeping is not work; how long the others take is the machine's affair
            assert min(found.ms) >= 10
            assert np.median(found.cpu) < np.median(found.ms)


def runs(order: list[str]) -> list[list[str]]:
    """Stretches of one peer."""
    found: list[list[str]] = [[]]
    for peer in order:
        if found[-1] and found[-1][-1] != peer:
            found.append([])
        found[-1].append(peer)
    return found


def results() -> Results:
    """Two peers, two cells, and a peer that was not run."""
    rng = np.random.default_rng(4)
    made = Results({"n": 1_000, "world": "w"})
    for peer, factor in (("one", 0.1), ("hnsw", 2.0), ("lists", 1.0), ("acl", 9.0)):
        made.costs.append(Cost(peer, peer, "as is", 1.0, 2_000_000, 3_000_000, False, 500.0, 1.5, 0))
        for cell, rows in (("100 %", 1_000), ("10 % anti", 100)):
            ms = (factor * rng.lognormal(size=20)).round(3).tolist()
            made.cells.append(Cell(peer, cell, 10, ms, ms, [0.75] * 20, [rows] * 20))
    made.cells[-1].short = 4
    made.not_run["chroma"] = "chromadb is not installed"
    made.growth = [
        {"size": n, "peer": "lists", "ms": [n / 100.0], "build_seconds": n / 10.0, "cell": "100 %", "recall": 1.0}
        for n in (100, 1_000, 10_000)
    ]
    # At each size the machine is twice as busy as at the last: the ruler says so.
    made.growth = [row | {"ms": [row["ms"][0] * 2**k]} for k, row in enumerate(made.growth)]
    made.growth += [row | {"peer": "one", "ms": [0.1 * 2**k]} for k, row in enumerate(made.growth)]
    counts = ({"clients": 1, "per_second": 90.0}, {"clients": 4, "per_second": 150.0})
    made.clients = [
        {"peer": "lists", "cell": "100 %", "cpu_ms": 10.0, "ceiling": 200.0, "cores": 2, **c} for c in counts
    ]
    made.hidden_volume = [
        {"hidden": n, "peer": "lists", "ms": [1.0, 1.1], "cpu": [1.0], "recall": 1.0, "changed": n // 100, "asked": 100}
        for n in (0, 1_000)
    ]
    made.cold = [
        {
            "peer": "lists",
            "cell": "100 %",
            "evicted_bytes": 9,
            "first_ms": 40.0,
            "cold_ms": [40.0, 7.0],
            "warm_ms": [1.0],
        }
    ]
    return made


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    results().save(tmp_path / "r.json")
    assert load(tmp_path / "r.json") == results()
    (tmp_path / "old.json").write_text('{"version": 0}')
    with pytest.raises(ValueError, match="another version"):
        load(tmp_path / "old.json")


def test_tables_say_ratio_shortfall_exponent_ceiling_and_who_was_not_run() -> None:
    console = Console(width=200, file=io.StringIO())
    show(results(), console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "not run: chroma: chromadb is not installed" in shown
    assert "10 of 100" in shown  # answers that hidden rows changed
    (grown,) = (line for line in shown.splitlines() if "lists" in line and "400.00" in line)
    assert "1.30 ± 0.00" in grown  # the exponent, and that of the ratio to the ruler
    assert "1.00 ± 0.00" in grown
    assert "0.75" in shown  # recall, and the best throughput over the ceiling
    assert any(
        line.split("│")[1:5] and " acl " in line and " 4 " in line and "10 % anti" in line
        for line in shown.splitlines()
    )


def test_markdown_has_both_ratios_the_shortfall_and_who_was_not_run() -> None:
    made = results()
    for cell in made.cells:
        cell.ms = {"one": [0.5], "hnsw": [2.0], "lists": [1.0], "acl": [9.0]}[cell.peer] * 20
    made.about |= {"scopes": 1_500, "cores": 2, "postgres": "18", "pgvector": "0.8"}
    text = markdown(made)
    assert "Unfiltered HNSW at ef 400: p50 2.00 ms; `select 1`: 0.50 ms." in text
    assert "| lists | 1.00 (×0.50, ×2.00) | 1.00 (×0.50, ×2.00) |" in text
    assert "| acl | 0/20 | 4/20 |" in text
    assert "- not run: chroma: chromadb is not installed" in text
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)


def test_plots_are_drawn_for_what_there_is(tmp_path: Path) -> None:
    names = {path.name for path in draw_all(results(), tmp_path)}
    assert {"retrieval-latency-anti.svg", "retrieval-recall-anti.svg", "retrieval-growth-100.svg"} <= names
    assert {"retrieval-clients-100.svg", "retrieval-hidden.svg"} <= names
    assert all((tmp_path / name).read_text().endswith("</svg>\n") for name in names)
    assert draw_all(Results({"n": 1}), tmp_path) == []


def test_error_bars_are_drawn_and_widen_the_axis(tmp_path: Path) -> None:
    plain = Series("a", [1, 2], [1, 1], points=True)
    barred = Series("a", [1, 2], [1, 1], points=True, lows=[0.1, 0.5], highs=[1, 10])
    plot(tmp_path / "plain.svg", "t", Axis("x"), Axis("y", log=True, low=0.9, high=1.1), [plain])
    plot(tmp_path / "bars.svg", "t", Axis("x"), Axis("y", log=True, low=0.9, high=1.1), [barred], beside=True)
    without, with_bars = ((tmp_path / name).read_text() for name in ("plain.svg", "bars.svg"))
    assert with_bars.count('stroke-width="1"') == 2
    assert 'stroke-width="1"' not in without
    assert ">10<" in with_bars
    assert 'viewBox="0 0 960 420"' in with_bars
    with pytest.raises(ValueError, match="zip"):
        plot(tmp_path / "odd.svg", "t", Axis("x"), Axis("y"), [Series("a", [1, 2], [1, 1], lows=[1, 1], highs=[1])])
