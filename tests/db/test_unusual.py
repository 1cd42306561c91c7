"""Which days are far above what is usual for roles and people: by the rule of docs/audit.md, and by hand."""

import contextlib
import datetime as dt
import random
import statistics
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.day_counts import PERSON_DAYS
from app.audit.unusual import UnusualDays, find_unusual
from tests.db.audit_db import AuditDb
from tests.support.cluster import TEMPLATE, Cluster, copied

TODAY = dt.date(2026, 11, 3)
DAY = dt.timedelta(days=1)
USUAL = (8, 9, 10, 9, 8, 11, 9)


@dataclass
class Office:
    """Days and roles in one transaction of the owner, who sees what an auditor does; it is rolled back."""

    session: Session
    written: dict[tuple[dt.date, uuid.UUID, str], int] = field(default_factory=dict)

    def shown(self, person: uuid.UUID, number: int, day: dt.date = TODAY, way: str = "shown") -> None:
        self.written[day, person, way] = number
        self.session.execute(
            text(
                "insert into audit_day (day, actor, way, documents)"
                " values (:day, :actor, :way, array(select gen_random_uuid() from generate_series(1, :number)))"
            ),
            {"day": day, "actor": person, "way": way, "number": number},
        )

    def before(self, person: uuid.UUID, numbers: Sequence[int] = USUAL, way: str = "shown") -> uuid.UUID:
        """What somebody was shown on each of the days before today, the last one first."""
        for back, number in enumerate(numbers, start=1):
            self.shown(person, number, TODAY - back * DAY, way)
        return person

    def join(self, person: uuid.UUID, role: uuid.UUID, first: dt.date = dt.date(2026, 1, 1),
             last: dt.date | None = None, ends_at: dt.date | None = None) -> None:  # fmt: skip
        self.session.execute(
            text("insert into membership_history (user_id, role_id, valid_from, valid_to, ends_at)"
                 " values (:person, :role, :first, :last, :ends_at)"),
            {"person": person, "role": role, "first": noon(first), "last": noon(last), "ends_at": noon(ends_at)},
        )  # fmt: skip

    def nest(self, role: uuid.UUID, inside: uuid.UUID, first: dt.date, last: dt.date | None = None) -> None:
        self.session.execute(
            text("insert into nesting_history (role_id, inside_id, valid_from, valid_to)"
                 " values (:role, :inside, :first, :last)"),
            {"role": role, "inside": inside, "first": noon(first), "last": noon(last)},
        )  # fmt: skip

    def role_of(self, people: int, numbers: Sequence[int] = USUAL) -> uuid.UUID:
        """A role of as many people, each with days like these."""
        role = uuid.uuid4()
        for _ in range(people):
            self.join(self.before(uuid.uuid4(), numbers), role)
        return role

    def find(self, person: uuid.UUID | None = None, since: dt.date = TODAY) -> UnusualDays:
        return find_unusual(self.session, since, TODAY + DAY, person)

    def is_unusual(self, person: uuid.UUID) -> bool:
        return bool(self.find(person).found)


def noon(day: dt.date | None) -> dt.datetime | None:
    return None if day is None else dt.datetime.combine(day, dt.time(12), dt.UTC)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[AuditDb]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as made:
        yield made


@pytest.fixture
def office(world: AuditDb) -> Iterator[Office]:
    with world.session("owner") as session, contextlib.closing(session.begin_nested()) as inner:
        yield Office(session)
        inner.rollback()


def test_a_day_far_above_role_and_person_is_found_with_its_numbers(office: Office) -> None:
    role, person = office.role_of(4), uuid.uuid4()
    office.join(office.before(person), role)
    office.shown(person, 67)
    found = office.find()
    [day] = found.found
    assert (day.day, day.person, day.way, day.number) == (TODAY, person, "shown", 67)
    assert (day.own.days, day.own.median, day.own.spread, day.own.highest) == (7, 9, 1, 11) if day.own else False
    [usual] = day.roles.values()
    assert list(day.roles) == [role]
    assert (usual.people, usual.days, usual.median, usual.highest, usual.limit) == (4, 28, 9, 11, 18)
    assert (found.days, found.without_baseline) == (1, 0)


@pytest.mark.parametrize(("number", "unusual"), [(19, False), (20, True), (67, True)])
def test_below_twenty_documents_no_day_is_looked_at(office: Office, number: int, unusual: bool) -> None:
    person = office.before(uuid.uuid4())
    office.join(person, office.role_of(4))
    office.shown(person, number)
    assert office.is_unusual(person) == unusual


@pytest.mark.parametrize(("number", "unusual"), [(24, False), (25, True)])
def test_far_above_is_six_deviations_above_the_median_and_twice_the_median(
    office: Office, number: int, unusual: bool
) -> None:
    """Of 8, 9, 10, 12, 16, 20, 22: the median is 12 and the spread 4: above twice the median."""
    person = office.before(uuid.uuid4(), (12, 12, 12, 12, 12, 10, 14))
    office.shown(person, number)
    assert office.is_unusual(person) == unusual
    scattered = office.before(uuid.uuid4(), (8, 9, 10, 12, 16, 20, 22))
    office.shown(scattered, 36)
    assert not office.is_unusual(scattered)
    more = office.before(uuid.uuid4(), (8, 9, 10, 12, 16, 20, 22))
    office.shown(more, 37)
    assert office.is_unusual(more)


def test_what_is_usual_for_the_person_is_usual(office: Office) -> None:
    person = office.before(uuid.uuid4(), (60, 62, 58, 61, 63))
    office.join(person, office.role_of(4))
    office.shown(person, 67)
    assert not office.is_unusual(person)


