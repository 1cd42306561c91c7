"""Answers that rest on a document which is gone now, or of which another version stands than they were made from."""

import datetime as dt
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.orm import Session

from app.audit.query import Choice, LogQuery
from app.audit.search import PAGE_SECONDS, find, prepare

# Answers that are looked at together.
STEP = 200
STANDING = text("select document, version from clearance.standing_versions(:documents)").bindparams(
    bindparam("documents", type_=ARRAY(Uuid))
)
# The versions of each document that went into an answer; what is no id, whoever wrote it, is none.
RESTED_ON = text("""
    with opened as materialized (
      select e.seq, e.at, e.trail, e.actor, l.body::jsonb -> 'passages' as passages
      from audit_entry e join audit_leaf l on l.id = e.leaf_id
      where e.seq = any (cast(:numbers as bigint[]))
    ), passage as (
      select o.seq, o.at, o.trail, o.actor, p.value ->> 'document' as named, p.value ->> 'version' as version
      from opened o cross join lateral jsonb_array_elements(
        case jsonb_typeof(o.passages) when 'array' then o.passages else '[]' end) as p
    )
    select seq, at, trail, actor, named::uuid as named, array_agg(distinct version::uuid) as versions
    from passage
    where pg_input_is_valid(named, 'uuid') and pg_input_is_valid(version, 'uuid')
      and (cast(:document as uuid) is null or named = cast(cast(:document as uuid) as text))
    group by 1, 2, 3, 4, 5
    order by seq desc, named
""")


@dataclass(frozen=True)
class StaleDocument:
    """A document of an answer: the versions that went into it, and the one that stands now; None: it is gone."""

    document: uuid.UUID
    shown: tuple[uuid.UUID, ...]
    now: uuid.UUID | None

    @property
    def state(self) -> Literal["gone", "changed"]:
        return "gone" if self.now is None else "changed"


@dataclass(frozen=True)
class StaleAnswer:
    """An answer, by the number of the record of its opening, and those of its documents that are not what they were."""

    seq: int
    at: dt.datetime
    trail: uuid.UUID
    person: uuid.UUID | None
    documents: tuple[StaleDocument, ...]


@dataclass(frozen=True)
class StalePage:
    """Answers, newest first. `reached`: the last number that was looked at, if there may be more behind it."""

    answers: list[StaleAnswer]
    reached: int | None


def list_stale(
    session: Session,
    *,
    document: uuid.UUID | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    before_seq: int | None,
    limit: int,
) -> StalePage:
    """One page of answers that rest on a document which is gone or changed: on this one, or on any; newest first.

    It ends when it has taken PAGE_SECONDS, so it may hold fewer answers than it could, or none, and not be the last.
    """
    named = Choice(frozenset({str(document)})) if document else Choice()
    opened = Choice(frozenset({"answer.opened"}))
    search = prepare(session, LogQuery(kind=opened, document=named, after=since, before=until))
    if before_seq is not None:
        search = search.within(0, before_seq)
    began, found = time.monotonic(), list[StaleAnswer]()
    while True:
        numbers = find(session, search, limit=STEP, newest_first=True, seconds=PAGE_SECONDS)
        for answer in _rested_on(session, numbers.found, document):
            if len(found) == limit:
                return StalePage(found, found[-1].seq)
            found.append(answer)
        if numbers.reached is None or time.monotonic() - began >= PAGE_SECONDS:
            return StalePage(found, numbers.reached)
        search = search.within(0, numbers.reached)


def standing_versions(session: Session, documents: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The versions of those of these documents that are there; for auditors alone, others are told nothing."""
    rows = session.execute(STANDING, {"documents": list(documents)})
    return {row.document: row.version for row in rows}


def _rested_on(session: Session, numbers: list[int], document: uuid.UUID | None) -> list[StaleAnswer]:
    """Those of these answers that are stale, in the order of the numbers."""
    rows = session.execute(RESTED_ON, {"numbers": numbers, "document": document}).all()
    standing = standing_versions(session, {row.named for row in rows})
    found: dict[int, StaleAnswer] = {}
    for row in rows:
        stale = _stale(row.named, row.versions, standing)
        if stale is not None:
            documents = found[row.seq].documents if row.seq in found else ()
            found[row.seq] = StaleAnswer(row.seq, row.at, row.trail, row.actor, (*documents, stale))
    return list(found.values())


def _stale(
    document: uuid.UUID, shown: list[uuid.UUID], standing: Mapping[uuid.UUID, uuid.UUID]
) -> StaleDocument | None:
    now = standing.get(document)
    return None if now is not None and set(shown) <= {now} else StaleDocument(document, tuple(sorted(shown)), now)
