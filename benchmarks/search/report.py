"""Tables and plots of a run."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.plots import Line, draw
from benchmarks.search.peers.registry import FLOOR, PEERS, RULERS, YARDSTICK
from benchmarks.search.results import Cell, Results
from benchmarks.stats import Interval, growth, mean, quantile, ratio
from benchmarks.tables import Table

WORDS = {"rand": "scopes scattered", "corr": "topic among what is seen", "anti": "topic among what is hidden"}


def tables(results: Results) -> list[Table]:
    made = [*_cells(results), *_overviews(results), _costs(results)] if results.cells else []
    if results.not_run:
        made.append(Table("not run", ("peer", "why"), list(results.not_run.items()), left=2))
    parts = ((results.growth, _growth), (results.hidden_volume, _hidden), (results.clients, _clients))
    made += [table(rows) for rows, table in parts if rows]
    if results.cold:
        rows = [
            (r["peer"], r["cell"], *(f"{ms:.1f}" for ms in (r["cold_ms"][0], *map(statistics.median, _cold(r)))))
            for r in results.cold
        ]
        columns = ("peer", "visible", "first ms", "cold p50 ms", "warm p50 ms")
        made.append(Table("cold: server restarted, its files evicted", columns, rows, left=2))
    return made


def _cold(row: dict[str, Any]) -> tuple[list[float], list[float]]:
    return row["cold_ms"], row["warm_ms"]


def _names(results: Results) -> list[str]:
    return list(dict.fromkeys(cell.cell for cell in results.cells))


def _cells(results: Results) -> Iterator[Table]:
    """For each cell all peers: every millisecond beside its two ratios. Short or hidden rows must not be there."""
    hnsw, one = results.times(YARDSTICK), results.times(FLOOR)
    for name in _names(results):
        rows = []
        for cost in results.costs:
            found, deep = (results.find(cost.peer, name, k) for k in (10, 50))
            if found is None:
                continue
            both = [cell for cell in (found, deep) if cell]
            rows.append(
                (
                    cost.peer,
                    str(len(found.ms)),
                    str(quantile(found.ms, 0.5)),
                    str(ratio(found.ms, hnsw, 0.5)),
                    f"{ratio(found.ms, one, 0.5).value:.1f}",
                    str(quantile(found.ms, 0.95)),
                    f"{statistics.fmean(found.cpu):.2f}",
                    *(str(mean(c.recall)) if c and c.recall else "–" for c in (found, deep)),
                    str(sum(c.short for c in both)),
                    str(sum(c.hidden for c in both)),
                )
            )
        columns = ("peer", "n", "p50 ms", "× hnsw", "× select 1", "p95 ms", "CPU ms", "recall@10", "recall@50")
        seen = statistics.fmean(next(c.rows for c in results.cells if c.cell == name))
        yield Table(f"{name} (on average {seen:,.0f} rows)", (*columns, "short", "hidden"), rows)


def _overviews(results: Results) -> Iterator[Table]:
    """One figure each, peers by cells."""
    wall = statistics.median(results.times(YARDSTICK))
    work = statistics.fmean(cpu for c in results.cells if c.peer == YARDSTICK for cpu in c.cpu)
    figures: dict[str, tuple[int, Callable[[Cell], float]]] = {
        "recall@10": (10, lambda c: statistics.fmean(c.recall)),
        "recall@50": (50, lambda c: statistics.fmean(c.recall)),
        f"p50 as a multiple of unfiltered HNSW ef 400 ({wall:.2f} ms)": (10, lambda c: statistics.median(c.ms) / wall),
        f"CPU as a multiple of unfiltered HNSW ef 400 ({work:.2f} ms): what a busy machine distorts least": (
            10,
            lambda c: statistics.fmean(c.cpu) / work,
        ),
    }
    names = _names(results)
    for title, (k, figure) in figures.items():
        rows = []
        for cost in (cost for cost in results.costs if cost.peer not in RULERS):
            found = [results.find(cost.peer, name, k) for name in names]
            rows.append((cost.name, *(f"{figure(c):.3g}" if c else "–" for c in found)))
        yield Table(title, ("", *names), rows)


def _costs(results: Results) -> Table:
    def number(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    columns = ("what", "settings", "build s", "memory MB", "disk MB", "write rows/s", "re-grant ms", "rows written")
    rows = [
        (
            c.name,
            c.settings,
            f"{c.build_seconds:.1f}",
            f"{c.memory / 1e6:,.0f}",
            f"{c.disk / 1e6:,.0f}",
            number(c.rows_per_second, ",.0f"),
            number(c.regrant_ms, ",.2f"),
            number(c.regrant_rows, ","),
        )
        for c in results.costs
    ]
    return Table("costs", columns, rows, left=2)


def _grouped(rows: Sequence[dict[str, Any]], *by: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    return groups


def _growth(rows: Sequence[dict[str, Any]]) -> Table:
    """Larger worlds push `select 1` too out of the caches: the truth lies between the two exponents."""

    def exponent(values: dict[int, float]) -> str:
        if len(values) < 2:
            return "–"
        fit = growth(list(values), list(values.values()))
        return f"{fit.exponent:.2f}" + (f" ± {fit.error:.2f}" if len(values) > 2 else "")

    sizes = sorted({row["size"] for row in rows})
    floor = {r["size"]: statistics.median(r["ms"]) for r in rows if (r["peer"], r["cell"]) == (FLOOR, "100 %")}
    made = []
    for (peer, cell), group in _grouped(rows, "peer", "cell").items():
        times = {row["size"]: statistics.median(row["ms"]) for row in group}
        over = {size: ms / floor[size] for size, ms in times.items()}
        made.append((peer, cell, *(f"{times[size]:.2f}" for size in sizes), exponent(times), exponent(over)))
    for (peer,), group in _grouped([r for r in rows if r["peer"] != FLOOR], "peer").items():
        builds = {row["size"]: row["build_seconds"] for row in group}
        made.append((peer, "build s", *(f"{builds[size]:.2f}" for size in sizes), exponent(builds), "–"))
    title = "growth: p50 ms by number of vectors; exponents of powers fitted to it and to its ratio to `select 1`"
    return Table(title, ("peer", "visible", *(f"{size:,}" for size in sizes), "exponent", "of the ratio"), made, left=2)


def _hidden(rows: Sequence[dict[str, Any]]) -> Table:
    made = []
    for (peer,), group in _grouped(rows, "peer").items():
        cells = [peer]
        for row in group:
            changed = "" if peer in RULERS else f", {row['changed']} of {row['asked']}"
            over = ratio(row["ms"], group[0]["ms"], 0.5)
            cells.append(f"{statistics.median(row['ms']):.2f} ({over}){changed}")
        made.append(cells)
    counts = dict.fromkeys(row["hidden"] for row in rows)
    title = "1,000 visible rows beside hidden ones: p50 ms, its ratio to none hidden, and how many answers changed"
    return Table(title, ("peer", *(f"{count:,} hidden" for count in counts)), made)


def _clients(rows: Sequence[dict[str, Any]]) -> Table:
    made = []
    for (peer, cell), group in _grouped(rows, "peer", "cell").items():
        best, ceiling = max(row["per_second"] for row in group), group[0]["ceiling"]
        rates = (f"{row['per_second']:,.0f}" for row in group)
        made.append((peer, cell, *rates, f"{ceiling:,.0f}", f"{best / ceiling:.2f}"))
    counts = dict.fromkeys(row["clients"] for row in rows)
    title = "searches per second by clients; the ceiling is cores ÷ processor time of one search with one client"
    return Table(title, ("peer", "visible", *map(str, counts), "ceiling", "best ÷ ceiling"), made, left=2)


def plots(results: Results, folder: Path) -> Iterator[Path]:
    """Draw what the results have; gives the files."""
    for regime in WORDS if results.cells else ():
        yield from _by_share(results, regime, folder)
    curves = (
        ("growth", results.growth, "size", "vectors", "milliseconds"),
        ("clients", results.clients, "clients", "clients", "searches per second"),
        (
            "hidden",
            results.hidden_volume,
            "hidden",
            "hidden vectors beside 1,000 visible ones (0 at 100)",
            "milliseconds",
        ),
    )
    for name, rows, across, x, y in curves:
        for (cell,), group in _grouped([{"cell": "", **row} for row in rows], "cell").items():
            lines = []
            for (peer,), points in _grouped(group, "peer").items():
                values = [quantile(p["ms"], 0.5) if "ms" in p else Interval(*[p["per_second"]] * 3) for p in points]
                lines.append(_line(peer, [max(p[across], 100 * (across == "hidden")) for p in points], values))
            slug = "".join(c if c.isalnum() else "-" for c in f"-{cell}".replace(" %", "")).rstrip("-")
            yield draw(
                folder / f"retrieval-{name}{slug}.svg", f"{y}, {cell or 'by hidden volume'}", x, y, lines, log="xy"
            )


def _by_share(results: Results, regime: str, folder: Path) -> Iterator[Path]:
    """Latency and recall over the visible share."""
    figures: dict[str, Callable[[Cell], Interval]] = {
        "latency": lambda c: quantile(c.ms, 0.5),
        "recall": lambda c: mean(c.recall),
    }
    for what, figure in figures.items():
        lines = []
        for cost in (cost for cost in results.costs if cost.peer not in RULERS):
            cells = [results.find(cost.peer, name, 10) for name in _names(results)]
            inside = [c for c in cells if c and (c.cell == "100 %" or c.cell.endswith(f" {regime}"))]
            shares = [100 * statistics.fmean(c.rows) / results.about["n"] for c in inside]
            lines.append(_line(cost.name, shares, [figure(c) for c in inside]))
        if what == "latency":
            ends = [min(lines[0].xs), max(lines[0].xs)]
            for peer in RULERS:
                lines.append(Line(PEERS[peer].name, ends, [statistics.median(results.times(peer))] * 2, ruler=True))
        title = f"{what} at k = 10, {results.about['n']:,} vectors, {WORDS[regime]}"
        unit = "p50, milliseconds" if what == "latency" else "recall@10"
        path = folder / f"retrieval-{what}-{regime}.svg"
        yield draw(path, title, "visible share of all vectors, %", unit, lines, log="xy" if what == "latency" else "x")


def _line(name: str, xs: Sequence[float], values: Sequence[Interval]) -> Line:
    figures = ([v.value for v in values], [v.low for v in values], [v.high for v in values])
    return Line(name, xs, *figures, ruler=name in RULERS)
