"""Two runs on the same questions: the difference of each measure with its interval, and where it got worse. Pure."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.evaluation.measures import Mean, difference, mean
from app.evaluation.question_results import QuestionResult, by_id


class NotComparable(ValueError):
    """The runs share no question, or no system."""


@dataclass(frozen=True)
class MeasureChange:
    """A measure before and after, over the questions that both have: the difference is paired."""

    before: Mean
    after: Mean
    difference: Mean
    better: int
    worse: int


@dataclass(frozen=True)
class Regression:
    """A question that came out worse, by the sum of a system's measures."""

    before: QuestionResult
    after: QuestionResult
    loss: float


@dataclass(frozen=True)
class RunComparison:
    """System → measure → change; what only one of the runs has is counted and left out."""

    questions: int
    only_before: int
    only_after: int
    changes: Mapping[str, Mapping[str, MeasureChange]]
    worst: Mapping[str, tuple[Regression, ...]]
    """By system, the worst first."""


def compare(before: Sequence[QuestionResult], after: Sequence[QuestionResult], *, worst: int) -> RunComparison:
    """Compare question by question; `worst` regressions at most, the largest first. Raises NotComparable.

    A question counts as the same only if its words and its answers are: figures of another task prove nothing.
    """
    earlier, later = by_id(before), by_id(after)
    shared = [id_ for id_ in earlier if id_ in later]
    if not shared:
        raise NotComparable("the two runs have no question in common, by id")
    if changed := [i for i in shared if _task(earlier[i]) != _task(later[i])]:
        raise NotComparable(
            f"{len(changed)} questions have other words, another asker or other answers in the two runs, "
            f"{changed[0]!r} for one: measure both on the same dataset"
        )
    pairs = [(earlier[i], later[i]) for i in shared]
    systems = [s for s in _names(pair[0].systems for pair in pairs) if any(_has(pair, s) for pair in pairs)]
    if not systems:
        raise NotComparable("the two runs have no system in common: give both the same --legs and --answers")
    return RunComparison(
        len(pairs),
        len(earlier) - len(pairs),
        len(later) - len(pairs),
        {name: _changes(name, [pair for pair in pairs if _has(pair, name)]) for name in systems},
        {name: _worst(name, [pair for pair in pairs if _has(pair, name)], worst) for name in systems},
    )


Pair = tuple[QuestionResult, QuestionResult]


def _task(result: QuestionResult) -> tuple[object, ...]:
    return result.question, result.role, dict(result.gold)


def _names(each: Iterable[Mapping[str, object]]) -> list[str]:
    """All names in the order in which they come first."""
    return list(dict.fromkeys(name for names in each for name in names))


def _has(pair: Pair, system: str) -> bool:
    return all(system in result.systems for result in pair)


def _changes(system: str, pairs: Sequence[Pair]) -> dict[str, MeasureChange]:
    """Each measure over the questions where both runs have it: an answer has those that make sense for it."""
    found = {}
    measured = [(before.systems[system].measures, after.systems[system].measures) for before, after in pairs]
    for name in _names(before for before, _ in measured):
        both = [(before[name], after[name]) for before, after in measured if name in before and name in after]
        if not both:
            continue
        earlier, later = ([values[side] for values in both] for side in (0, 1))
        better, worse = (sum(map(sign, later, earlier)) for sign in (operator.gt, operator.lt))
        found[name] = MeasureChange(mean(earlier), mean(later), difference(later, earlier), better, worse)
    return found


def _worst(system: str, pairs: Sequence[Pair], count: int) -> tuple[Regression, ...]:
    def total(result: QuestionResult) -> float:
        return sum(result.systems[system].measures.values())

    losses = [Regression(b, a, total(b) - total(a)) for b, a in pairs if total(a) < total(b)]
    return tuple(sorted(losses, key=lambda each: (-each.loss, each.after.id))[:count])
