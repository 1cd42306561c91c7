"""On which days people were shown far more documents than is usual: numbers beside numbers, not what they mean."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.admin.audit_log import AuditLog, require_zones
from app.admin.exposure import PeopleCalled, people_called
from app.admin.shown import find_recorded_person
from app.audit.day_counts import DAY, DAYS_BEFORE
from app.audit.query import Choice, LogQuery
from app.audit.shown import pruned_before
from app.audit.unusual import MAX_COUNTED, Baseline, UnusualDay, find_unusual, services_on
from app.db.paging import Page
from app.db.tables.people import User
from app.errors import InvalidInput
from app.identity.names import names_of

# Without a beginning, so many days are looked at; and at most so many.
LAST_DAYS, MAX_DAYS = 7, 31
WAY_NOUNS: Mapping[str, str] = {"shown": "documents", "downloaded": "downloaded documents"}


@dataclass(frozen=True)
class RoleBaseline:
    """What was usual among the other people of a role; `name` is that of today, null for a role that is gone."""

    role: uuid.UUID
    name: str | None
    usual: Baseline


@dataclass(frozen=True)
class UnusualDayView:
    """A day with far more documents than all that it is compared with. `user` is the person's name of today, null if
    they are gone; `names` those that records have; `active`: they can sign in.

    `via`: services that asked for the person on that day, by their names. `q` finds the records of what was shown.
    """

    day: dt.date
    person: uuid.UUID
    user: str | None
    names: list[str]
    active: bool
    way: str
    number: int
    own: Baseline | None
    roles: list[RoleBaseline]
    via: list[str]
    explanation: str
    q: str


@dataclass(frozen=True)
class UnusualReading:
    """One page of unusual days, from `since` on and before `until`, each compared with `days_before` days before it.

    `days`: how many days of people were looked at; `without_baseline`: how many of them had many documents and nothing
    to be compared with. `pruned_before`: some records of before this moment, which lies in these days, were removed by
    a rule of retention, None if none were. `recorded`: the id of the record of this very look.
    """

    since: dt.date
    until: dt.date
    days_before: int
    days: int
    without_baseline: int
    found: list[UnusualDayView]
    pruned_before: dt.datetime | None
    recorded: uuid.UUID


def show_unusual(
    log: AuditLog,
    page: Page,
    *,
    user: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> UnusualReading:
    """One page of the days on which people were shown far more than is usual, newest first (audit); recorded.

    Days are whole, in UTC: that of `since` is the first and that in which `until` lies the last, today if it is not
    given; of everybody, or of one user by a name of today, one that any record knows, or an id. Raises NotFound for a
    name of nobody, and InvalidInput.
    """
    require_zones(since, until)
    with log.reading() as session:
        first, end = _span(since, until, session.scalars(select(func.now())).one())
        person = None if user is None else find_recorded_person(session, user)
        unusual = find_unusual(session, first, end, person)
        listed = page.items(unusual.found, _place)
        found = _views(session, listed)
        pruned = pruned_before(session, dt.datetime.combine(first - DAYS_BEFORE * DAY, dt.time(), dt.UTC))
    asked = {"unusual": str(person or "any"), "since": first.isoformat(), "until": end.isoformat()}
    recorded = log.record(log.look(asked, len(found)))
    return UnusualReading(first, end, DAYS_BEFORE, unusual.days, unusual.without_baseline, found, pruned, recorded)


def _span(since: dt.datetime | None, until: dt.datetime | None, now: dt.datetime) -> tuple[dt.date, dt.date]:
    """The first day, and the one behind the last. Raises InvalidInput."""
    last = min(until - dt.timedelta(microseconds=1) if until else now, now).astimezone(dt.UTC).date()
    first = since.astimezone(dt.UTC).date() if since else last - (LAST_DAYS - 1) * DAY
    if first > last:
        raise InvalidInput("since must lie before until, and in the past.")
    if last - first >= MAX_DAYS * DAY:
        raise InvalidInput(f"Ask of at most {MAX_DAYS} days at a time.")
    return first, last + DAY


def _place(found: UnusualDay) -> str:
    """In the order of these texts the newest days come first."""
    return f"{dt.date.max.toordinal() - found.day.toordinal():07} {found.person} {found.way}"


def _views(session: Session, found: list[UnusualDay]) -> list[UnusualDayView]:
    people = {each.person for each in found}
    called = people_called(session, people)
    active = set(session.scalars(select(User.id).where(User.id.in_(people), User.active)))
    roles = names_of(session, {role for each in found for role in each.roles})
    services = services_on(session, ((each.person, each.day) for each in found))
    asked = people_called(session, {service for each in services.values() for service in each})
    return [
        _view(
            each,
            called,
            [RoleBaseline(role, roles.get(role), usual) for role, usual in each.roles.items()],
            [called_now(service, asked) for service in services.get((each.person, each.day), ())],
            active=each.person in active,
        )
        for each in found
    ]


def called_now(who: uuid.UUID, called: PeopleCalled) -> str:
    """The name of today, else those that records have, else the id."""
    return called.today.get(who) or ", ".join(called.recorded.get(who, ())) or str(who)


def _view(
    found: UnusualDay, called: PeopleCalled, roles: list[RoleBaseline], via: list[str], *, active: bool
) -> UnusualDayView:
    begin = dt.datetime.combine(found.day, dt.time(), dt.UTC)
    kinds = ("answer", "search", "document", "conversation.read") if found.way == "shown" else ("document.downloaded",)
    query = LogQuery(
        who=Choice(frozenset({str(found.person)})), kind=Choice(frozenset(kinds)), after=begin, before=begin + DAY
    )
    return UnusualDayView(
        day=found.day,
        person=found.person,
        user=called.today.get(found.person),
        names=called.recorded.get(found.person, []),
        active=active,
        way=found.way,
        number=found.number,
        own=found.own,
        roles=roles,
        via=via,
        explanation=explain_day(found.day, found.way, found.number, found.own, roles),
        q=query.text,
    )


def explain_day(day: dt.date, way: str, number: int, own: Baseline | None, roles: list[RoleBaseline]) -> str:
    """A finding in words and numbers."""
    many = f"at least {number:,}" if number >= MAX_COUNTED else f"{number:,}"
    told = [f"{many} {WAY_NOUNS[way]} on {day.day} {day:%B %Y}"]
    for each in roles:
        told.append(f"people of '{each.name or each.role}': {_words(each.usual)} ({each.usual.people} people)")
    few = f"too few days in the {DAYS_BEFORE} before to compare with"
    told.append(f"the same person: {_words(own) if own else few}")
    return "; ".join(told)


def _words(usual: Baseline) -> str:
    return f"median {usual.median:g}, highest {usual.highest:,} on {usual.days:,} days in the {DAYS_BEFORE} before"
