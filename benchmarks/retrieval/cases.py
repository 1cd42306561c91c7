"""Who asks what: callers who see a given share of all vectors, in three regimes. Pure."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.world import Floats, Integers, World

FRACTIONS = (1.0, 0.3, 0.1, 0.01, 0.001, 0.0001)
# The question's topic lies in what the caller sees; the scopes are scattered; it lies in what the caller does not see.
REGIMES = ("corr", "rand", "anti")
# Callers of a real matrix are drawn evenly from these bands of the share they see.
BANDS = (1.0, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0)


@dataclass(frozen=True)
class Caller:
    """Someone who may see these scopes."""

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
    world: World,
    *,
    fractions: Sequence[float] = FRACTIONS,
    regimes: Sequence[str] = REGIMES,
    questions: int = 40,
    seed: int = 2,
) -> list[Case]:
    """Every fraction in every regime for so many questions, each asked by a caller of its own."""
    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    for fraction in fractions:
        for regime in regimes if fraction < 1 else ("all",):
            for question in range(min(questions, len(world.questions))):
                scopes = visible(world, fraction, regime, world.questions[question], rng)
                caller = Caller(len(cases), tuple(int(s) for s in scopes))
                cases.append(Case(cell_name(fraction, regime), caller, question, int(world.volumes[scopes].sum())))
    return cases


def visible(world: World, fraction: float, regime: str, question: Floats, rng: np.random.Generator) -> Integers:
    """The scopes of a caller who sees about this fraction, ascending. Raises ValueError for an unknown regime."""
    if fraction >= 1:
        return np.flatnonzero(world.volumes)
    near = world.centres @ question
    if regime == "corr":
        order = np.argsort(-near, kind="stable")
        order = order[world.topical[order]]
    elif regime == "anti":
        order = np.argsort(near, kind="stable")
        order = order[world.topical[order]]
    elif regime == "rand":
        # A real matrix has no scattered scopes: then any will do.
        order = rng.permutation(np.flatnonzero(~world.topical if not world.topical.all() else world.topical))
    else:
        raise ValueError(f"no regime {regime!r}")
    return np.sort(fill(order, world.volumes, max(1, round(fraction * world.size))))


def fill(order: Integers, volumes: Integers, rows: int) -> Integers:
    """Scopes in this order as long as they fit into so many rows; the smallest one where none fits."""
    chosen, left = [], rows
    for scope in order[volumes[order] > 0]:
        if volumes[scope] <= left:
            chosen.append(scope)
            left -= int(volumes[scope])
        if left <= rows // 50:
            break
    if not chosen:
        filled = order[volumes[order] > 0]
        chosen = [filled[np.argmin(volumes[filled])]]
    return np.asarray(chosen, np.int64)


@dataclass(frozen=True)
class Matrix:
    """A real access matrix. A scope is a set of objects with the same readers; `shares` (scopes,) count its objects."""

    name: str
    shares: Floats
    sees: dict[int, tuple[int, ...]]


def read_matrix(path: Path) -> Matrix:
    """From a gzipped CSV with columns `user` and `permission`."""
    readers: dict[int, set[int]] = defaultdict(set)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            readers[int(row["permission"])].add(int(row["user"]))
    interned = Counter(frozenset(users) for users in readers.values())
    ordered = sorted(interned, key=sorted)
    sees: dict[int, list[int]] = defaultdict(list)
    for scope, users in enumerate(ordered):
        for user in users:
            sees[user].append(scope)
    shares = np.asarray([interned[users] for users in ordered], np.float32)
    return Matrix(path.name.split(".")[0], shares, {user: tuple(scopes) for user, scopes in sorted(sees.items())})


def matrix_cases(world: World, matrix: Matrix, *, questions: int = 40, seed: int = 3) -> list[Case]:
    """Real users' views of the scopes: for each band of the visible share so many questions by users drawn from it."""
    rng = np.random.default_rng(seed)
    share = {user: world.volumes[list(scopes)].sum() / world.size for user, scopes in matrix.sees.items()}
    cases: list[Case] = []
    for high, low in pairwise(BANDS):
        inside = [user for user, part in share.items() if low < part <= high]
        for question in range(min(questions, len(world.questions)) if inside else 0):
            scopes = matrix.sees[int(rng.choice(inside))]
            cell = f"{100 * low:g}–{100 * high:g} % {matrix.name}"
            rows = int(world.volumes[list(scopes)].sum())
            cases.append(Case(cell, Caller(len(cases), scopes), question, rows))
    return cases


def mask(world: World, caller: Caller) -> NDArray[np.bool_]:
    """(n,) which vectors the caller may see."""
    allowed = np.zeros(len(world.topical), np.bool_)
    allowed[list(caller.scopes)] = True
    return np.asarray(allowed[world.scopes])
