"""From rankings to figures: each system by all questions, by role and by what the asker sees."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.evaluation.datasets import Dataset, Question
from app.evaluation.measures import Mean, difference, mean, measure

PRODUCT = "search"
MEASURES = ("recall@10", "first passages", "nDCG@10", "MRR@10")
# Shares of the corpus that an asker sees, up to and with.
SHARES = (0.01, 0.05, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Ranked:
    """What one system gave: for each question the documents of its passages, best first.

    `beside` are documents that were named with them, as copies of a passage are: they are judged for leaks alone.
    """

    name: str
    rankings: tuple[tuple[str, ...], ...]
    beside: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Group:
    """Some questions and what each system reached on them: measure → mean, by system."""

    name: str
    questions: int
    means: Mapping[str, Mapping[str, Mean]]


@dataclass(frozen=True)
class Evaluation:
    """All figures. `leaks` are (question, document) that were found for an asker who may not read the document."""

    dataset: str
    documents: int
    questions: int
    left_out: int
    everything: Group
    by_role: tuple[Group, ...]
    by_share: tuple[Group, ...]
    over: Mapping[str, Mapping[str, Mean]]
    """What the product has over each other system, on the same questions: measure → difference."""
    leaks: Mapping[str, tuple[tuple[str, str], ...]]
    absent: Mapping[str, str]
    """Systems that were not measured, and why."""

    @property
    def leaked(self) -> int:
        """How many leaks there are."""
        return sum(map(len, self.leaks.values()))

    def as_json(self) -> str:
        """All of it, with its intervals."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def evaluate(dataset: Dataset, systems: Sequence[Ranked], *, absent: Mapping[str, str]) -> Evaluation:
    """Judge the rankings of `dataset.answerable()`'s questions; raises ValueError if they are not of these."""
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
    """Write the figures as JSON into a folder that is made if need be; gives the file."""
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
    system: Ranked, questions: Sequence[Question], seen: Mapping[str, frozenset[str]]
) -> tuple[tuple[str, str], ...]:
    pairs: dict[tuple[str, str], Any] = {}
    beside = system.beside or ((),) * len(questions)
    for question, ranking, more in zip(questions, system.rankings, beside, strict=True):
        pairs |= dict.fromkeys((question.id, d) for d in (*ranking, *more) if d not in seen[question.role])
    return tuple(pairs)


def _share(share: float) -> float:
    """The least bound that holds a share."""
    return next(bound for bound in SHARES if share <= bound)


def _percent(bound: float) -> str:
    return f"up to {bound:.0%}"
