"""Which records tell how a grant came to where it counts for a document: who made it, and when."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

# A rule is changed on the document, on its collection or on a folder there; or an upload brought its own, which its
# scope has for as long as it is there. The newest are looked through, which are more than people change.
MADE = text("""
    with ruled as materialized (
      select t.seq from audit_tag t where t.name = 'ruled' and t.value = any (cast(:places as text[]))
      order by t.seq desc limit 10000
    ), indexed as materialized (
      select t.seq from audit_tag t where t.name = 'indexed' and t.value = cast(:document as text)
      order by t.seq desc limit 1000
    ), uploaded as materialized (
      select u.seq
      from indexed i
        join audit_entry e on e.seq = i.seq
        join audit_leaf l on l.id = e.leaf_id
        join audit_tag u on u.name = 'job' and u.value = l.body::jsonb ->> 'job'
    ), change as materialized (
      select e.seq, l.at, e.actor, l.body::jsonb ->> 'action' as action,
        -- Without the path of a folder.
        split_part(l.body::jsonb ->> 'target', '/', 1) as target,
        l.body::jsonb #> '{before,grants}' as before, l.body::jsonb #> '{after,grants}' as after
      from ruled r join audit_entry e on e.seq = r.seq join audit_leaf l on l.id = e.leaf_id
      union all
      select e.seq, l.at, e.actor, e.kind, 'document:' || cast(:document as text),
        lag(s.own_rule -> 'grants') over (order by e.seq), s.own_rule -> 'grants'
      from uploaded u
        join audit_entry e on e.seq = u.seq
        join audit_leaf l on l.id = e.leaf_id
        left join scope s on s.public_id::text = l.body::jsonb ->> 'scope'
    )
    select g.n - 1 as n, c.seq, c.at, c.actor, c.action, c.target
    from unnest(cast(:grants as text[])) with ordinality as g (value, n)
      cross join lateral (
        select * from change c
        where c.at < :until and c.after @> jsonb_build_array(g.value::jsonb)
          and not coalesce(c.before @> jsonb_build_array(g.value::jsonb), false)
        order by c.seq desc
        limit 5
      ) as c
    order by g.n, c.seq desc
""").bindparams(bindparam("places", type_=ARRAY(Text)), bindparam("grants", type_=ARRAY(Text)))


@dataclass(frozen=True)
class GrantMade:
    """The record by which a grant came to count: an action on `target`, by a person, or by nobody known."""

    seq: int
    at: dt.datetime
    person: uuid.UUID | None
    action: str
    target: str


def find_grant_makers(
    session: Session,
    document: uuid.UUID,
    collections: Sequence[uuid.UUID],
    grants: Sequence[dict[str, Any]],
    until: dt.datetime,
) -> list[list[GrantMade]]:
    """For each grant, in the form that records have, the newest records from before `until` that put it there.

    `collections`: those on which the document stood. Nothing for a grant of which no record tells.
    """
    given = {
        "document": document,
        "places": [str(document), *map(str, collections)],
        "grants": [json.dumps(grant) for grant in grants],
        "until": until,
    }
    found = [list[GrantMade]() for _ in grants]
    for row in session.execute(MADE.bindparams(bindparam("document", type_=Uuid)), given):
        found[row.n].append(GrantMade(row.seq, row.at, row.actor, row.action, row.target))
    return found
