"""Many people, roles and memberships as rows: one statement for each kind, however many they are.

Who may write what is held by row-level security. What it hides is not touched, and that is never passed over.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.acl.rule_store import array
from app.admin.people_difference import PeopleDifference
from app.admin.source_state import MemberPair, PersonRow, RoleRow
from app.db.session import WriteSession
from app.errors import BeyondReach

# Rows in one statement, each of which has its limit of time.
BATCH = 5_000
PERSON_COLUMNS = (
    "id uuid, name text, source text, display_name text, external_id text, clearance smallint, capabilities text[],"
    " active boolean, held boolean"
)
ADD_PEOPLE = text(
    f"""
    insert into app_user (id, name, source, display_name, external_id, clearance, capabilities, active, held)
    select r.id, r.name, r.source, r.display_name, r.external_id, r.clearance, r.capabilities, r.active, r.held
    from json_to_recordset(cast(:rows as json)) as r ({PERSON_COLUMNS})
    """  # noqa: S608  # a constant
)
CHANGE_PEOPLE = text(
    f"""
    update app_user u set name = r.name, display_name = r.display_name, external_id = r.external_id,
      clearance = r.clearance, capabilities = r.capabilities, active = r.active, held = r.held
    from json_to_recordset(cast(:rows as json)) as r ({PERSON_COLUMNS})
    where u.id = r.id and u.kind = 'person' and u.deleted_at is null
    """  # noqa: S608  # a constant
)
# Whoever has another external id signs in as somebody else: what they were known by at a provider ends.
DROP_IDENTITIES = text("delete from sign_in_identity where user_id = any (cast(:users as uuid[]))")
ADD_ROLES = text(
    """
    insert into role (id, source, name, external_id) select r.id, r.source, r.name, r.external_id
    from json_to_recordset(cast(:rows as json)) as r (id uuid, source text, name text, external_id text)
    """
)
CHANGE_ROLES = text(
    """
    update role g set name = r.name, external_id = r.external_id
    from json_to_recordset(cast(:rows as json)) as r (id uuid, name text, external_id text) where g.id = r.id
    """
)
# One that had ended by itself begins anew.
ADD_MEMBERS = text(
    """
    insert into membership (user_id, role_id, ends_at)
    select r.one, r.other, :ends_at from unnest(cast(:ones as uuid[]), cast(:others as uuid[])) as r (one, other)
    on conflict (user_id, role_id) do update set ends_at = excluded.ends_at
    """
).bindparams(bindparam("ends_at", type_=DateTime(timezone=True)))
DROP_MEMBERS = text(
    """
    delete from membership m using unnest(cast(:ones as uuid[]), cast(:others as uuid[])) as r (one, other)
    where m.user_id = r.one and m.role_id = r.other
    """
)
ADD_NESTING = text(
    """
    insert into role_inside (role_id, inside_id)
    select r.one, r.other from unnest(cast(:ones as uuid[]), cast(:others as uuid[])) as r (one, other)
    """
)
DROP_NESTING = text(
    """
    delete from role_inside i using unnest(cast(:ones as uuid[]), cast(:others as uuid[])) as r (one, other)
    where i.role_id = r.one and i.inside_id = r.other
    """
)
DIRECTLY_AROUND = text(
    "select role_id, array_agg(inside_id order by inside_id) from role_inside"
    " where role_id = any (cast(:roles as uuid[])) group by role_id"
)
# What a source confirms holds until then: also what was given without an end, since nothing may outlast its source.
CONFIRM = text(
    """
    update membership m set ends_at = :until
    where m.user_id = any (array(select u.id from app_user u where u.source = :source))
      and m.role_id = any (array(select g.id from role g where g.source = :source))
      and (m.ends_at is null or m.ends_at < :until)
    """
).bindparams(bindparam("until", type_=DateTime(timezone=True)))


def write_rows(session: WriteSession, difference: PeopleDifference, *, ends_at: dt.datetime | None) -> None:
    """The rows alone. What leaves goes first, and groups are there before anybody joins them."""
    people = [(before, after) for before, after in difference.people if before is not None]
    roles = [after for before, after in difference.roles if before is not None]
    _in_pairs(session, DROP_MEMBERS, difference.leaves)
    _in_pairs(session, DROP_NESTING, difference.unnests)
    _in_rows(session, CHANGE_PEOPLE, [_person_json(after) for _, after in people])
    renamed = [after.id for before, after in people if before.external_id not in {after.external_id, None}]
    if renamed:
        session.execute(DROP_IDENTITIES, {"users": array(renamed)})
    _in_rows(session, ADD_PEOPLE, [_person_json(after) for after in difference.made])
    _in_rows(session, CHANGE_ROLES, [_role_json(after) for after in roles])
    _in_rows(session, ADD_ROLES, [_role_json(after) for before, after in difference.roles if before is None])
    _in_pairs(session, ADD_NESTING, difference.nests)
    _in_pairs(session, ADD_MEMBERS, difference.joins, ends_at=ends_at)
    session.expire_all()


def _in_pairs(session: WriteSession, statement: Any, pairs: AbstractSet[MemberPair], **more: Any) -> None:
    _in_batches(
        session,
        statement,
        sorted(pairs),
        lambda some: {"ones": array(one for one, _ in some), "others": array(other for _, other in some), **more},
    )


def _in_rows(session: WriteSession, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    _in_batches(session, statement, rows, lambda some: {"rows": json.dumps(some)})


def _in_batches(session: WriteSession, statement: Any, rows: Sequence[Any], given: Callable[[Any], Any]) -> None:
    """Run a statement for all rows; what row-level security hides it does not touch, and that is never passed over."""
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        result = session.execute(statement, given(some))
        if isinstance(result, CursorResult) and result.rowcount != len(some):
            raise BeyondReach(f"{len(some) - result.rowcount} of {len(some)} rows are not yours to change.")


def _person_json(person: PersonRow) -> dict[str, Any]:
    return {
        "id": str(person.id),
        "name": person.name,
        "source": person.source,
        "display_name": person.display_name,
        "external_id": person.external_id,
        "clearance": person.clearance,
        "capabilities": person.capabilities,
        "active": person.active,
        "held": person.held,
    }


def _role_json(role: RoleRow) -> dict[str, Any]:
    return {"id": str(role.id), "source": role.source, "name": role.name, "external_id": role.external_id}


def confirm_members(session: WriteSession, source: str, until: dt.datetime) -> None:
    """Let all that the source gives hold until then."""
    session.execute(CONFIRM, {"source": source, "until": until})


def directly_around(session: Session, roles: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """For each of these roles the ids of those directly around it."""
    rows = session.execute(DIRECTLY_AROUND, {"roles": array(roles)})
    return {role: [] for role in roles} | {role: [str(each) for each in around] for role, around in rows}
