"""What each threshold of quotes costs on both sides, drawn from the rows of `benchmarks.answers.quotes --out`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.answer.support import MIN_ANSWERABLE, MIN_HIGH, MIN_MEDIUM
from benchmarks.plots import draw

# Groups as `clearance eval` names them, and what is drawn of each.
REFUSED = {
    "right role": "right role (wrongly)", "a wrong role": "a role that may not read the page",
    "off topic": "off topic", "nonsense": "nonsense",
}  # fmt: skip
BINS = 8

Row = Mapping[str, Any]


def draw_thresholds(rows: Sequence[Row], folder: Path) -> None:
    """Draw how many questions are told "nothing" by each threshold, and how often a block of each odds is right."""
    _draw_refusals(rows, folder / "answers-nothing.svg")
    _draw_odds(rows, folder / "answers-odds.svg")


def _draw_refusals(rows: Sequence[Row], path: Path) -> None:
    thresholds = np.arange(-5, 1.01, 0.25)
    lines = {}
    for group, name in REFUSED.items():
        odds = np.array([row["answerable"] for row in rows if row["group"] == group])
        if len(odds):
            lines[f"{name}, n = {len(odds)}"] = thresholds.tolist(), [float((odds < t).mean()) for t in thresholds]
    title = f'Told "nothing", by the least odds of an answer (set to {MIN_ANSWERABLE})'
    draw(path, (title, "logarithm of the odds", "share of questions"), lines)


def _draw_odds(rows: Sequence[Row], path: Path) -> None:
    """Each point is an eighth of the questions, at their median odds."""
    asked = [row for row in rows if "section first" in row["measures"] and row["blocks"]]
    asked.sort(key=lambda row: row["blocks"][0]["odds"])
    parts = [part for part in np.array_split(np.arange(len(asked)), BINS) if len(part)]
    lines = {}
    for name in ("section first", "section shown", "page cited"):
        xs = [float(np.median([asked[n]["blocks"][0]["odds"] for n in part])) for part in parts]
        ys = [float(np.mean([asked[n]["measures"][name] for n in part])) for part in parts]
        lines[name] = xs, ys
    title = f"How often it is right, by the odds of the first block (low below {MIN_MEDIUM}, high from {MIN_HIGH})"
    draw(path, (title, "logarithm of the odds of the first block", "share of questions"), lines)
