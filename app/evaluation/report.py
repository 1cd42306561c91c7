"""From rankings to figures: each system over all questions, by role and by the share the asker sees."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from app.evaluation.answer_report import AnswerGroup, answer_groups
from app.evaluation.datasets import Dataset
from app.evaluation.measures import Mean, difference, mean, measure
from app.evaluation.question_results import SUFFIX, QuestionResult, SystemResult, write_results

PRODUCT = "search"
MEASURES = ("recall@10", "first passages", "nDCG@10", "MRR@10")
# Upper bounds, inclusive, of the share of the corpus that an asker sees.
SHARE_BOUNDS = (0.01, 0.05, 0.2, 0.5, 1.0)
MAX_RANKING = 20  # documents that are kept for each question


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
    split: str
    sampled_from: int | None
    """How many questions the sample was drawn from; None if all were asked."""
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
    answers: Mapping[str, tuple[AnswerGroup, ...]] = field(default_factory=dict)
    """Mode → the groups of the questions that were asked in it."""

    @property
    def leaked(self) -> int:
        return sum(map(len, self.leaks.values()))

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def question_results(dataset: Dataset, systems: Sequence[SystemRankings]) -> list[QuestionResult]:
    """What each system found for each question of `dataset.answerable()`; raises ValueError if their number differs."""
    questions = dataset.answerable().questions
    for system in systems:
        if len(system.rankings) != len(questions):
            raise ValueError(f"{system.name} answers {len(system.rankings)} of {len(questions)} questions")
    seen = {role: dataset.readable(role) for role in dataset.roles}
    return [
        QuestionResult(
            q.id, q.text, q.role, q.gold, {s.name: _system_result(s, n, q.gold, seen[q.role]) for s in systems}
        )
        for n, q in enumerate(questions)
    ]


def evaluate(
    dataset: Dataset,
    results: Sequence[QuestionResult],
    *,
    absent: Mapping[str, str],
    answers: Mapping[str, Sequence[QuestionResult]] = MappingProxyType({}),
) -> Evaluation:
    """Summarise results: over everything, by role, by what the asker sees, the product over the others, and answers."""

    def group(name: str, belongs: Callable[[QuestionResult], bool]) -> Group:
        return _group(name, [result for result in results if belongs(result)])

    asked = dataset.answerable().questions
    share = {role: len(dataset.readable(role)) / len(dataset.pages) for role in dataset.roles}
    shares = sorted({_share(share[r.role]) for r in results})
    systems = list(results[0].systems) if results else []
    leaks = {name: _leaks(results, name) for name in systems} | {m: _leaks(each, m) for m, each in answers.items()}
    return Evaluation(
        dataset=dataset.name,
        split=dataset.split,
        sampled_from=dataset.sampled_from,
        documents=len(dataset.pages),
        questions=len(asked),
        left_out=len(dataset.questions) - len(asked),
        everything=group("all", lambda _: True),
        by_role=tuple(group(r, lambda q, r=r: q.role == r) for r in sorted({q.role for q in results})),  # type: ignore[misc]
        by_share=tuple(group(_percent(s), lambda q, s=s: _share(share[q.role]) == s) for s in shares),  # type: ignore[misc]
        over=_over(results) if PRODUCT in systems else {},
        leaks=leaks,
        absent=dict(absent),
        answers={mode: answer_groups(each, mode) for mode, each in answers.items()},
    )


def save(evaluation: Evaluation, results: Sequence[QuestionResult], folder: Path) -> list[Path]:
    """Write the figures, and beside them a line for each question, into a folder, created if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    name = evaluation.dataset.replace(" ", "-")
    figures, questions = folder / f"{name}.json", folder / f"{name}{SUFFIX}"
    figures.write_text(evaluation.as_json() + "\n", "utf-8")
    write_results(results, questions)
    return [figures, questions]


def _system_result(
    system: SystemRankings, number: int, gold: Mapping[str, float], seen: frozenset[str]
) -> SystemResult:
    ranking = system.rankings[number]
    shown = dict.fromkeys((*ranking, *(system.beside[number] if system.beside else ())))
    return SystemResult(
        tuple(dict.fromkeys(ranking))[:MAX_RANKING], measure(ranking, gold), tuple(d for d in shown if d not in seen)
    )


def _group(name: str, results: Sequence[QuestionResult]) -> Group:
    means = {
        system: {m: mean([r.systems[system].measures[m] for r in results]) for m in found.measures}
        for system, found in (results[0].systems.items() if results else ())
    }
    return Group(name, len(results), means)


def _leaks(results: Sequence[QuestionResult], system: str) -> tuple[tuple[str, str], ...]:
    return tuple((r.id, document) for r in results for document in r.systems[system].leaks)


def _over(results: Sequence[QuestionResult]) -> dict[str, dict[str, Mean]]:
    def values(system: str, name: str) -> list[float]:
        return [r.systems[system].measures[name] for r in results]

    others = [name for name in results[0].systems if name != PRODUCT]
    return {name: {m: difference(values(PRODUCT, m), values(name, m)) for m in MEASURES} for name in others}


def _share(share: float) -> float:
    """The least bound that includes the share."""
    return next(bound for bound in SHARE_BOUNDS if share <= bound)


def _percent(bound: float) -> str:
    return f"up to {bound:.0%}"
