"""The facts of a text that must agree to the letter: numbers with units, dates, times, identifiers. Pure.

Each is brought to one form, so that "eight" is 8, "1,000" and "1k" are 1000, "€5" is "5 euros", "March 3rd" is
"3 March" and "two weeks" are "14 days". Where a form can be read in two ways ("1.000", "03/04") it has both values.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "date", "month", "weekday", "time", "code"]
Value = float | tuple[int, int] | str


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact and where it stands: [start, end) in characters.

    `values` are its readings, any of which may be meant. `unit` is what a number measures, None where the text does not
    say, and `factor` how many of that unit one is (a week is 604,800 "s"). `soft` marks what may be no number at all
    ("one", "a"): it can support a number and needs no support itself. `about` is set behind "about": a rounded number
    will do.
    """

    kind: Kind
    values: frozenset[Value]
    start: int
    end: int
    unit: str | None = None
    factor: float = 1.0
    soft: bool = False
    about: bool = False


def is_supported(claim: Fact, evidence: Iterable[Fact]) -> bool:
    """Whether one of these facts says the same."""
    return any(says_the_same(claim, fact) for fact in evidence)


def says_the_same(claim: Fact, fact: Fact) -> bool:
    """Whether a fact of a source supports one of an answer; the unit counts where both name one."""
    match claim.kind, fact.kind:
        case "number", "number":
            if claim.unit and fact.unit:
                return claim.unit == fact.unit and _equal(claim, fact, claim.factor, fact.factor)
            return _equal(claim, fact, 1.0, 1.0)
        case "code", "code":
            return any(a.endswith(b) or b.endswith(a) for a in map(str, claim.values) for b in map(str, fact.values))
        case said, given if said == given:
            return not claim.values.isdisjoint(fact.values)
        case _, "date":
            return _is_in_date(claim, fact)
    return False


def _is_in_date(claim: Fact, fact: Fact) -> bool:
    """Whether a month or the number of a day is that of a date."""
    if fact.kind == "date":
        dates = [value for value in fact.values if isinstance(value, tuple)]
        if claim.kind == "month":
            return any(float(month) in claim.values for month, _ in dates)
        if claim.kind == "number" and claim.unit is None:
            return any(float(day) in claim.values for _, day in dates)
    return False


def _equal(claim: Fact, fact: Fact, of_claim: float, of_fact: float) -> bool:
    return any(
        math.isclose(said * of_claim, given * of_fact, rel_tol=1e-9)
        or (claim.about and said > 0 and _rounded(given * of_fact / of_claim, said) == said)
        for said in claim.values
        for given in fact.values
        if isinstance(said, float) and isinstance(given, float)
    )


def _rounded(given: float, said: float) -> float:
    """What is given with as many digits as were said."""
    digits = len(f"{said:.10g}".replace(".", "").strip("0"))
    return float(f"{given:.{max(digits, 1)}g}") if given else 0.0


def compete(claim: Fact, facts: Sequence[Fact]) -> bool:
    """Whether a source gives another fact of the same sort, in whose place this one may have been put."""
    return any(
        fact.kind == claim.kind and not fact.soft and (claim.kind != "number" or fact.unit == claim.unit)
        for fact in facts
    )
