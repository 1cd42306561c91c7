"""Who asks what: callers who see a given share of all vectors, in three regimes; and what an answer is worth. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search.vectors import Floats, Integers, Vectors

FRACTIONS = (1.0, 0.3, 0.1, 0.01, 0.001, 0.0001)
# The question's topic lies in what the caller sees; the scopes are scattered; it lies in what the caller does not see.
REGIMES = ("corr", "rand", "anti")
# Peers add up the products in other orders: scores this close count as tied.
TIED = 1e-5


@dataclass(frozen=True)
class Caller:
    id: int
    scopes: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A caller's question. `rows` of the vectors are visible; `cell` names the line of the table it counts for."""

    cell: str
    caller: Caller
    question: int
    rows: int


def cell_name(fraction: float, regime: str) -> str:
    """Such as `10 % anti`; everything visible has no regime."""
    return f"{100 * fraction:g} %" if fraction >= 1 else f"{100 * fraction:g} % {regime}"


def make_cases(
    vectors: Vectors, *, fractions: Sequence[float] = FRACTIONS, regimes: Sequence[str] = REGIMES, questions: int = 40
) -> list[Case]:
    """Every fraction in every regime for so many questions, each asked by another caller."""
    rng = np.random.default_rng(2)
    cases: list[Case] = []
    for fraction in fractions:
        for regime in regimes if fraction < 1 else ("all",):
            for question in range(min(questions, len(vectors.questions))):
                scopes = visible(vectors, fraction, regime, vectors.questions[question], rng)
                caller = Caller(len(cases), tuple(int(s) for s in scopes))
                cases.append(Case(cell_name(fraction, regime), caller, question, int(vectors.volumes[scopes].sum())))
    return cases


def visible(vectors: Vectors, fraction: float, regime: str, question: Floats, rng: np.random.Generator) -> Integers:
    """The scopes of a caller who sees about this fraction, ascending."""
    if fraction >= 1:
        return np.flatnonzero(vectors.volumes)
    if regime == "rand":
        order = rng.permutation(np.flatnonzero(~vectors.topical))
    else:
        near = vectors.centres @ question
        order = np.argsort(near if regime == "anti" else -near, kind="stable")
        order = order[vectors.topical[order]]
    return np.sort(fill(order, vectors.volumes, max(1, round(fraction * vectors.size))))


def fill(order: Integers, volumes: Integers, rows: int) -> Integers:
    """Scopes in this order as long as they fit into so many rows; the smallest one where none fits."""
    filled = order[volumes[order] > 0]
    chosen, left = [], rows
    for scope in filled:
        if volumes[scope] <= left:
            chosen.append(scope)
            left -= int(volumes[scope])
        if left <= rows // 50:
            break
    return np.asarray(chosen or [filled[np.argmin(volumes[filled])]], np.int64)


@dataclass(frozen=True)
class Judged:
    """`recall` from 0 to 1, rows that the caller may not see, and rows that are missing."""

    recall: float
    hidden: int
    short: int


@dataclass(frozen=True)
class Truth:
    """The best visible ids of a case, best first, and the similarities of all vectors to its question."""

    best: Integers
    scores: Floats

    def judge(self, vectors: Vectors, case: Case, answer: Sequence[int], k: int) -> Judged:
        """An id counts as right if its similarity is at least that of the k-th best, so that ties are no mistakes."""
        wanted = min(k, len(self.best))
        rows = np.unique(np.asarray(answer[:k], np.int64))
        rows = rows[(rows >= 0) & (rows < vectors.size)]
        allowed = np.isin(vectors.scopes[rows], case.caller.scopes)
        line = self.scores[self.best[wanted - 1]] - TIED
        right = int((allowed & (self.scores[rows] >= line)).sum())
        return Judged(min(1.0, right / wanted), int((~allowed).sum()), max(0, wanted - len(rows)))


def truth_of(vectors: Vectors, case: Case, scores: Floats, depth: int) -> Truth:
    """Exact, given the `scores` (n,) of all vectors; ties go to the lower id."""
    seen = np.flatnonzero(np.isin(vectors.scopes, case.caller.scopes))
    if len(seen) > 4 * depth:
        # All that could be among the best, equal ones too.
        seen = seen[scores[seen] >= np.partition(scores[seen], -depth)[-depth]]
    return Truth(seen[np.lexsort((seen, -scores[seen]))[:depth]], scores)
