"""Who was shown which document, how often and when: out of the log, by the index over the documents that records name.

An answer counts when passages of the document went into it, whether or not it was finished: its asker could have read
them. A conversation that was read back counts for the documents of the answers that were given out again.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.db.paging import Page
from app.db.tables.audit import AuditDocument, AuditEntry, AuditName
from app.db.tables.history import NameHistory
from app.db.tables.retention import RetentionRule

# In which way somebody was shown a document, by the kind of the record.
WAYS: Mapping[str, str] = {
    "answer.opened": "answers",
    "search.done": "searches",
    "document.opened": "opened",
    "document.downloaded": "downloaded",
    "conversation.read": "read_back",
}
# By the words before the dot of these kinds.
KINDS_OF_WAYS = frozenset(kind.partition(".")[0] for kind in WAYS)


@dataclass(frozen=True)
class Shown:
    """A person and a document: how often in each way, and the first and the last time, by the database's clock."""

    person: uuid.UUID
    document: uuid.UUID
    first: dt.datetime
    last: dt.datetime
    times: Mapping[str, int]


@dataclass(frozen=True)
class ShownFilter:
    """Of this document, to this person, or both; from `since` on, and before `until`."""

    document: uuid.UUID | None = None
    person: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def pruned_before(session: Session, since: dt.datetime | None) -> dt.datetime | None:
    """The moment before which records of what people were shown were removed by a rule of retention, some or all.

    None where none were, or only of before `since`: then nothing is missing.
    """
    rules = select(func.max(RetentionRule.pruned_before)).where(RetentionRule.kind.in_(KINDS_OF_WAYS))
    newest: dt.datetime | None = session.scalar(rules)
    return None if newest is None or (since is not None and newest <= since) else newest


def list_shown(session: Session, wanted: ShownFilter, page: Page) -> list[Shown]:
    """One page of who was shown what, last shown first. Names a document or a person, so that an index leads."""
    if wanted.document is None and wanted.person is None:
        raise ValueError("name a document or a person")
    found = _grouped(wanted).subquery()
    order = [found.c.last, found.c.actor, found.c.document]
    rows = page.rows(session, select(found), order, descending=True)
    ways = list(WAYS.values())
    return [
        Shown(person, document, first, last, dict(zip(ways, counts, strict=True)))
        for person, document, first, last, *counts in rows
    ]


def names_in_records(session: Session, people: set[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """What these people were ever called, also in records that have names, in alphabetical order."""
    recorded = select(AuditName.actor, AuditName.name).where(AuditName.actor.in_(people))
    called = select(NameHistory.subject, NameHistory.name).where(NameHistory.subject.in_(people))
    found: dict[uuid.UUID, list[str]] = {}
    for person, name in sorted({(row[0], row[1]) for query in (recorded, called) for row in session.execute(query)}):
        found.setdefault(person, []).append(name)
    return found


def _grouped(wanted: ShownFilter) -> Select[*tuple[object, ...]]:
    counts = [func.count().filter(AuditEntry.kind == kind).label(way) for kind, way in WAYS.items()]
    query = (
        select(
            AuditEntry.actor,
            AuditDocument.document,
            func.min(AuditEntry.at).label("first"),
            func.max(AuditEntry.at).label("last"),
            *counts,
        )
        .join(AuditDocument, AuditDocument.seq == AuditEntry.seq)
        .where(AuditEntry.kind.in_(WAYS), AuditEntry.actor.is_not(None))
        .group_by(AuditEntry.actor, AuditDocument.document)
    )
    for column, value in ((AuditDocument.document, wanted.document), (AuditEntry.actor, wanted.person)):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    return query
