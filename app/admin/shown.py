"""The officer's everyday questions: who was shown this document, and what was this person shown. Both are recorded."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.admin.audit_log import AuditLog, require_zones
from app.audit.names import with_ids
from app.audit.query import Choice, LogQuery, is_id
from app.audit.shown import Shown, ShownFilter, list_shown, names_in_records, pruned_before
from app.db.paging import Page
from app.db.tables.people import User
from app.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class ShownView:
    """A person and a document. `user` is the person's name of today, null if they are gone; `names` are those under
    which records have them. `q` finds the records themselves.
    """

    person: uuid.UUID
    user: str | None
    names: list[str]
    document: uuid.UUID
    first: dt.datetime
    last: dt.datetime
    times: Mapping[str, int]
    q: str


@dataclass(frozen=True)
class ShownReading:
    """One page of who was shown what, and the id of the record of this very look.

    `pruned_before`: some records of before this moment, which lies in what was asked, were removed by a rule of
    retention; None: none were.
    """

    found: list[ShownView]
    pruned_before: dt.datetime | None
    recorded: uuid.UUID


def show_sightings(
    log: AuditLog,
    page: Page,
    *,
    document: uuid.UUID | None = None,
    user: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> ShownReading:
    """One page of who was shown what, last shown first (audit). Names the document, the user, or both.

    `user` is a name of today, one that any record knows, or an id: also of somebody who is gone. Raises
    NotFound for a name of nobody, and InvalidInput.
    """
    if document is None and user is None:
        raise InvalidInput("Say of which document, or of which user.")
    require_zones(since, until)
    with log.reading() as session:
        person = None if user is None else find_recorded_person(session, user)
        found = list_shown(session, ShownFilter(document, person, since, until), page)
        people = {each.person for each in found}
        names = names_in_records(session, people)
        today = {each.id: each.shown for each in session.scalars(select(User).where(User.id.in_(people)))}
        pruned = pruned_before(session, since)
    moments = (("since", since), ("until", until))
    asked = {"shown": str(document or ""), "to": str(person or "")} | {k: v.isoformat() for k, v in moments if v}
    filters = {name: value for name, value in asked.items() if value}
    event = log.look(filters, len(found))
    views = [_view(each, today.get(each.person), names.get(each.person, [])) for each in found]
    return ShownReading(views, pruned, log.record(event))


def find_recorded_person(session: Session, user: str) -> uuid.UUID:
    """The one whom a name of today or of a record means, or an id.

    Raises NotFound for a name of nobody, and InvalidInput for one of several, or of a part of ours.
    """
    try:
        named = with_ids(session, LogQuery(who=Choice(frozenset({user})))).who.wanted
    except InvalidInput:
        named = frozenset()
    if not named or user.startswith("_"):
        raise NotFound(f"No user is named {user!r}, now or in any record.")
    people = sorted(name for name in named if is_id(name))
    if len(people) != 1:
        why = f"names several users: say which by id, of {', '.join(people)}" if people else "is no user"
        raise InvalidInput(f"{user!r} {why}.")
    return uuid.UUID(people[0])


def _view(shown: Shown, user: str | None, names: list[str]) -> ShownView:
    kinds = frozenset({"answer", "search", "document", "conversation.read"})
    query = LogQuery(
        who=Choice(frozenset({str(shown.person)})),
        kind=Choice(kinds),
        document=Choice(frozenset({str(shown.document)})),
    )
    return ShownView(shown.person, user, names, shown.document, shown.first, shown.last, shown.times, query.text)
