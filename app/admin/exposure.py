"""After a document was shared too widely: who was shown it, who could have read it and never was, and who opened it up.

For an auditor, who does not thereby read documents: all is told by ids, and by the names that people and roles have or
that records have of them.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.history import collection_of
from app.acl.past_readers import DocumentStay, PastReading, document_stays, known_from, past_readings
from app.acl.rules import Grant
from app.admin.audit_log import AuditLog, require_zones
from app.audit.grant_makers import GrantMade, find_grant_makers
from app.audit.shown import Shown, ShownFilter, list_shown, names_in_records, pruned_before
from app.audit.stale import standing_versions
from app.db.paging import Page
from app.db.tables.audit import AuditDocument
from app.db.tables.people import User
from app.errors import InvalidInput, NotFound
from app.identity.names import names_of
from app.identity.subject import PrincipalKind

# More than a company has people.
EVERYBODY = 10_000_000


@dataclass(frozen=True)
class GrantMaker:
    """The record by which a grant came to count, and who wrote it: `user` is their name of today, null if they are gone
    or nobody; `names` those that records have.
    """

    seq: int
    at: dt.datetime
    person: uuid.UUID | None
    user: str | None
    names: list[str]
    action: str
    target: str


@dataclass(frozen=True)
class ExposureGrant:
    """A grant by which somebody could read; `name` is that of the role or user today, null for everyone or one gone.

    `made`: the newest records from before the end that put it there; empty where the log has none.
    """

    kind: PrincipalKind
    principal: uuid.UUID
    name: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    made: list[GrantMaker]


@dataclass(frozen=True)
class CouldRead:
    """From when until when somebody could read, by the grant of this place in the list, from 0."""

    grant: int
    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True)
class ExposedPerson:
    """Somebody who could read the document, or was shown it. `shown` is null for who never was.

    `user` is the name of today, null if they are gone; `names` are those that records have.
    """

    person: uuid.UUID
    user: str | None
    names: list[str]
    could: list[CouldRead]
    shown: Shown | None


@dataclass(frozen=True)
class ExposureCounts:
    """How many people were shown it, could read it, could and never were shown it, and were shown it without a grant
    that the history knows.
    """

    shown: int
    could: int
    never_shown: int
    shown_without_grant: int


@dataclass(frozen=True)
class ExposureReport:
    """All that is known of who had and could have had a document from `since` on and before `until`.

    `known_from`: the moment from which it is known who could read; `pruned_before`: some records of before this moment,
    which lies in what was asked, were removed by a rule of retention, None if none were; `complete`: neither lacks
    anything. Where a document is `gone`, what is known of it stays. `people` are one page of them.
    """

    document: uuid.UUID
    since: dt.datetime
    until: dt.datetime
    known_from: dt.datetime
    pruned_before: dt.datetime | None
    complete: bool
    gone: bool
    stays: list[DocumentStay]
    counts: ExposureCounts
    grants: list[ExposureGrant]
    people: list[ExposedPerson]
    recorded: uuid.UUID | None = None


def report_exposure(
    log: AuditLog, page: Page, *, document: uuid.UUID, since: dt.datetime, until: dt.datetime | None = None
) -> ExposureReport:
    """Who was shown a document and who could read it between two moments, one page of people (audit); recorded.

    Without `until`, until now. Raises NotFound for a document of which neither log nor history tells, and InvalidInput.
    """
    require_zones(since, until)
    with log.reading() as session:
        require_known(session, document)
        now, known = session.scalars(select(func.now())).one(), known_from(session)
        end = now if until is None else min(until, now)
        if since >= end:
            raise InvalidInput("since must lie before until, and in the past.")
        stays, readings = document_stays(session, document, since, end), past_readings(session, document, since, end)
        seen = list_shown(session, ShownFilter(document, None, since, end), Page(limit=EVERYBODY))
        grants = list(dict.fromkeys(reading.grant for reading in readings))
        people = _people(readings, grants, seen)
        # Who was shown it comes first.
        listed = page.items(people, lambda each: f"{0 if each.shown else 1}{each.person}")
        pruned = pruned_before(session, since)
        report = ExposureReport(
            document, since, end, known, pruned,
            complete=known <= since and pruned is None,
            gone=document not in standing_versions(session, {document}),
            stays=stays,
            counts=_counts(people),
            grants=describe_grants(session, document, [stay.collection for stay in stays], grants, end),
            people=_with_names(session, listed),
        )  # fmt: skip
    asked = {"exposure": str(document), "since": since.isoformat(), "until": end.isoformat()}
    event = log.look(asked, len(report.people))
    return replace(report, recorded=log.record(event))


def describe_grants(
    session: Session, document: uuid.UUID, collections: Sequence[uuid.UUID], grants: Sequence[Grant], until: dt.datetime
) -> list[ExposureGrant]:
    """These grants with the names of today, and with who made them before `until`, on the document or what is above."""
    made = find_grant_makers(session, document, collections, [grant.to_json() for grant in grants], until)
    today = names_of(session, {grant.principal.id for grant in grants})
    makers = people_called(session, {each.person for found in made for each in found if each.person})
    return [
        ExposureGrant(
            kind=grant.principal.kind,
            principal=grant.principal.id,
            name=today.get(grant.principal.id),
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            made=[_maker(each, makers) for each in found],
        )
        for grant, found in zip(grants, made, strict=True)
    ]


@dataclass(frozen=True)
class PeopleCalled:
    """How people are called: today, and in records."""

    today: Mapping[uuid.UUID, str]
    recorded: Mapping[uuid.UUID, list[str]]


def people_called(session: Session, people: set[uuid.UUID]) -> PeopleCalled:
    """The names of these people, who may be gone."""
    today = {each.id: each.shown for each in session.scalars(select(User).where(User.id.in_(people)))}
    return PeopleCalled(today, names_in_records(session, people))


def require_known(session: Session, document: uuid.UUID) -> None:
    """Raise NotFound for a document of which neither the history nor the log tells."""
    recorded = select(AuditDocument.seq).where(AuditDocument.document == document).limit(1)
    if collection_of(session, document) is None and session.scalar(recorded) is None:
        raise NotFound("Neither the history nor the log tells of a document with this id.")


def _people(readings: Sequence[PastReading], grants: Sequence[Grant], seen: Sequence[Shown]) -> list[ExposedPerson]:
    """Everybody who could read it or was shown it; without names."""
    places = {grant: place for place, grant in enumerate(grants)}
    could: dict[uuid.UUID, list[CouldRead]] = {}
    for reading in readings:
        held = [CouldRead(places[reading.grant], first, last) for first, last in reading.during]
        could.setdefault(reading.person, []).extend(held)
    shown = {each.person: each for each in seen}
    return [
        ExposedPerson(person, None, [], could.get(person, []), shown.get(person))
        for person in sorted(could.keys() | shown.keys())
    ]


def _with_names(session: Session, people: Sequence[ExposedPerson]) -> list[ExposedPerson]:
    called = people_called(session, {each.person for each in people})
    return [
        replace(each, user=called.today.get(each.person), names=called.recorded.get(each.person, [])) for each in people
    ]


def _counts(people: Sequence[ExposedPerson]) -> ExposureCounts:
    return ExposureCounts(
        shown=sum(1 for each in people if each.shown),
        could=sum(1 for each in people if each.could),
        never_shown=sum(1 for each in people if each.could and not each.shown),
        shown_without_grant=sum(1 for each in people if each.shown and not each.could),
    )


def _maker(made: GrantMade, called: PeopleCalled) -> GrantMaker:
    user = None if made.person is None else called.today.get(made.person)
    names = [] if made.person is None else called.recorded.get(made.person, [])
    return GrantMaker(made.seq, made.at, made.person, user, names, made.action, made.target)
