"""Plots of a run, as SVG."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.evaluation.plot import COLOURS, Axis, Series, plot
from benchmarks.retrieval.intervals import Interval, mean, quantile
from benchmarks.retrieval.peers.registry import FLOOR, PEERS, YARDSTICK
from benchmarks.retrieval.results import Cell, Results

RULERS = {FLOOR: ("select 1", "#999999"), YARDSTICK: ("pg hnsw, no filter", "#555555")}
PART = "segment"  # a part of the product, beside the whole of it: in the tables alone
DRAWN = [peer for peer in PEERS if peer not in (*RULERS, PART)]


def draw_all(results: Results, folder: Path) -> list[Path]:
    """Draw what the results have; returns the files."""
    made: list[Path] = []
    if results.cells:
        for regime in (*WORDS, results.about.get("matrix") or ""):
            made += _by_share(results, regime, folder)
    if results.growth:
        made += _growth(results.growth, folder)
    if results.clients:
        made += _clients(results.clients, folder)
    if results.hidden_volume:
        made.append(_hidden(results.hidden_volume, folder))
    return made


def _by_share(results: Results, regime: str, folder: Path) -> list[Path]:
    """Latency and recall over the visible share."""
    latency: list[Series] = []
    recall: list[Series] = []
    names = {cost.peer: cost.name for cost in results.costs}
    for peer in results.peers():
        if peer in (*RULERS, PART):
            continue
        found = [c for c in results.cells if c.peer == peer and c.k == 10 and _is(c, regime)]
        found.sort(key=lambda c: statistics.fmean(c.rows))
        if not found:
            continue
        shares = [100 * statistics.fmean(c.rows) / results.about["n"] for c in found]
        latency.append(_line(peer, names[peer], shares, [quantile(c.ms, 0.5) for c in found]))
        recall.append(_line(peer, names[peer], shares, [mean(c.recall) for c in found]))
    # Everything visible alone is no curve.
    if max((len(s.xs) for s in latency), default=0) < 2:
        return []
    ends = [min(s.xs[0] for s in latency), max(s.xs[-1] for s in latency)]
    for peer, (name, colour) in RULERS.items():
        times = [ms for c in results.cells if c.peer == peer for ms in c.ms]
        latency.append(Series(name, ends, [statistics.median(times)] * 2, colour=colour))
    share = Axis("visible share of all vectors, %", log=True)
    about = f"{results.about['n']:,} vectors, {WORDS.get(regime, f'access matrix {regime}')}"
    files = [folder / f"retrieval-{what}-{_slug(regime)}.svg" for what in ("latency", "recall")]
    plot(files[0], f"p50 of a search, {about}", share, Axis("milliseconds", log=True), latency, beside=True)
    plot(files[1], f"recall@10, {about}", share, Axis("recall@10", low=0, high=1), recall, beside=True)
    return files


WORDS = {
    "rand": "scopes scattered",
    "corr": "topic inside what the caller sees",
    "anti": "topic outside what the caller sees",
}


def _is(cell: Cell, regime: str) -> bool:
    return bool(regime) and (cell.cell == "100 %" or cell.cell.endswith(f" {regime}"))


def _line(peer: str, name: str, xs: Sequence[float], found: Sequence[Any]) -> Series:
    """With error bars. A peer looks the same in all plots; the rulers are grey."""
    number = DRAWN.index(peer) if peer in DRAWN else 0
    label, colour = RULERS.get(peer, (name, COLOURS[number % len(COLOURS)]))
    return Series(
        label,
        xs,
        [f.value for f in found],
        points=True,
        dashed=number >= len(COLOURS),
        lows=[f.low for f in found],
        highs=[f.high for f in found],
        colour=colour,
    )


def _growth(rows: Sequence[dict[str, Any]], folder: Path) -> list[Path]:
    """p50 by size, one plot a cell."""
    made = []
    for cell in dict.fromkeys(row["cell"] for row in rows):
        series: list[Series] = []
        for peer in dict.fromkeys(row["peer"] for row in rows):
            found = sorted((r for r in rows if (r["peer"], r["cell"]) == (peer, cell)), key=lambda r: r["size"])
            if found:
                times = [quantile(r["ms"], 0.5) for r in found]
                series.append(_line(peer, peer, [r["size"] for r in found], times))
        path = folder / f"retrieval-growth-{_slug(cell)}.svg"
        seen = "1,000 visible rows" if cell == "1,000 rows" else f"{cell} visible"
        plot(path, f"p50 by number of vectors, {seen}", SIZE, Axis("milliseconds", log=True), series, beside=True)
        made.append(path)
    return made


SIZE = Axis("vectors", log=True)


def _clients(rows: Sequence[dict[str, Any]], folder: Path) -> list[Path]:
    """Searches per second by clients, one plot a cell."""
    made = []
    for cell in dict.fromkeys(row["cell"] for row in rows):
        series: list[Series] = []
        for peer in dict.fromkeys(row["peer"] for row in rows):
            found = sorted((r for r in rows if (r["peer"], r["cell"]) == (peer, cell)), key=lambda r: r["clients"])
            if found:
                rates = [Interval(r["per_second"], r["per_second"], r["per_second"]) for r in found]
                series.append(_line(peer, peer, [r["clients"] for r in found], rates))
        path = folder / f"retrieval-clients-{_slug(cell)}.svg"
        axes = (Axis("clients", log=True), Axis("searches per second", log=True))
        plot(path, f"searches per second, {cell} visible, {rows[0]['cores']} cores", *axes, series, beside=True)
        made.append(path)
    return made


def _hidden(rows: Sequence[dict[str, Any]], folder: Path) -> Path:
    """p50 for the same visible rows beside more hidden ones; none at all is drawn at 100."""
    series: list[Series] = []
    for peer in dict.fromkeys(row["peer"] for row in rows):
        found = sorted((r for r in rows if r["peer"] == peer), key=lambda r: r["hidden"])
        times = [quantile(r["ms"], 0.5) for r in found]
        series.append(_line(peer, peer, [max(100, r["hidden"]) for r in found], times))
    path = folder / "retrieval-hidden.svg"
    across = Axis("hidden vectors beside 1,000 visible ones (none drawn at 100)", log=True)
    plot(path, "p50 by hidden volume", across, Axis("milliseconds", log=True), series, beside=True)
    return path


def _slug(cell: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in cell.replace(" %", "")).strip("-")
