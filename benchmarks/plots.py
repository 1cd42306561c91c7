"""Plots as SVG, by matplotlib (of the dev group)."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

# Told apart by the colour-blind too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
mpl.rcParams["svg.hashsalt"] = "clearance"  # the same figures give the same file
mpl.rcParams["svg.fonttype"] = "none"


def draw(
    path: Path,
    labels: tuple[str, str, str],
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    rulers: Mapping[str, float] | None = None,
    log: str = "",
) -> None:
    """Write lines of (xs, ys) by name, and `rulers` across; `labels` are title, x and y, `log` names axes."""
    title, x, y = labels
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    for colour, (name, (xs, ys)) in zip(cycle(COLOURS), lines.items(), strict=False):
        axes.plot(xs, ys, "o-", label=name, color=colour, ms=4)
    for name, level in (rulers or {}).items():
        axes.axhline(level, label=name, color="#888888")
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")
    axes.grid(color="#e4e4e4")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    save(figure, path)


def dots(path: Path, title: str, x: str, rows: Mapping[str, Mapping[str, float]], *, band: float) -> None:
    """Write a plot with a row a name and a dot a value; what lies within the grey band is chance."""
    figure = Figure(figsize=(9.6, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x)
    axes.axvspan(0, band, color="#ececec")
    for colour, name in zip(COLOURS, dict.fromkeys(name for values in rows.values() for name in values), strict=False):
        places = [(values[name], place) for place, values in enumerate(rows.values()) if name in values]
        axes.plot(*zip(*places, strict=True), "o", label=name, color=colour)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e4e4e4")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write the figure without a date, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
