"""Answers that somebody may still rely on, though a document that they were made from is gone or is another now."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.admin.audit_log import AuditLog, number_place, require_zones
from app.admin.exposure import people_called, require_known
from app.audit.shown import pruned_before
from app.audit.stale import StaleAnswer, list_stale
from app.db.paging import Page
from app.errors import InvalidInput


@dataclass(frozen=True)
class StaleAnswerView:
    """A stale answer with its asker: `user` is their name of today, null if they are gone; `names` those in records."""

    answer: StaleAnswer
    user: str | None
    names: list[str]


@dataclass(frozen=True)
class StaleReading:
    """One page of stale answers, and the id of the record of this very look.

    `pruned_before`: some records of before this moment, which lies in what was asked, were removed by a rule of
    retention; None: none were.
    """

    found: list[StaleAnswerView]
    pruned_before: dt.datetime | None
    recorded: uuid.UUID


def show_stale_answers(
    log: AuditLog,
    page: Page,
    *,
    document: uuid.UUID | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> StaleReading:
    """One page of answers that rest on a document which is gone or changed, newest first (audit); recorded.

    Of one document, or of all in a time. A page may hold fewer answers than it could, or none, and yet not be the last.
    Raises NotFound for a document of which neither log nor history tells, and InvalidInput.
    """
    require_zones(since, until)
    if document is None and since is None:
        raise InvalidInput("Say of which document, or since when.")
    if since is not None and until is not None and since >= until:
        raise InvalidInput("since must lie before until.")
    with log.reading() as session:
        if document is not None:
            require_known(session, document)
        found = list_stale(
            session,
            document=document,
            since=since,
            until=until,
            before_seq=number_place(page.after),
            limit=page.limit,
        )
        called = people_called(session, {each.person for each in found.answers if each.person})
        pruned = pruned_before(session, since)
    if found.reached is not None:
        page.goes_on(str(found.reached))
    moments = (("since", since), ("until", until))
    asked = {"stale": str(document or "any")} | {name: value.isoformat() for name, value in moments if value}
    rows = [
        StaleAnswerView(each, called.today.get(each.person), called.recorded.get(each.person, []))
        if each.person
        else StaleAnswerView(each, None, [])
        for each in found.answers
    ]
    return StaleReading(rows, pruned, log.record(log.look(asked, len(found.answers))))
