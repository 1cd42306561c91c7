"""Who could read a document between two moments, by which grant and when: the rules once more, over the history.

PostgreSQL's multiranges carry the time: of a grant, of a membership through all roles around it, and of a clearance. A
reading is where they meet. What `decide()` says at a moment is what stands here for it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from app.acl.rules import Grant
from app.db.tables.history import DocumentHistory, UserHistory
from app.identity.subject import Principal

# A grant or membership that would end before it begins holds at no moment.
READINGS = text("""
    with recursive asked as (
      select tstzrange(:since, :until) as span
    ), stood as (
      select s.rule_id, range_agg(d.during * s.during * a.span) as during
      from asked a
        cross join lateral (
          select h.scope_id, tstzrange(h.valid_from, h.valid_to) as during from document_history h
          where h.document = :document
        ) as d
        join lateral (
          select h.rule_id, tstzrange(h.valid_from, h.valid_to) as during from scope_history h
          where h.scope_id = d.scope_id
        ) as s on s.during && d.during and s.during && a.span
      where d.during && a.span
      group by s.rule_id
    ), granted as (
      select g.effect, g.principal_kind, g.principal_id, g.starts_at, g.ends_at, r.label,
        range_agg(s.during) * tstzmultirange(case when g.starts_at > g.ends_at then 'empty'
          else tstzrange(g.starts_at, g.ends_at) end) as during
      from stood s
        join rule r on r.id = s.rule_id
        join rule_grant g on g.rule_id in (coalesce(r.own_id, r.id), r.above_id)
      group by 1, 2, 3, 4, 5, 6
    ), inside (role_id, inner_id, during) as (
      select distinct g.principal_id, g.principal_id, tstzmultirange(a.span)
      from granted g cross join asked a where g.principal_kind = 'role'
      union
      select i.role_id, n.role_id, i.during * tstzmultirange(tstzrange(n.valid_from, n.valid_to))
      from inside i join nesting_history n on n.inside_id = i.inner_id
        and i.during && tstzrange(n.valid_from, n.valid_to)
    ), held as (
      select i.role_id, m.user_id, range_agg(i.during * tstzmultirange(case when m.valid_from > m.ends_at then 'empty'
        else tstzrange(m.valid_from, least(m.valid_to, m.ends_at)) end)) as during
      from inside i join membership_history m on m.role_id = i.inner_id
      group by 1, 2
    ), cleared as (
      select u.user_id, u.clearance, range_agg(tstzrange(u.valid_from, u.valid_to)) as during
      from user_history u cross join asked a
      where u.active and tstzrange(u.valid_from, u.valid_to) && a.span
        -- Services read nothing by themselves, and the probe of ours is nobody.
        and not exists (
          select from app_user s where s.id = u.user_id and (s.kind <> 'person' or starts_with(s.name, '_')))
        and (cast(:person as uuid) is null or u.user_id = :person)
      group by 1, 2
    ), named as (
      select g.*, h.user_id, g.during * h.during as held
      from granted g join held h on h.role_id = g.principal_id where g.principal_kind = 'role'
      union all
      select g.*, g.principal_id, g.during from granted g where g.principal_kind = 'user'
      union all
      select g.*, u.user_id, g.during
      from granted g cross join (select distinct c.user_id from cleared c) as u where g.principal_kind = 'everyone'
    ), denied as (
      select n.user_id, range_agg(n.held) as during from named n where n.effect = 'deny' group by 1
    ), allowed as (
      select n.user_id, n.effect, n.principal_kind, n.principal_id, n.starts_at, n.ends_at,
        range_agg(n.held * c.during) as during
      from named n join cleared c on c.user_id = n.user_id and c.clearance >= n.label
      where n.effect = 'allow'
      group by 1, 2, 3, 4, 5, 6
    )
    select a.user_id, a.effect, a.principal_kind, a.principal_id, a.starts_at, a.ends_at, f.during
    from allowed a left join denied d on d.user_id = a.user_id
      cross join lateral (select a.during - coalesce(d.during, '{}') as during) as f
    where not isempty(f.during)
    order by a.user_id, lower(f.during), a.principal_kind, a.principal_id
""")


@dataclass(frozen=True)
class PastReading:
    """That a person could read, by one grant, in these stretches of time: begin included, end excluded."""

    person: uuid.UUID
    grant: Grant
    during: tuple[tuple[dt.datetime, dt.datetime], ...]


@dataclass(frozen=True)
class DocumentStay:
    """On which collection a document stood, and from when until when; None: it is there still."""

    collection: uuid.UUID
    first: dt.datetime
    last: dt.datetime | None


def past_readings(
    session: Session,
    document: uuid.UUID,
    since: dt.datetime,
    until: dt.datetime,
    person: uuid.UUID | None = None,
) -> list[PastReading]:
    """Who could read a document from `since` on and before `until`, by each grant by itself; of one person if given.

    Of people who are gone, too. Both moments lie in the past that history reaches.
    """
    given = {"document": document, "since": since, "until": until, "person": person}
    return [PastReading(row.user_id, _grant(row), _stretches(row.during)) for row in session.execute(READINGS, given)]


def known_from(session: Session) -> dt.datetime:
    """The moment at which the history of access begins: of before it nothing is known."""
    return session.scalars(select(func.min(UserHistory.valid_from))).one()


def document_stays(session: Session, document: uuid.UUID, since: dt.datetime, until: dt.datetime) -> list[DocumentStay]:
    """Where a document stood in this time, in order; nothing if it was not there. Only auditors and curators see it."""
    kept = DocumentHistory
    rows = session.execute(
        select(
            kept.collection_id,
            func.min(kept.valid_from),
            func.max(kept.valid_to),
            func.bool_or(kept.valid_to.is_(None)),
        )
        .where(kept.document == document, kept.valid_from < until)
        .where(or_(kept.valid_to.is_(None), kept.valid_to > since))
        .group_by(kept.collection_id)
        .order_by(func.min(kept.valid_from))
    )
    return [DocumentStay(collection, first, None if stays else last) for collection, first, last, stays in rows]


def _grant(row: Any) -> Grant:
    return Grant(row.effect, Principal(row.principal_kind, row.principal_id), row.starts_at, row.ends_at)


def _stretches(found: "Multirange[dt.datetime]") -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    return tuple(map(_stretch, found))


def _stretch(one: "Range[dt.datetime]") -> tuple[dt.datetime, dt.datetime]:
    if one.lower is None or one.upper is None:
        raise ValueError("a reading lies between the moments that were asked for")
    return one.lower, one.upper
