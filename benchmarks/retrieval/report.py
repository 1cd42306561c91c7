"""Tables of a run."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.retrieval.intervals import Interval, growth, mean, quantile, ratio
from benchmarks.retrieval.peers.registry import FLOOR, YARDSTICK
from benchmarks.retrieval.results import Cell, Cost, Results

RULERS = (FLOOR, YARDSTICK)


def show(results: Results, console: Console) -> None:
    """Everything that was measured."""
    about = ", ".join(f"{key} {value}" for key, value in results.about.items())
    console.print(f"[dim]{about}[/dim]")
    if results.cells:
        for cell in results.ordered_cells():
            console.print(of_cell(results, cell))
        console.print(overview(results, "recall@10", lambda c: f"{statistics.fmean(c.recall):.3f}", 10))
        console.print(overview(results, "recall@50", lambda c: f"{statistics.fmean(c.recall):.3f}", 50))
        ruler = _ruler(results, YARDSTICK)
        over = statistics.median(ruler)
        title = f"p50 as a multiple of unfiltered HNSW ef 400 ({over:.2f} ms)"
        console.print(overview(results, title, lambda c: f"{statistics.median(c.ms) / over:.2f}", 10))
        work = statistics.fmean(cpu for c in results.cells if c.peer == YARDSTICK for cpu in c.cpu)
        title = f"CPU as a multiple of unfiltered HNSW ef 400 ({work:.2f} ms): what a busy machine distorts least"
        console.print(overview(results, title, lambda c: f"{statistics.fmean(c.cpu) / work:.2f}", 10))
    if results.costs:
        console.print(costs(results.costs))
        console.print(findings(results))
    for name, reason in results.not_run.items():
        console.print(f"not run: {name}: {reason}")
    if results.growth:
        console.print(grown(results.growth))
    if results.hidden_volume:
        console.print(beside(results.hidden_volume))
    if results.clients:
        console.print(crowd(results.clients))
    if results.cold:
        console.print(from_cold(results.cold))


def of_cell(results: Results, cell: str) -> Table:
    """All peers in one cell: every millisecond beside its two ratios."""
    some = next(c for c in results.cells if c.cell == cell)
    share = 100 * statistics.fmean(some.rows) / results.about["n"]
    table = Table(
        title=f"{cell} (on average {statistics.fmean(some.rows):,.0f} rows, {share:.3g} %)", title_justify="left"
    )
    table.add_column("peer")
    for head in ("n", "p50 ms", "× hnsw", "× select 1", "p95 ms", "× hnsw p95", "CPU ms", "recall@10", "recall@50"):
        table.add_column(head, justify="right")
    table.add_column("short", justify="right")
    table.add_column("hidden", justify="right")
    hnsw, one = _ruler(results, YARDSTICK), _ruler(results, FLOOR)
    for peer in results.peers():
        found = results.find(peer, cell, 10)
        if found is None:
            continue
        deep = results.find(peer, cell, 50)
        table.add_row(
            peer,
            str(len(found.ms)),
            _figure(quantile(found.ms, 0.5)),
            _figure(ratio(found.ms, hnsw, 0.5)),
            f"{ratio(found.ms, one, 0.5).value:.1f}",
            _figure(quantile(found.ms, 0.95)),
            f"{ratio(found.ms, hnsw, 0.95).value:.2f}",
            f"{statistics.fmean(found.cpu):.2f}",
            _figure(mean(found.recall)) if found.recall else "–",
            _figure(mean(deep.recall)) if deep and deep.recall else "–",
            str(found.short + (deep.short if deep else 0)),
            str(found.hidden + (deep.hidden if deep else 0)),
        )
    return table


def overview(results: Results, title: str, say: Callable[[Cell], str], k: int) -> Table:
    """One figure, peers by cells."""
    table = Table(title=title, title_justify="left", padding=(0, 0), pad_edge=False)
    table.add_column("peer", no_wrap=True)
    cells = results.ordered_cells()
    for cell in cells:
        table.add_column(cell.replace(" % ", "%\n"), justify="right", no_wrap=True)
    for peer in results.peers():
        found = [results.find(peer, cell, k) for cell in cells]
        if peer not in RULERS:
            table.add_row(peer, *(say(c) if c and c.recall else "–" for c in found))
    return table


def costs(rows: Sequence[Cost]) -> Table:
    """Building, size, writing, re-granting."""
    table = Table(title="costs", title_justify="left")
    for head in ("peer", "what", "settings"):
        table.add_column(head)
    for head in ("build s", "memory MB", "disk MB", "write rows/s", "re-grant ms", "rows written"):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            row.peer,
            row.name,
            row.settings,
            f"{row.build_seconds:.1f}" + (" (cached)" if row.cached else ""),
            f"{row.memory / 1e6:,.0f}",
            f"{row.disk / 1e6:,.0f}",
            f"{row.rows_per_second:,.0f}" if row.rows_per_second else "–",
            f"{row.regrant_ms:,.2f}" if row.regrant_ms is not None else "argument",
            f"{row.regrant_rows:,}" if row.regrant_rows is not None else "0",
        )
    return table


def findings(results: Results) -> Table:
    """Answers with hidden rows or with too few, by peer: neither may happen."""
    table = Table(title="answers that are wrong in kind", title_justify="left")
    for head in ("peer", "answers", "hidden rows", "answers with too few rows", "where"):
        table.add_column(head, justify="left" if head in ("peer", "where") else "right")
    for peer in results.peers():
        found = [c for c in results.cells if c.peer == peer]
        if peer in RULERS or not found:
            continue
        where = sorted({c.cell for c in found if c.hidden or c.short}, key=results.ordered_cells().index)
        counts = (sum(len(c.ms) for c in found), sum(c.hidden for c in found), sum(c.short for c in found))
        table.add_row(peer, *map(str, counts), ", ".join(where))
    return table


def grown(rows: Sequence[dict[str, Any]]) -> Table:
    """p50 by size, and the exponents that fit it and its ratio to `select 1`.

    The machine is not as busy at every size, and larger worlds push `select 1` too out of the caches: the truth lies
    between the two.
    """
    sizes = sorted({row["size"] for row in rows})
    title = (
        "growth: p50 ms by number of vectors, and the exponents of powers fitted to it and to its ratio to `select 1`"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("peer")
    table.add_column("visible")
    for size in sizes:
        table.add_column(f"{size:,}", justify="right")
    table.add_column("exponent", justify="right")
    table.add_column("of the ratio", justify="right")
    groups: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    builds: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        groups[row["peer"], row["cell"]][row["size"]] = statistics.median(row["ms"])
        builds[row["peer"]][row["size"]] = row["build_seconds"]
    floor = groups.get((FLOOR, "100 %"), {})
    for (peer, cell), values in groups.items():
        over = {size: value / floor.get(size, float("nan")) for size, value in values.items()}
        table.add_row(peer, cell, *_by_size(sizes, values), _exponent(over) if floor and peer != FLOOR else "–")
    for peer, values in builds.items():
        if peer != FLOOR and min(values.values()) > 0:
            table.add_row(peer, "build s", *_by_size(sizes, values), "–")
    return table


def _by_size(sizes: Sequence[int], values: dict[int, float]) -> list[str]:
    return [*(f"{values[size]:.2f}" if size in values else "–" for size in sizes), _exponent(values)]


def _exponent(values: dict[int, float]) -> str:
    if len(values) < 2:
        return "–"
    fit = growth(list(values), list(values.values()))
    return f"{fit.exponent:.2f}" + (f" ± {fit.error:.2f}" if len(values) > 2 else "")


def beside(rows: Sequence[dict[str, Any]]) -> Table:
    """The same visible rows beside more hidden ones."""
    counts = sorted({row["hidden"] for row in rows})
    title = "1,000 visible rows beside hidden ones: p50 ms, its ratio to none hidden, and how many answers changed"
    table = Table(title=title, title_justify="left")
    table.add_column("peer")
    for count in counts:
        table.add_column(f"{count:,} hidden", justify="right")
    for peer in dict.fromkeys(row["peer"] for row in rows):
        found = {row["hidden"]: row for row in rows if row["peer"] == peer}
        shown = []
        for count in counts:
            over = _figure(ratio(found[count]["ms"], found[counts[0]]["ms"], 0.5))
            changed = "" if peer in RULERS else f", {found[count]['changed']} of {found[count]['asked']}"
            shown.append(f"{statistics.median(found[count]['ms']):.2f} ({over}){changed}")
        table.add_row(peer, *shown)
    return table


def crowd(rows: Sequence[dict[str, Any]]) -> Table:
    """Searches per second by clients, beside the ceiling."""
    counts = sorted({row["clients"] for row in rows})
    title = "searches per second by clients; the ceiling is cores ÷ processor time of one search with one client"
    table = Table(title=title, title_justify="left")
    table.add_column("peer")
    table.add_column("visible")
    for count in counts:
        table.add_column(str(count), justify="right")
    table.add_column("ceiling", justify="right")
    table.add_column("best ÷ ceiling", justify="right")
    for peer, cell in dict.fromkeys((row["peer"], row["cell"]) for row in rows):
        found = {row["clients"]: row for row in rows if (row["peer"], row["cell"]) == (peer, cell)}
        ceiling = next(iter(found.values()))["ceiling"]
        best = max(row["per_second"] for row in found.values())
        shown = [f"{found[n]['per_second']:,.0f}" if n in found else "–" for n in counts]
        table.add_row(peer, cell, *shown, f"{ceiling:,.0f}", f"{best / ceiling:.2f}")
    return table


def from_cold(rows: Sequence[dict[str, Any]]) -> Table:
    """After a restart with the data files evicted from the kernel's cache."""
    table = Table(title="cold: server restarted, its files evicted (posix_fadvise DONTNEED)", title_justify="left")
    for head in ("peer", "visible", "first ms", "cold p50 ms", "cold max ms", "warm p50 ms"):
        table.add_column(head, justify="left" if head in ("peer", "visible") else "right")
    for row in rows:
        values = (
            row["first_ms"],
            statistics.median(row["cold_ms"]),
            max(row["cold_ms"]),
            statistics.median(row["warm_ms"]),
        )
        table.add_row(row["peer"], row["cell"], *(f"{v:.1f}" for v in values))
    return table


def _ruler(results: Results, peer: str) -> list[float]:
    return [ms for c in results.cells if c.peer == peer for ms in c.ms]


def _figure(of: Interval) -> str:
    """Value and interval, with as many digits as the value bears."""
    form = (
        ".3f"
        if of.value < 1.005 and of.high <= 1.005
        else ".2f"
        if of.value < 10
        else ".1f"
        if of.value < 100
        else ".0f"
    )
    return f"{of.value:{form}} [{of.low:{form}}–{of.high:{form}}]"
