"""Days on which somebody was shown far more documents than is usual for their roles and for themselves.

Anybody can follow the rule: docs/audit.md says it in one paragraph, with what it cannot see.
"""

import datetime as dt
import statistics
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, Date, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

from app.audit.day_counts import DAY, DAYS_BEFORE, DayCounts, PersonDay, RolesHeld
from app.audit.query import LogQuery
from app.audit.search import prepare
from app.audit.shown import WAYS

# From how many documents on a day is looked at: shown in any way, and downloaded.
FLOORS: Mapping[str, int] = {"shown": 20, "downloaded": 10}
# A day is far above when it is above the median by more than so many median absolute deviations, and more than so many
# times the median.
DEVIATIONS, TIMES = 6, 2
# Of a person's own days, and of other people in a role with their days, so many have to be there to say what is usual.
OWN_DAYS, OTHER_PEOPLE, OTHER_DAYS = 5, 3, 15
# Of a person and day no more documents are counted.
MAX_COUNTED = 10_000
Numbers = NDArray[np.int64]

# Where services asked for a person between two numbers of the log.
SERVICES = text("""
    select n.person, n.day, array_agg(distinct e.via) as services
    from unnest(:people, :days, :firsts, :ends) as n (person, day, first, "end")
      cross join lateral (
        select e.via from audit_entry e
        where e.actor = n.person and e.kind = any (:kinds) and e.seq >= n.first and e.seq < n."end"
          and e.via is not null and (e.at at time zone 'UTC')::date = n.day
      ) as e
    group by 1, 2
""").bindparams(
    bindparam("people", type_=ARRAY(Uuid)), bindparam("days", type_=ARRAY(Date)),
    bindparam("firsts", type_=ARRAY(BigInteger)), bindparam("ends", type_=ARRAY(BigInteger)),
    bindparam("kinds", type_=ARRAY(Text)),
)  # fmt: skip


@dataclass(frozen=True)
class Baseline:
    """What was usual in the days before: over so many people and days on which they were shown anything.

    `spread` is the median absolute deviation from the median.
    """

    people: int
    days: int
    median: float
    spread: float
    highest: int

    @property
    def limit(self) -> float:
        """Above this a day is far above what was usual."""
        return max(self.median + DEVIATIONS * self.spread, TIMES * self.median)


@dataclass(frozen=True)
class UnusualDay:
    """A day on which a person was shown `number` documents, far more than in all that it could be compared with.

    `own`: the person's own days before; None where there are too few. `roles`: what was usual among the others of each
    of the person's roles; roles of too few are not among them. One of the two is there.
    """

    day: dt.date
    person: uuid.UUID
    way: str
    number: int
    own: Baseline | None
    roles: Mapping[uuid.UUID, Baseline]


@dataclass(frozen=True)
class UnusualDays:
    """What was found. `days`: how many days of people were looked at; `without_baseline`: how many of them had as many
    documents as would be looked at and nothing to be compared with.
    """

    found: list[UnusualDay]
    days: int
    without_baseline: int


def find_unusual(session: Session, since: dt.date, until: dt.date, person: uuid.UUID | None = None) -> UnusualDays:
    """The unusual days from `since` on and before `until`, of everybody or of one person, newest first."""
    found, days, without = list[UnusualDay](), 0, set[tuple[dt.date, uuid.UUID]]()
    held = RolesHeld(session, since, until)
    for way, floor in FLOORS.items():
        table = DayCounts.read(session, way, since - DAYS_BEFORE * DAY, until)
        comparer = _Comparer(table, held)
        for each in table.days_since(since, person):
            days += 1 if way == "shown" else 0
            if each.number < floor:
                continue
            day, who = table.day(each.column), table.people[each.row]
            compared = comparer.compare(each)
            if compared.with_nothing:
                without.add((day, who))
            if compared.above:
                found.append(UnusualDay(day, who, way, each.number, compared.own, compared.roles))
    found.sort(key=lambda each: (-each.day.toordinal(), each.person, each.way))
    return UnusualDays(found, days, len(without))


