"""Line and step plots as SVG, written by hand: no dependency, and text that a diff can show."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 72, 32, 44, 52
BESIDE = 240  # added to the width for a legend beside the plot
# Told apart by the colour-blind too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLE = "font-family:system-ui,sans-serif;font-size:12px;fill:#222"


@dataclass(frozen=True)
class Axis:
    """What an axis shows. A log axis takes positive values alone; `low` and `high` widen what the data need."""

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """One line through (xs, ys), in their order; `step` holds each value until the next x (for distributions).

    `lows` and `highs`, as long as `ys`, draw an error bar at each point. `line` off leaves the points alone. Without a
    `colour` of its own it takes the next one.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    step: bool = False
    dashed: bool = False
    points: bool = False
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    line: bool = True
    colour: str | None = None


@dataclass(frozen=True)
class Scale:
    """Values of an axis to pixels: `first` is where `low` lies, `last` where `high` does."""

    axis: Axis
    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high, at = (math.log10(v) if self.axis.log else v for v in (self.low, self.high, value))
        return self.first + (at - low) / (high - low) * (self.last - self.first)

    def ticks(self) -> list[float]:
        """Round values within the axis: powers of ten with their 2 and 5, or about six even steps."""
        if self.axis.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [m * 10.0**p for p in powers for m in ((1, 2, 5) if len(powers) <= 4 else (1,))]
        else:
            step = _round_up((self.high - self.low) / 6)
            every = [step * n for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        slack = 1e-9 * abs(self.high)
        return [v for v in every if self.low - slack <= v <= self.high + slack]


def plot(path: Path, title: str, x: Axis, y: Axis, series: Sequence[Series], *, beside: bool = False) -> None:
    """Write the plot to `path`; `beside` puts the legend to the right of it, where lines fill the corner.

    Raises ValueError for no data, or for what a log axis cannot show.
    """
    across = _scale(x, [v for s in series for v in s.xs], LEFT, WIDTH - RIGHT)
    upward = _scale(y, [v for s in series for v in (*s.ys, *s.lows, *s.highs)], HEIGHT - BOTTOM, TOP)
    width = WIDTH + BESIDE if beside else WIDTH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img" style="{STYLE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-weight="600">{escape(title)}</text>',
        *_grid(across, upward),
        *(_line(s, _colour(n, s), across, upward) for n, s in enumerate(series)),
        *_legend(series, WIDTH - RIGHT if beside else LEFT),
        "</svg>",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts) + "\n", "utf-8")


def _scale(axis: Axis, values: Sequence[float], first: float, last: float) -> Scale:
    if not values:
        raise ValueError(f"nothing to show along '{axis.label}'")
    low = min(values) if axis.low is None else min(axis.low, *values)
    high = max(values) if axis.high is None else max(axis.high, *values)
    if axis.log and low <= 0:
        raise ValueError(f"'{axis.label}' is logarithmic and cannot show {low}")
    if low == high:
        low, high = (low / 2, high * 2) if axis.log else (low - 1, high + 1)
    return Scale(axis, low, high, first, last)


def _grid(across: Scale, upward: Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value in across.ticks():
        at = across(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{_number(value)}</text>')
    for value in upward.ticks():
        at = upward(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    middle, centre = (LEFT + right) / 2, (TOP + bottom) / 2
    return [
        *parts,
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#222"/>',
        f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across.axis.label)}</text>',
        f'<text transform="translate(18 {centre:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(upward.axis.label)}</text>",
    ]


def _line(series: Series, colour: str, across: Scale, upward: Scale) -> str:
    places = [(across(x), upward(y)) for x, y in zip(series.xs, series.ys, strict=True)]
    drawn = f"M{places[0][0]:.1f} {places[0][1]:.1f}"
    for x, y in places[1:]:
        drawn += f"H{x:.1f}V{y:.1f}" if series.step else f"L{x:.1f} {y:.1f}"
    line = f'<path d="{drawn}" fill="none" stroke="{colour}" stroke-width="2"{_dash(series)}/>' if series.line else ""
    bars = [
        f'<path d="M{across(x):.1f} {upward(low):.1f}V{upward(high):.1f}" stroke="{colour}" stroke-width="1"/>'
        for x, low, high in zip(series.xs, series.lows, series.highs, strict=bool(series.lows))
    ]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places if series.points]
    return "".join([line, *bars, *dots])


def _legend(series: Sequence[Series], left: float) -> list[str]:
    """From the top downward, one row a line."""
    parts = []
    for n, one in enumerate(series):
        at, colour = TOP + 14 + 18 * n, _colour(n, one)
        if one.line:
            parts.append(f'<path d="M{left + 12} {at}h22" stroke="{colour}" stroke-width="2"{_dash(one)}/>')
        else:
            parts.append(f'<circle cx="{left + 23}" cy="{at}" r="3" fill="{colour}"/>')
        parts.append(f'<text x="{left + 42}" y="{at + 4}">{escape(one.name)}</text>')
    return parts


def _colour(number: int, series: Series) -> str:
    return series.colour or COLOURS[number % len(COLOURS)]


def _dash(series: Series) -> str:
    return ' stroke-dasharray="6 4"' if series.dashed else ""


def _round_up(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))


def _number(value: float) -> str:
    form: Callable[[float], str] = (lambda v: f"{v:,.0f}") if abs(value) >= 1000 else (lambda v: f"{v:.6g}")
    return form(value)
