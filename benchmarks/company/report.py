"""The tables that are printed."""

from collections.abc import Sequence

from benchmarks.company.company import Company
from benchmarks.company.measure import Figures
from benchmarks.company.peer import Beside
from benchmarks.company.routes import APART
from benchmarks.machine import load
from benchmarks.tables import console, show

OF_ROUTES = ("caller", "route", "bound", "p50", "p95", "API", "PostgreSQL", "statements", "KB")
OF_SERVICES = ("service", "may read", "p50", "p95", "service", "PostgreSQL", "recall", "of others")


def show_all(filled: Company, figures: Sequence[Figures], beside: Sequence[Beside], passages: int) -> None:
    sizes, took = filled.sizes, sum(filled.seconds.values())
    what = f"{sizes.people:,} people, {sizes.roles} roles, {sizes.passages:,} passages, {sizes.records:,} records"
    if figures:
        rows = [row_of(each) for each in figures]
        show(
            f"{what}, filled in {took:,.0f} s: ms by the clock, and of processor time; {load()}",
            OF_ROUTES,
            rows,
            left=2,
        )
        clock, cpu = (
            sum(each > f.bound for each, f in zip(of, figures, strict=True))
            for of in ([f.p50 for f in figures], [f.cpu for f in figures])
        )
        console.print(f"{len(figures)} asked; above their bound: {clock} by the clock, {cpu} by processor time.")
        console.print(f"Not asked: {'; '.join(f'{route} ({why})' for route, why in APART.items())}.", style="dim")
    if beside:
        rows = [
            (b.service, b.share, f"{b.p50:.1f}", f"{b.p95:.1f}", f"{b.api_cpu:.1f}", f"{b.postgres_cpu:.1f}",
             f"{b.recall:.3f}", str(b.hidden))
            for b in beside
        ]  # fmt: skip
        show(f"Search beside a peer, {passages:,} passages on both sides, 10 hits: ms", OF_SERVICES, rows, left=2)


def row_of(figures: Figures) -> tuple[str, ...]:
    mark = " !" if figures.p50 > figures.bound else ""
    return (
        figures.caller, figures.route[:80], f"{figures.bound}{mark}", f"{figures.p50:.1f}", f"{figures.p95:.1f}",
        f"{figures.api_cpu:.1f}", f"{figures.postgres_cpu:.1f}", str(figures.statements), f"{figures.kilobytes:.0f}",
    )  # fmt: skip