def services_on(
    session: Session, wanted: Iterable[tuple[uuid.UUID, dt.date]]
) -> dict[tuple[uuid.UUID, dt.date], list[uuid.UUID]]:
    """The services that asked for these people on these days and were shown documents; without those of none."""
    pairs = sorted(set(wanted))
    begins = {day: dt.datetime.combine(day, dt.time(), dt.UTC) for _, day in pairs}
    # Where a day lies in the log: no index is by time.
    there = {day: prepare(session, LogQuery(after=begin, before=begin + DAY)) for day, begin in begins.items()}
    given = {
        "people": [person for person, _ in pairs],
        "days": [day for _, day in pairs],
        "firsts": [there[day].first for _, day in pairs],
        "ends": [there[day].end for _, day in pairs],
        "kinds": list(WAYS),
    }
    return {(row.person, row.day): sorted(row.services) for row in session.execute(SERVICES, given)}


def usual_for_person(numbers: Sequence[int]) -> Baseline:
    """What is usual for a person by the number of each of a few days: most days that are looked at go no further."""
    median = statistics.median(numbers)
    spread = statistics.median([abs(number - median) for number in numbers])
    return Baseline(1, len(numbers), float(median), float(spread), max(numbers))


def usual(numbers: Numbers, times: Numbers, people: int) -> Baseline:
    """What is usual where each of these numbers of documents, ascending, was shown on so many days; there is one."""
    median = _median(numbers, times)
    distances = np.abs(numbers - median)
    nearest = np.argsort(distances, kind="stable")
    spread = _median(distances[nearest], times[nearest])
    return Baseline(people, int(times.sum()), median, spread, int(numbers[-1]))


def _median(values: NDArray[np.int64 | np.float64], times: Numbers) -> float:
    """The median of ascending values, each of which is there so many times."""
    behind = np.cumsum(times)
    middle = (behind[-1] - 1) // 2, behind[-1] // 2
    return float(values[np.searchsorted(behind, middle, side="right")].mean())


@dataclass(frozen=True)
class _Comparison:
    """With what a day was compared, and whether it is far above all of that. Without anything it is not."""

    own: Baseline | None
    roles: Mapping[uuid.UUID, Baseline]
    above: bool

    @property
    def with_nothing(self) -> bool:
        return self.own is None and not self.roles


@dataclass(frozen=True)
class _RoleDays:
    """On how many days members of a role were shown each number of documents, and how many members were shown any."""

    times: Numbers
    people: int


class _Comparer:
    """Compares days of one table; keeps what was shown to a role before a day, which many of its members need."""

    def __init__(self, table: DayCounts, held: RolesHeld) -> None:
        self._table, self._held = table, held
        self._roles: dict[tuple[uuid.UUID, int], _RoleDays] = {}

    def compare(self, each: PersonDay) -> _Comparison:
        """What is usual in one of a person's roles, or for them, is usual: then the other roles are not looked at."""
        before = [number for number in self._table.before(each.column, each.row).tolist() if number]
        own, roles = usual_for_person(before) if len(before) >= OWN_DAYS else None, dict[uuid.UUID, Baseline]()
        if own is not None and each.number <= own.limit:
            return _Comparison(own, roles, above=False)
        for role in self._held.roles(self._table.people[each.row], self._table.day(each.column)):
            others = self._others(role, each.column, before)
            if others is not None:
                roles[role] = others
                if each.number <= others.limit:
                    return _Comparison(own, roles, above=False)
        return _Comparison(own, roles, above=own is not None or bool(roles))

    def _others(self, role: uuid.UUID, column: int, own: Sequence[int]) -> Baseline | None:
        """What is usual in a role without the days of this one of its members."""
        if (role, column) not in self._roles:
            self._roles[role, column] = self._role_days(role, column)
        of_role = self._roles[role, column]
        times = of_role.times - np.bincount(np.array(own, np.int64), minlength=len(of_role.times))
        numbers, people = np.flatnonzero(times), of_role.people - (len(own) > 0)
        times = times[numbers]
        return usual(numbers, times, people) if people >= OTHER_PEOPLE and times.sum() >= OTHER_DAYS else None

    def _role_days(self, role: uuid.UUID, column: int) -> _RoleDays:
        members = self._held.members(role, self._table.day(column))
        rows = sorted(self._table.rows[member] for member in members if member in self._table.rows)
        numbers = self._table.before(column, rows)
        return _RoleDays(np.bincount(numbers[numbers > 0]), int(np.count_nonzero(numbers.any(axis=1))))
