"""Two pictures of `benchmarks.timing_worlds`: each surface's distance against chance, and the worst one's times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from app.evaluation.plot import COLOURS, STYLE, Axis, Series, plot

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 860, 26, 330, 24, 64, 46


@dataclass(frozen=True)
class Row:
    """One surface: its distances by the name of what was compared, and that of two equal worlds."""

    name: str
    distances: Mapping[str, float]
    twins: float


def rows_plot(path: Path, title: str, rows: Sequence[Row], line: float) -> None:
    """One row a surface, one mark a comparison; what lies in the grey band is chance."""
    names = list(dict.fromkeys(name for row in rows for name in row.distances))
    height = TOP + ROW * len(rows) + BOTTOM
    bottom, across = height - BOTTOM, _scale(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" style="{STYLE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="22" font-weight="600">{escape(title)}</text>',
        f'<rect x="{LEFT}" y="{TOP}" width="{across(line) - LEFT:.1f}" height="{bottom - TOP}" fill="#ececec"/>',
        *_legend(names),
    ]
    for value in (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0):
        if (x := across(value)) > WIDTH - RIGHT + 1:
            break
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e0e0e0"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>')
    for n, row in enumerate(rows):
        y = TOP + ROW * n + ROW / 2
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(row.name)}</text>')
        parts.append(f'<path d="M{across(row.twins):.1f} {y - 8:.1f}v16" stroke="#666" stroke-width="2"/>')
        for name, distance in row.distances.items():
            parts.append(_mark(names.index(name), across(distance), y))
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{height - 10}" text-anchor="middle">'
        "Kolmogorov–Smirnov distance of the times (0: the same, 1: told apart by one answer)</text></svg>"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts) + "\n", "utf-8")


def times_plot(path: Path, title: str, samples: Mapping[str, Sequence[float]]) -> None:
    """The distribution of each sample of milliseconds, without the slowest hundredth."""
    series = []
    for name, values in samples.items():
        ordered = sorted(values)[: max(2, round(0.99 * len(values)))]
        shares = [(n + 1) / len(values) for n in range(len(ordered))]
        series.append(Series(name, ordered, shares, step=True, dashed=name.startswith("A'")))
    plot(path, title, Axis("ms", log=True), Axis("share of answers within", low=0.0, high=1.0), series)


def _scale(rows: Sequence[Row]) -> Callable[[float], float]:
    """Distances to pixels: up to 0.4, or to 1 where one lies beyond."""
    most = max(distance for row in rows for distance in (*row.distances.values(), row.twins))
    full = 0.4 if most < 0.4 else 1.0
    return lambda distance: LEFT + distance / full * (WIDTH - RIGHT - LEFT)


def _mark(number: int, x: float, y: float) -> str:
    colour = COLOURS[number % len(COLOURS)]
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" fill-opacity="0.85"/>'


def _legend(names: Sequence[str]) -> list[str]:
    parts, x = [], LEFT
    for n, name in enumerate(names):
        parts.append(_mark(n, x + 6, 44))
        parts.append(f'<text x="{x + 16}" y="48">{escape(name)}</text>')
        x += 34 + 7 * len(name)
    parts.append(f'<path d="M{x + 6} 36v16" stroke="#666" stroke-width="2"/>')
    parts.append(f'<text x="{x + 14}" y="48">two equal worlds</text>')
    return parts
