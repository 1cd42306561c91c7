"""Line plots as SVG, by matplotlib (of the dev group)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

# Told apart by the colour-blind too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
RULER = "#888888"
mpl.rcParams["svg.hashsalt"] = "clearance"  # the same figures give the same file
mpl.rcParams["svg.fonttype"] = "none"


@dataclass(frozen=True)
class Line:
    """One line through (xs, ys); `lows` and `highs` draw error bars."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    ruler: bool = False


def draw(path: Path, title: str, x: str, y: str, lines: Sequence[Line], *, log: str = "") -> Path:
    """Write a plot; `log` names the logarithmic axes, such as "xy"."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    for number, line in enumerate(lines):
        colour = RULER if line.ruler else COLOURS[number % len(COLOURS)]
        style = "--" if number >= len(COLOURS) else "-"
        mark = "" if line.ruler else "o"
        axes.plot(line.xs, line.ys, label=line.name, color=colour, linestyle=style, marker=mark, ms=4)
        if line.lows:
            axes.vlines(line.xs, line.lows, line.highs, color=colour, linewidth=1)
    for axis, set_scale in (("x", axes.set_xscale), ("y", axes.set_yscale)):
        if axis in log:
            set_scale("log")
    axes.grid(color="#e4e4e4")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return save(figure, path)


def dots(path: Path, title: str, x: str, rows: Sequence[tuple[str, dict[str, float]]], *, band: float) -> Path:
    """Write a plot with a row a name and a dot a value; what lies within the grey band is chance."""
    figure = Figure(figsize=(9.6, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x)
    axes.axvspan(0, band, color="#ececec")
    for number, name in enumerate(dict.fromkeys(name for _, values in rows for name in values)):
        places = [(values[name], place) for place, (_, values) in enumerate(rows) if name in values]
        axes.plot(*zip(*places, strict=True), "o", label=name, color=COLOURS[number % len(COLOURS)])
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", color="#e4e4e4")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return save(figure, path)


def save(figure: Figure, path: Path) -> Path:
    """Write the figure without a date, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    return path
