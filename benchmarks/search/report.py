"""Tables and plots of a run."""

import statistics
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.plots import draw
from benchmarks.search.peers.registry import FLOOR, PEERS, RULERS, YARDSTICK
from benchmarks.search.results import Cell, Results
from benchmarks.stats import mean, quantile, ratio
from benchmarks.tables import show

WORDS = {"rand": "scopes scattered", "corr": "topic among what is seen", "anti": "topic among what is hidden"}


def show_all(results: Results) -> None:
    for name in results.names:
        _show_cell(results, name)
    _show_overviews(results)
    _show_costs(results)
    if results.not_run:
        show("not run", ("peer", "why"), list(results.not_run.items()), left=2)
    if results.hidden_volume:
        _show_hidden(results.hidden_volume)
    if results.clients:
        _show_clients(results.clients)


def _show_cell(results: Results, name: str) -> None:
    """All peers: every millisecond beside its two ratios. Short or hidden rows must not be there."""
    hnsw, one = results.times(YARDSTICK), results.times(FLOOR)
    rows = []
    for cost in results.costs:
        found, deep = (results.find(cost.peer, name, k) for k in (10, 50))
        if found is None:
            continue
        both = [cell for cell in (found, deep) if cell]
        times = (str(quantile(found.ms, 0.5)), str(ratio(found.ms, hnsw, 0.5)))
        more = (f"{ratio(found.ms, one, 0.5).value:.1f}", str(quantile(found.ms, 0.95)))
        recall = (str(mean(c.recall)) if c and c.recall else "–" for c in (found, deep))
        wrong = (str(sum(c.short for c in both)), str(sum(c.hidden for c in both)))
        rows.append(
            (cost.peer, str(len(found.ms)), *times, *more, f"{statistics.fmean(found.cpu):.2f}", *recall, *wrong)
        )
    columns = ("peer", "n", "p50 ms", "× hnsw", "× select 1", "p95 ms", "CPU ms", "recall@10", "recall@50")
    seen = statistics.fmean(next(c.rows for c in results.cells if c.cell == name))
    show(f"{name} (on average {seen:,.0f} rows)", (*columns, "short", "hidden"), rows)


def _show_overviews(results: Results) -> None:
    """One figure each, peers by cells."""
    wall = statistics.median(results.times(YARDSTICK))
    work = statistics.fmean(cpu for c in results.cells if c.peer == YARDSTICK for cpu in c.cpu)
    over = "as a multiple of unfiltered HNSW ef 400"
    figures: dict[str, tuple[int, Callable[[Cell], float]]] = {
        "recall@10": (10, lambda c: statistics.fmean(c.recall)),
        "recall@50": (50, lambda c: statistics.fmean(c.recall)),
        f"p50 {over} ({wall:.2f} ms)": (10, lambda c: statistics.median(c.ms) / wall),
        f"CPU {over} ({work:.2f} ms): what a busy machine distorts least": (
            10,
            lambda c: statistics.fmean(c.cpu) / work,
        ),
    }
    for title, (k, figure) in figures.items():
        rows = []
        for cost in (cost for cost in results.costs if cost.peer not in RULERS):
            found = [results.find(cost.peer, name, k) for name in results.names]
            rows.append((cost.peer, *(f"{figure(c):.3g}" if c else "–" for c in found)))
        show(title, ("", *results.names), rows)


def _show_costs(results: Results) -> None:
    columns = ("what", "settings", "build s", "memory MB", "disk MB", "write rows/s", "re-grant ms", "rows written")
    rows = []
    for c in results.costs:
        sizes = (f"{c.build_seconds:.1f}", f"{c.memory / 1e6:,.0f}", f"{c.disk / 1e6:,.0f}")
        writes = ((c.rows_per_second, ",.0f"), (c.regrant_ms, ",.2f"), (c.regrant_rows, ","))
        rows.append((c.name, c.settings, *sizes, *("–" if v is None else format(v, form) for v, form in writes)))
    show("costs", columns, rows, left=2)


def _show_hidden(measured: Sequence[dict[str, Any]]) -> None:
    rows = []
    for peer in dict.fromkeys(row["peer"] for row in measured):
        group = [row for row in measured if row["peer"] == peer]
        cells = [peer]
        for row in group:
            changed = "" if peer in RULERS else f", {row['changed']} of {row['asked']}"
            over = ratio(row["ms"], group[0]["ms"], 0.5)
            cells.append(f"{statistics.median(row['ms']):.2f} ({over}){changed}")
        rows.append(cells)
    counts = dict.fromkeys(row["hidden"] for row in measured)
    title = "1,000 visible rows beside hidden ones: p50 ms, its ratio to none hidden, and how many answers changed"
    show(title, ("peer", *(f"{count:,} hidden" for count in counts)), rows)


def _show_clients(measured: Sequence[dict[str, Any]]) -> None:
    rows = []
    for (peer, cell), group in groupby(measured, lambda row: (row["peer"], row["cell"])):
        points = list(group)
        best, ceiling = max(row["per_second"] for row in points), points[0]["ceiling"]
        rates = (f"{row['per_second']:,.0f}" for row in points)
        rows.append((peer, cell, *rates, f"{ceiling:,.0f}", f"{best / ceiling:.2f}"))
    counts = dict.fromkeys(str(row["clients"]) for row in measured)
    title = "searches per second by clients; the ceiling is cores ÷ processor time of one search with one client"
    show(title, ("peer", "visible", *counts, "ceiling", "best ÷ ceiling"), rows, left=2)


def plot(results: Results, folder: Path) -> None:
    """Latency and recall over the visible share, for each regime."""
    figures: dict[str, tuple[str, Callable[[Cell], float]]] = {
        "latency": ("p50, milliseconds", lambda c: statistics.median(c.ms)),
        "recall": ("recall@10", lambda c: statistics.fmean(c.recall)),
    }
    rulers = {PEERS[peer].name: statistics.median(results.times(peer)) for peer in RULERS}
    for regime, words in WORDS.items():
        for what, (unit, figure) in figures.items():
            lines = {}
            for cost in (cost for cost in results.costs if cost.peer not in RULERS):
                cells = [results.find(cost.peer, name, 10) for name in results.names]
                inside = [c for c in cells if c and (c.cell == "100 %" or c.cell.endswith(f" {regime}"))]
                shares = [100 * statistics.fmean(c.rows) / results.about["n"] for c in inside]
                lines[cost.name] = (shares, [figure(c) for c in inside])
            title = f"{what} at k = 10, {results.about['n']:,} vectors, {words}"
            labels, path = (title, "visible share of all vectors, %", unit), folder / f"retrieval-{what}-{regime}.svg"
            draw(
                path, labels, lines, rulers=rulers if what == "latency" else {}, log="xy" if what == "latency" else "x"
            )
