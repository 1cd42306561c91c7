"""The tables of `python -m benchmarks.answers`."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from app.evaluation.measures import mean
from benchmarks.answers.generated import GeneratedAnswer
from benchmarks.tables import show

FIGURES = (
    "something said", "refused", "page cited", "faithful", "citation precision", "citation recall", "words of the gold",
)  # fmt: skip


def show_report(name: str, answers: Sequence[GeneratedAnswer]) -> None:
    """How answers ended and their times, then the figures: means over the answers that have them."""
    groups = {group: [a for a in answers if a.group == group] for group in dict.fromkeys(a.group for a in answers)}
    outcomes = list(dict.fromkeys(a.outcome for a in answers))
    rows = []
    for group, each in groups.items():
        counts = Counter(a.outcome for a in each)
        rows.append((group, str(len(each)), *(f"{counts[o] / len(each):.2f}" for o in outcomes), *_times(each)))
    columns = ("asked by", "questions", *outcomes, "first word, s", "whole, s")
    show(f"{name}: how answers ended, and the median times", columns, rows)
    figures = [f for f in FIGURES if any(f in a.figures for a in answers)]
    show(
        f"{name}: means with 95 % intervals, by words and numbers; of the texts of `answered` alone from `faithful` on",
        ("asked by", *figures, "kept / marked / dropped"),
        [(group, *(_mean(each, f) for f in figures), _grounding(each)) for group, each in groups.items()],
    )


def _times(answers: Sequence[GeneratedAnswer]) -> tuple[str, str]:
    first = [a.first_seconds for a in answers if a.first_seconds is not None]
    return f"{np.median(first):.2f}" if first else "–", f"{np.median([a.seconds for a in answers]):.2f}"


def _mean(answers: Sequence[GeneratedAnswer], figure: str) -> str:
    values = [a.figures[figure] for a in answers if figure in a.figures]
    if not values:
        return "–"
    found = mean(values)
    return f"{found.mean:.2f} {found.low:.2f}–{found.high:.2f} ({found.count})"


def _grounding(answers: Sequence[GeneratedAnswer]) -> str:
    """The sentences of the model, as the product's own checker judged them."""
    counts = Counter[str]()
    for answer in answers:
        counts.update(answer.grounding)
    return " / ".join(str(counts[name]) for name in ("kept", "marked", "dropped")) if counts else "–"
