"""The tables that go into documents, as Markdown."""

import statistics
from collections.abc import Callable, Sequence

from benchmarks.retrieval.intervals import quantile, ratio
from benchmarks.retrieval.peers.registry import FLOOR, YARDSTICK
from benchmarks.retrieval.results import Cell, Results

RULERS = (FLOOR, YARDSTICK)


def markdown(results: Results) -> str:
    """Latency with both ratios, recall, what is wrong in kind, and costs; peers by cells."""
    rulers = {name: [ms for c in results.cells if c.peer == name for ms in c.ms] for name in RULERS}
    hnsw, one = (statistics.median(rulers[name]) for name in (YARDSTICK, FLOOR))
    head = (
        f"{results.about['n']:,} vectors, {results.about['scopes']:,} scopes, {results.about['cores']} cores"
        f" (PostgreSQL {results.about.get('postgres')}, pgvector {results.about.get('pgvector')})."
        f" Unfiltered HNSW at ef 400: p50 {hnsw:.2f} ms; `select 1`: {one:.2f} ms."
    )

    def times(cell: Cell) -> str:
        p50 = statistics.median(cell.ms)
        return f"{_short(p50)} (×{_short(p50 / hnsw)}, ×{_short(p50 / one)})"

    def tails(cell: Cell) -> str:
        p95 = quantile(cell.ms, 0.95)
        return f"{_short(p95.value)} [{_short(p95.low)}–{_short(p95.high)}]"

    def over(cell: Cell) -> str:
        found = ratio(cell.ms, rulers[YARDSTICK], 0.5)
        return f"{_short(found.value)} [{_short(found.low)}–{_short(found.high)}]"

    work = statistics.fmean(cpu for c in results.cells if c.peer == YARDSTICK for cpu in c.cpu)

    def recall(cell: Cell) -> str:
        return f"{statistics.fmean(cell.recall):.3f}" if cell.recall else "–"

    parts = [
        head,
        _section("p50 in ms (× unfiltered HNSW, × `select 1`)", _by_cell(results, times, 10)),
        _section("p50 over unfiltered HNSW, 95 % interval", _by_cell(results, over, 10)),
        _section("p95 in ms, 95 % interval", _by_cell(results, tails, 10)),
        _section("CPU in ms, mean", _by_cell(results, lambda c: _short(statistics.fmean(c.cpu)), 10)),
        _section("CPU over unfiltered HNSW", _by_cell(results, lambda c: _short(statistics.fmean(c.cpu) / work), 10)),
        _section("recall@10", _by_cell(results, recall, 10)),
        _section("recall@50", _by_cell(results, recall, 50)),
        _section(
            "answers with too few rows, of all at k = 10", _by_cell(results, lambda c: f"{c.short}/{len(c.ms)}", 10)
        ),
        _section("costs", _costs(results)),
    ]
    missing = [f"- not run: {name}: {reason}" for name, reason in results.not_run.items()]
    return "\n\n".join([*parts, *(["\n".join(missing)] if missing else [])]) + "\n"


def _section(title: str, rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(row) for row in rows]
    rule = " | ".join(["---", *["--:"] * (len(rows[0]) - 1)])
    return "\n".join([f"**{title}**", "", *(f"| {line} |" for line in (lines[0], rule, *lines[1:]))])


def _by_cell(results: Results, say: Callable[[Cell], str], k: int) -> list[list[str]]:
    cells = results.ordered_cells()
    rows = [["", *cells]]
    for cost in results.costs:
        found = [results.find(cost.peer, cell, k) for cell in cells]
        if cost.peer not in RULERS:
            rows.append([cost.name, *(say(c) if c else "–" for c in found)])
    return rows


def _costs(results: Results) -> list[list[str]]:
    rows = [["", "settings", "build s", "memory MB", "disk MB", "write rows/s", "re-grant ms", "rows written"]]
    for cost in results.costs:
        if cost.peer == FLOOR:
            continue
        rate = f"{cost.rows_per_second:,.0f}" if cost.rows_per_second else "–"
        regrant = [f"{cost.regrant_ms:,.2f}", f"{cost.regrant_rows:,}"] if cost.regrant_ms is not None else ["–", "–"]
        sizes = [f"{cost.build_seconds:.1f}", f"{cost.memory / 1e6:,.0f}", f"{cost.disk / 1e6:,.0f}"]
        rows.append([cost.name, cost.settings, *sizes, rate, *regrant])
    return rows


def _short(value: float) -> str:
    """Three digits at most."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
