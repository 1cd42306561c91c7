"""From rankings to figures: each system over all questions, by role and by the share the asker sees."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.evaluation.datasets import Dataset, Question
from app.evaluation.measures import Mean, difference, mean, measure

PRODUCT = "search"
MEASURES = ("recall@10", "first passages", "nDCG@10", "MRR@10")
# Upper bounds, inclusive, of the share of the corpus that an asker sees.
SHARE_BOUNDS = (0.01, 0.05, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class SystemRankings:
    """The rankings of one system: for each question the documents of its passages, best first.

    `beside` are further documents in the reply, such as copies of a passage: they are checked for leaks alone.
    """

    name: str
    rankings: tuple[tuple[str, ...], ...]
    beside: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Group:
    """The means of each system over some questions: system → measure → mean."""

    name: str
    questions: int
    means: Mapping[str, Mapping[str, Mean]]


@dataclass(frozen=True)
class Evaluation:
    """All figures. `leaks` are pairs (question, document) where the asker may not read the document found."""

    dataset: str
    documents: int
    questions: int
    left_out: int
    everything: Group
    by_role: tuple[Group, ...]
    by_share: tuple[Group, ...]
    over: Mapping[str, Mapping[str, Mean]]
    """The product's advantage over each other system, on the same questions: system → measure → difference."""
    leaks: Mapping[str, tuple[tuple[str, str], ...]]
    absent: Mapping[str, str]
    """Systems that were not measured, with the reason."""

    @property
    def leaked(self) -> int:
        return sum(map(len, self.leaks.values()))

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def evaluate(dataset: Dataset, systems: Sequence[SystemRankings], *, absent: Mapping[str, str]) -> Evaluation:
    """Measure rankings of the questions of `dataset.answerable()`; raises ValueError if their number differs."""
    asked = dataset.answerable()
    for system in systems:
        if len(system.rankings) != len(asked.questions):
            raise ValueError(f"{system.name} answers {len(system.rankings)} of {len(asked.questions)} questions")
    seen = {role: dataset.readable(role) for role in dataset.roles}
    measured = {s.name: [measure(r, q.gold) for r, q in zip(s.rankings, asked.questions, strict=True)] for s in systems}

    def group(name: str, belongs: Callable[[Question], bool]) -> Group:
        rows = [n for n, q in enumerate(asked.questions) if belongs(q)]
        means = {s: _means([each[n] for n in rows]) for s, each in measured.items()}
        return Group(name, len(rows), means)

    share = {role: len(ids) / len(dataset.pages) for role, ids in seen.items()}
    shares = sorted({_share(share[q.role]) for q in asked.questions})
    return Evaluation(
        dataset=dataset.name,
        documents=len(dataset.pages),
        questions=len(asked.questions),
        left_out=len(dataset.questions) - len(asked.questions),
        everything=group("all", lambda _: True),
        by_role=tuple(group(r, lambda q, r=r: q.role == r) for r in sorted({q.role for q in asked.questions})),  # type: ignore[misc]
        by_share=tuple(group(_percent(s), lambda q, s=s: _share(share[q.role]) == s) for s in shares),  # type: ignore[misc]
        over=_over(measured),
        leaks={s.name: _leaks(s, asked.questions, seen) for s in systems},
        absent=dict(absent),
    )


def save(evaluation: Evaluation, folder: Path) -> Path:
    """Write the figures as JSON into a folder, created if missing; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{evaluation.dataset.replace(' ', '-')}.json"
    file.write_text(evaluation.as_json() + "\n", "utf-8")
    return file


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, Mean]:
    return {name: mean([row[name] for row in rows]) for name in rows[0]}


def _over(measured: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, Mean]]:
    ours = measured.get(PRODUCT)
    if ours is None:
        return {}
    return {
        name: {m: difference([row[m] for row in ours], [row[m] for row in rows]) for m in MEASURES}
        for name, rows in measured.items()
        if name != PRODUCT
    }


def _leaks(
    system: SystemRankings, questions: Sequence[Question], seen: Mapping[str, frozenset[str]]
) -> tuple[tuple[str, str], ...]:
    pairs: dict[tuple[str, str], Any] = {}
    beside = system.beside or ((),) * len(questions)
    for question, ranking, more in zip(questions, system.rankings, beside, strict=True):
        pairs |= dict.fromkeys((question.id, d) for d in (*ranking, *more) if d not in seen[question.role])
    return tuple(pairs)


def _share(share: float) -> float:
    """The least bound that includes the share."""
    return next(bound for bound in SHARE_BOUNDS if share <= bound)


def _percent(bound: float) -> str:
    return f"up to {bound:.0%}"
