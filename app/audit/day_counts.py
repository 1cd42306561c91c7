"""How many documents people were shown on which days, and in which roles they were: by these it is told what is usual.

The numbers come from `audit_day`, which the database keeps as records get their places.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.engine import BINARY

# The days before a day with which it is compared.
DAYS_BEFORE = 30
DAY = dt.timedelta(days=1)

# Of each person the days and their numbers, packed: there are many. No document is read.
PERSON_DAYS = text("""
    select actor, string_agg(int4send(day - cast(:first as date)) || int4send(number), ''::bytea) as days
    from audit_day where day >= :first and day < :end and way = :way
    group by actor
""").execution_options(**BINARY)
PERSON_DAY = np.dtype([("column", ">i4"), ("number", ">i4")])

# Who was in which role, also by way of roles inside others, from when until when.
ROLES_HELD = text("""
    with recursive held (user_id, role_id, during) as (
      select m.user_id, m.role_id, tstzrange(m.valid_from, least(m.valid_to, m.ends_at))
      from membership_history m
      where m.valid_from < :until
        and coalesce(least(m.valid_to, m.ends_at), 'infinity') > greatest(m.valid_from, :since)
      union
      select h.user_id, n.inside_id, h.during * tstzrange(n.valid_from, n.valid_to)
      from held h join nesting_history n on n.role_id = h.role_id and h.during && tstzrange(n.valid_from, n.valid_to)
    )
    select user_id, role_id, lower(during) as first, upper(during) as last from held
    where not isempty(during)
""")


@dataclass(frozen=True)
class PersonDay:
    """A day on which a person was shown anything, by row and column of the table."""

    row: int
    column: int
    number: int


@dataclass(frozen=True)
class DayCounts:
    """How many documents each person was shown on each day: a row for each person, a column for each day from `first`
    on; 0 where they were shown none.
    """

    people: Sequence[uuid.UUID]
    rows: Mapping[uuid.UUID, int]
    first: dt.date
    numbers: NDArray[np.int64]

    @classmethod
    def read(cls, session: Session, way: str, first: dt.date, end: dt.date) -> "DayCounts":
        """The days from `first` on and before `end`."""
        found = session.execute(PERSON_DAYS, {"way": way, "first": first, "end": end}).all()
        numbers = np.zeros((len(found), (end - first).days), np.int64)
        for row, (_, packed) in enumerate(found):
            days = np.frombuffer(packed, PERSON_DAY)
            numbers[row, days["column"]] = days["number"]
        people = [person for person, _ in found]
        return cls(people, {person: row for row, person in enumerate(people)}, first, numbers)

    def day(self, column: int) -> dt.date:
        return self.first + column * DAY

    def days_since(self, since: dt.date, person: uuid.UUID | None) -> Iterator[PersonDay]:
        """The days of everybody, or of this person."""
        rows = range(len(self.people)) if person is None else [self.rows[person]] if person in self.rows else []
        begin = (since - self.first).days
        for row in rows:
            for column in np.flatnonzero(self.numbers[row, begin:]) + begin:
                yield PersonDay(row, int(column), int(self.numbers[row, column]))

    def before(self, column: int, rows: int | Sequence[int]) -> NDArray[np.int64]:
        """The numbers of a person, or of these people, in the days before; shape (days,) or (people, days)."""
        return self.numbers[rows, max(column - DAYS_BEFORE, 0) : column]


class RolesHeld:
    """Who held which roles on a day: for any part of it."""

    def __init__(self, session: Session, since: dt.date, until: dt.date) -> None:
        begin, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (since, until))
        self._of: dict[uuid.UUID, list[Any]] = {}
        self._in: dict[uuid.UUID, list[Any]] = {}
        for held in session.execute(ROLES_HELD, {"since": begin, "until": end}):
            self._of.setdefault(held.user_id, []).append(held)
            self._in.setdefault(held.role_id, []).append(held)

    def roles(self, person: uuid.UUID, day: dt.date) -> list[uuid.UUID]:
        return sorted({held.role_id for held in self._of.get(person, ()) if _on(held, day)})

    def members(self, role: uuid.UUID, day: dt.date) -> set[uuid.UUID]:
        return {held.user_id for held in self._in.get(role, ()) if _on(held, day)}


def _on(held: Any, day: dt.date) -> bool:
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    return held.first < begin + DAY and (held.last is None or held.last > begin)
