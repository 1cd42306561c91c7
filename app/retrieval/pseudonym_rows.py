"""Adds and finds what pseudonyms of answers stand for, sealed as it is, each with the passages in which it stands.

Scope filter and row-level security both hold back what stands in no passage that the caller may read now.
"""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Interval, bindparam, text
from sqlalchemy.orm import Session

from app.acl.visible import Visible
from app.identity.subject import Subject

# Of passages that their asker may still read; a value without any is not kept. One statement, which reads nothing back.
ADD = text(
    """
    with given as (
      select * from json_to_recordset(cast(:rows as json))
        as r (id uuid, kind text, number int, sealed jsonb, chunks uuid[])
    ), standing as (
      select distinct g.id, c.id as chunk_id, c.scope_id
      from given g cross join lateral unnest(g.chunks) as u (chunk) join chunk c on c.public_id = u.chunk
      where c.scope_id = any ((select clearance.visible_scopes())::int[])
    ), kept as (
      insert into pseudonym (id, trail, kind, number, user_id, sealed, expires_at)
      select g.id, :trail, g.kind, g.number, :user, g.sealed, now() + :lifetime
      from given g where g.id in (select s.id from standing s)
    )
    insert into pseudonym_passage (pseudonym_id, chunk_id, scope_id, user_id)
    select s.id, s.chunk_id, s.scope_id, :user from standing s
    """
).bindparams(bindparam("lifetime", type_=Interval()))

FIND = text(
    """
    select p.user_id, p.sealed, c.public_id as chunk, d.public_id as document
    from pseudonym p
    join pseudonym_passage l on l.pseudonym_id = p.id
    join chunk c on c.id = l.chunk_id
    join document d on d.id = c.document_id
    where p.trail = :trail and p.kind = :kind and p.number = :number and p.expires_at > now()
      and l.scope_id = any (cast(:scopes as int[])) and c.scope_id = any (cast(:scopes as int[]))
    order by d.id, c.ordinal
    limit 1
    """
)


@dataclass(frozen=True)
class NamedPseudonym:
    """A pseudonym as somebody names it: of the answer of this trail, by its kind and number there."""

    trail: uuid.UUID
    kind: str
    number: int


@dataclass(frozen=True)
class SealedPseudonym:
    """A pseudonym that is to be kept, with its value sealed under the key of who asked."""

    kind: str
    number: int
    sealed: Mapping[str, Any]
    chunks: Collection[uuid.UUID]


@dataclass(frozen=True)
class FoundPseudonym:
    """What a pseudonym stands for, sealed under the key of `asker`, and the passage by which the caller may have it."""

    asker: uuid.UUID
    sealed: Mapping[str, Any]
    chunk: uuid.UUID
    document: uuid.UUID


def add_pseudonyms(
    session: Session, subject: Subject, trail: uuid.UUID, pseudonyms: Sequence[SealedPseudonym], lifetime: dt.timedelta
) -> None:
    """Add those of an answer of the subject's, to be found for so long."""
    rows = [
        {
            "id": str(uuid.uuid4()),
            "kind": each.kind,
            "number": each.number,
            "sealed": dict(each.sealed),
            "chunks": sorted(map(str, each.chunks)),
        }
        for each in pseudonyms
    ]
    values = {"rows": json.dumps(rows), "trail": trail, "user": subject.user_id, "lifetime": lifetime}
    session.execute(ADD, values)


def find_pseudonym(session: Session, visible: Visible, named: NamedPseudonym) -> FoundPseudonym | None:
    """None alike where there is no such pseudonym, where it is over, and where none of its passages is visible."""
    values = {"trail": named.trail, "kind": named.kind, "number": named.number, "scopes": visible.scope_array}
    row = session.execute(FIND, values).one_or_none()
    return None if row is None else FoundPseudonym(row.user_id, row.sealed, row.chunk, row.document)