def test_what_is_usual_in_one_of_many_roles_is_usual(office: Office) -> None:
    person = office.before(uuid.uuid4())
    office.join(person, office.role_of(4))
    office.shown(person, 67)
    assert office.is_unusual(person)
    office.join(person, office.role_of(4, (50, 60, 70, 55, 65)))
    assert not office.is_unusual(person)


def test_who_is_new_is_compared_with_the_role_alone(office: Office) -> None:
    person = uuid.uuid4()
    office.join(person, office.role_of(4), first=TODAY)
    office.shown(person, 67)
    [day] = office.find(person).found
    assert day.own is None
    assert len(day.roles) == 1


def test_a_role_of_few_says_nothing(office: Office) -> None:
    """Nor does one whose members were shown nothing; then the person's own days decide."""
    alone, few, idle = office.role_of(0), office.role_of(2, range(1, 20)), office.role_of(5, ())
    person = office.before(uuid.uuid4())
    for role in (alone, few, idle):
        office.join(person, role)
    office.shown(person, 67)
    [day] = office.find(person).found
    assert (day.roles, day.own is not None) == ({}, True)


def test_nothing_to_compare_with_is_said_and_no_finding(office: Office) -> None:
    office.shown(uuid.uuid4(), 67)
    office.shown(uuid.uuid4(), 5)
    found = office.find()
    assert (found.found, found.days, found.without_baseline) == ([], 2, 1)


def test_roles_are_those_of_that_day(office: Office) -> None:
    """Who left it the day before is not compared with it, who left it on that day is; so if it ended by itself."""
    yesterday = TODAY - DAY
    for last, ends_at, held in ((yesterday, None, False), (TODAY, None, True), (None, yesterday, False)):
        person, role = uuid.uuid4(), office.role_of(4)
        office.join(person, role, last=last, ends_at=ends_at)
        office.shown(person, 67)
        assert [list(day.roles) for day in office.find(person).found] == ([[role]] if held else [])


def test_a_role_inside_another_counts_while_it_was_inside(office: Office) -> None:
    role, outer, former = uuid.uuid4(), office.role_of(4), office.role_of(4)
    person = uuid.uuid4()
    office.join(person, role)
    office.nest(role, outer, dt.date(2026, 1, 1))
    office.nest(role, former, dt.date(2026, 1, 1), TODAY - 2 * DAY)
    office.shown(person, 67)
    [day] = office.find(person).found
    assert list(day.roles) == [outer]


def test_days_of_more_than_thirty_before_do_not_count(office: Office) -> None:
    person = uuid.uuid4()
    for back in range(31, 40):
        office.shown(person, 60, TODAY - back * DAY)
    office.before(person)
    office.shown(person, 67)
    [day] = office.find(person).found
    assert day.own is not None
    assert day.own.days == 7


def test_downloads_are_counted_apart(office: Office) -> None:
    person = office.before(office.before(uuid.uuid4()), (1, 2, 1, 2, 1), way="downloaded")
    office.shown(person, 15)
    office.shown(person, 10, way="downloaded")
    assert [(day.way, day.number) for day in office.find(person).found] == [("downloaded", 10)]


def far_above(number: int, before: list[int]) -> bool:
    median = statistics.median(before)
    spread = statistics.median(abs(each - median) for each in before)
    return number > median + 6 * spread and number > 2 * median


@pytest.mark.parametrize("seed", range(8))
def test_by_hand_the_same_days_are_found(office: Office, seed: int) -> None:
    """Over people with several roles, days without anything, and days looked at that stand before one another."""
    rng = random.Random(seed)
    people, roles = ([uuid.uuid4() for _ in range(n)] for n in (12, 3))
    held = {person: set(rng.sample(roles, rng.randrange(3))) for person in people}
    for person in people:
        for role in held[person]:
            office.join(person, role)
        for back in range(40):
            if rng.random() < 0.6:
                office.shown(person, rng.choice([3, 9, 12, 15, 21, 40, 90]), TODAY - back * DAY)
    since, found = TODAY - 9 * DAY, set[tuple[dt.date, uuid.UUID]]()
    for (day, person, _), number in office.written.items():
        if day < since or number < 20:
            continue
        span = range(1, 31)
        days = {each: [office.written.get((day - n * DAY, each, "shown"), 0) for n in span] for each in people}
        active = {each: [n for n in numbers if n] for each, numbers in days.items() if any(numbers)}
        compared = [own] if len(own := active.get(person, [])) >= 5 else []
        for role in held[person]:
            others = [active[each] for each in active if role in held[each] and each != person]
            if len(others) >= 3 and sum(map(len, others)) >= 15:
                compared.append([n for numbers in others for n in numbers])
        if compared and all(far_above(number, each) for each in compared):
            found.add((day, person))
    told = office.find(since=since).found
    assert {(each.day, each.person) for each in told} == found
    assert [each.day for each in told] == sorted((each.day for each in told), reverse=True)


def test_the_numbers_alone_are_read(office: Office) -> None:
    """Not the ids of the documents, which are many."""
    values = {":first": "date '2026-10-01'", ":end": "date '2026-11-04'", ":way": "'shown'"}
    plan = f"explain {PERSON_DAYS.text}"
    for name, value in values.items():
        plan = plan.replace(name, value)
    office.session.execute(text("set local enable_seqscan = off"))
    office.session.execute(text("set local enable_bitmapscan = off"))
    assert "Index Only Scan using audit_day_pkey" in "\n".join(office.session.scalars(text(plan)))
