"""People and groups as a source keeps them: created, changed, switched off and removed by its provisioning service.

Nothing here can touch a person or role of another source, nor what somebody is cleared for or may do: `require_source`
refuses it, and the database does (ADR 0033). A person whom a source makes may ask, is cleared for 'internal', and reads
what roles and grants let them. To remove one is to switch them off for good: the row stays, for the log and for rules.
"""

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, DateTime, Uuid, delete, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.admin.audit_records import policy_epoch
from app.admin.roles import NAMED_IN_FORCE
from app.admin.user_records import user_changed, user_created, user_removed, user_state
from app.audit.actor import actor
from app.audit.encryption import Sealer
from app.audit.events.base import Event
from app.audit.events.directory import (
    RoleChanged,
    RoleCreated,
    RoleJoined,
    RoleLeft,
    RoleRemoved,
)
from app.audit.log import record, record_all
from app.db.session import WriteSession
from app.db.tables.people import Membership, Role, RoleInside, User
from app.db.tables.sign_in import DirectoryProfile, Passkey, SignInIdentity
from app.errors import Conflict, InvalidInput
from app.identity.directory import add_person, add_role
from app.identity.nesting import outer_roles
from app.identity.subject import Capability, Label, Subject, require_source

MAX_NAME = 63
# What is no letter, digit or sign of a name.
_FOREIGN = re.compile(r"[^a-z0-9._@-]+")
# A name of somebody who is gone: no name that anybody could be given.
GONE = "~"


@dataclass(frozen=True)
class PersonDetails:
    """A person as their source describes them. `external_id` is its own name for them, which never changes."""

    name: str
    display_name: str
    external_id: str | None
    active: bool = True


def name_from(text: str) -> str:
    """A name of ours from one of a directory's: lower case, ASCII; empty if nothing of it is left.

    `Zoë Müller@corp.example` is `zoe-muller@corp.example`.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _FOREIGN.sub("-", plain).strip("-._@")[:MAX_NAME].rstrip("-._@")


def free_name(session: Session, table: type[User] | type[Role], source: str, text: str) -> str:
    """A name for `text` that nobody in the source has: `freya`, or `freya-2` where there is one."""
    base = _base_name(table, text)
    if not session.scalar(select(exists().where(table.source == source, table.name == base))):
        return base
    pattern = base.replace("_", r"\_")[: MAX_NAME - 6]
    taken = set(session.scalars(select(table.name).where(table.source == source, table.name.like(f"{pattern}%"))))
    return _first_free(base, taken)


def free_among(table: type[User] | type[Role], taken: Some[str], text: str) -> str:
    """The same for who knows all names of the source that are taken."""
    return _first_free(_base_name(table, text), taken)


def _base_name(table: type[User] | type[Role], text: str) -> str:
    base = name_from(text) or f"{table.__tablename__.removeprefix('app_')}-{uuid.uuid4().hex[:8]}"
    return "everyone-1" if base == "everyone" else base


def _first_free(base: str, taken: Some[str]) -> str:
    if base not in taken:
        return base
    numbered = (f"{base[: MAX_NAME - 6]}-{n}" for n in range(2, len(taken) + 3))
    return next(name for name in numbered if name not in taken)


def is_named(name: str, text: str) -> bool:
    """Whether this name was made from that text, be it with a number behind it."""
    return name_from(text) in {name, name.rstrip("0123456789").removesuffix("-")}


def create_person(session: WriteSession, subject: Subject, sealer: Sealer, source: str, new: PersonDetails) -> User:
    """A new person of this source, who signs in at its provider, if there is one, as `external_id`.

    Raises BeyondReach for another source, Conflict for an external id that is somebody's.
    """
    require_keeper(subject, source)
    guard_change(session, subject)
    user = add_person(
        session,
        name=free_name(session, User, source, new.name),
        display_name=new.display_name or new.name,
        clearance=Label.INTERNAL,
        allowed=[Capability.ASK],
        source=source,
        external_id=new.external_id,
    )
    if not new.active:
        user.active = False
        session.flush()
    # Created now, so that two first questions of the same person never wait for each other.
    sealer.make_keys(session, [user.id])
    record(session, user_created(actor(subject), user.id, user_state(user)))
    return user


def change_person(session: WriteSession, subject: Subject, user: User, new: PersonDetails) -> bool:
    """Make the person what their source says now; whether anything changed.

    To switch somebody off ends their keys, sessions, links and what they let services do, at this commit. Whom an
    administrator switched off stays so: raises Conflict.
    """
    require_keeper(subject, user.source)
    guard_change(session, subject)
    if user.deleted_at is not None:
        raise Conflict("This person is gone from the source for good.")
    if new.active and user.held:
        raise Conflict("An administrator switched this person off; the source cannot switch them on again.")
    before = user_state(user)
    if not is_named(user.name, new.name):
        user.name = free_name(session, User, user.source, new.name)
    user.display_name = new.display_name or new.name
    if new.external_id != user.external_id:
        # Another external id ends what somebody was known by.
        session.execute(delete(SignInIdentity).where(SignInIdentity.user_id == user.id))
        user.external_id = new.external_id
    user.active = new.active
    session.flush()
    after = user_state(user)
    if before == after:
        return False
    record(session, user_changed(actor(subject), user.id, before, after))
    return True


def remove_person(session: WriteSession, subject: Subject, user: User) -> None:
    """Switch a person off for good: out of all roles of their source, signed in nowhere, their name free for another.

    The row stays with its id, so that the log, rules and conversations mean whom they meant.
    """
    require_keeper(subject, user.source)
    guard_change(session, subject)
    before = user_state(user)
    own = select(Role.id).where(Role.source == user.source)
    held = list(
        session.scalars(select(Membership.role_id).where(Membership.user_id == user.id, Membership.role_id.in_(own)))
    )
    for role_id in sorted(held):
        change_members(session, subject, session.get_one(Role, role_id), leave=[user.id])
    session.execute(delete(DirectoryProfile).where(DirectoryProfile.id == user.id))
    living = update(Passkey).where(Passkey.user_id == user.id, Passkey.revoked_at.is_(None))
    session.execute(living.values(revoked_at=func.now()))
    user.active, user.former_external_id, user.external_id = False, user.external_id, None
    user.name = f"{user.name[: MAX_NAME - 9]}{GONE}{user.id.hex[:8]}"
    user.deleted_at = session.scalars(select(func.now())).one()
    session.flush()
    record(session, user_removed(actor(subject), user.id, before))


def create_group(session: WriteSession, subject: Subject, source: str, name: str, *, external_id: str | None) -> Role:
    """A new, empty role of this source for one of its groups: nothing names it yet, so that it opens nothing."""
    require_keeper(subject, source)
    guard_change(session, subject)
    role = add_role(session, free_name(session, Role, source, name), source=source, external_id=external_id)
    record(session, RoleCreated(actor=actor(subject), role=role.id, name=role.shown))
    return role


def change_group(session: WriteSession, subject: Subject, role: Role, name: str, *, external_id: str | None) -> bool:
    """Give the role of a group another name or external id; rules keep naming it by its id. Whether that changed it."""
    require_keeper(subject, role.source)
    guard_change(session, subject)
    before = {"external_id": role.external_id, "name": role.shown}
    if not is_named(role.name, name):
        role.name = free_name(session, Role, role.source, name)
    role.external_id = external_id
    session.flush()
    after = {"external_id": role.external_id, "name": role.shown}
    if before == after:
        return False
    record(session, RoleChanged(actor=actor(subject), role=role.id, before=before, after=after))
    return True


def remove_group(session: WriteSession, subject: Subject, role: Role) -> None:
    """Empty the role of a group that is gone, and delete it if no rule in force names it.

    One that is named stays, so that rules keep their meaning; its group's next namesake is another role.
    """
    require_keeper(subject, role.source)
    guard_change(session, subject)
    members = list(session.scalars(select(Membership.user_id).where(Membership.role_id == role.id)))
    own = set(session.scalars(select(User.id).where(User.id.in_(members), User.source == role.source)))
    change_members(session, subject, role, leave=own)
    change_nesting(session, subject, role, inner=[])
    session.execute(delete(DirectoryProfile).where(DirectoryProfile.id == role.id))
    outside = len(own) < len(members) or session.scalar(_nested_elsewhere(role))
    if outside or session.scalar(NAMED_IN_FORCE, {"role": role.id}):
        before = {"external_id": role.external_id, "name": role.shown}
        role.name, role.external_id = f"{role.name[: MAX_NAME - 9]}{GONE}{role.id.hex[:8]}", None
        session.flush()
        after = {"external_id": None, "name": role.shown}
        record(session, RoleChanged(actor=actor(subject), role=role.id, before=before, after=after))
        return
    record(session, RoleRemoved(actor=actor(subject), role=role.id, name=role.shown))
    session.execute(delete(Role).where(Role.id == role.id))


def _nested_elsewhere(role: Role) -> Any:
    """Whether an administrator has put the role into another, or another into it."""
    around = or_(RoleInside.role_id == role.id, RoleInside.inside_id == role.id)
    return select(exists().where(around))


def change_members(
    session: WriteSession,
    subject: Subject,
    role: Role,
    *,
    join: Some[uuid.UUID] = (),
    leave: Some[uuid.UUID] = (),
    ends_at: dt.datetime | None = None,
) -> int:
    """Put people of the source into its role and take others out; how many that changed.

    `ends_at`: when those who join leave by themselves, unless the source confirms them. Raises InvalidInput for who is
    no person of this source.
    """
    require_keeper(subject, role.source)
    guard_change(session, subject)
    _require_people(session, role.source, {*join, *leave})
    left: list[uuid.UUID] = []
    if leave:
        gone = delete(Membership).where(Membership.role_id == role.id, Membership.user_id.in_(leave))
        left = list(session.scalars(gone.returning(Membership.user_id)))
    joined: list[uuid.UUID] = []
    if join:
        joined = _join(session, role, join, ends_at)
    if joined or left:
        epoch = policy_epoch(session)
        who = actor(subject)
        events: list[Event] = [RoleJoined(actor=who, role=role.id, user=user, epoch=epoch) for user in joined]
        events += [RoleLeft(actor=who, role=role.id, user=user, epoch=epoch) for user in left]
        record_all(session, events)
    return len(joined) + len(left)


def _join(session: WriteSession, role: Role, users: Some[uuid.UUID], ends_at: dt.datetime | None) -> list[uuid.UUID]:
    """Put people into a role, and let them stay until `ends_at` who are there for less; those who were not in it."""
    there = select(Membership.user_id).where(
        Membership.role_id == role.id, Membership.user_id.in_(users), Membership.current()
    )
    before = set(session.scalars(there))
    # Of one form however many they are, so that the statement is put together once.
    each = func.unnest(literal(sorted(users), ARRAY(Uuid))).column_valued("user_id")
    rows = select(each, literal(role.id, Uuid), literal(ends_at, DateTime(timezone=True)))
    adding = insert(Membership).from_select(["user_id", "role_id", "ends_at"], rows)
    later = or_(adding.excluded.ends_at.is_(None), adding.excluded.ends_at > Membership.ends_at)
    session.execute(
        adding.on_conflict_do_update(
            index_elements=[Membership.user_id, Membership.role_id],
            set_={"ends_at": adding.excluded.ends_at},
            where=Membership.ends_at.is_not(None) & later,
        )
    )
    return sorted(set(users) - before)


def change_nesting(session: WriteSession, subject: Subject, role: Role, *, inner: Sequence[uuid.UUID]) -> None:
    """Make these roles of the source, and no others of it, lie directly inside this one. InvalidInput for a circle."""
    require_keeper(subject, role.source)
    guard_change(session, subject)
    roles = {found.id: found for found in session.scalars(select(Role).where(Role.id.in_(inner)))}
    if any(each not in roles or roles[each].source != role.source for each in inner):
        raise InvalidInput("Only groups of the same source lie inside one another.")
    own = select(Role.id).where(Role.source == role.source)
    query = select(RoleInside.role_id).where(RoleInside.inside_id == role.id, RoleInside.role_id.in_(own))
    before = set(session.scalars(query))
    around = outer_roles(session, role.id)
    if circle := next((roles[each] for each in inner if each in around), None):
        raise InvalidInput(f"'{role.shown}' lies inside '{circle.shown}' already; a circle of groups is refused.")
    for each in sorted(set(inner) ^ before):
        _nest(session, subject, session.get_one(Role, each), role, present=each in roles)


def _nest(session: WriteSession, subject: Subject, role: Role, outer: Role, *, present: bool) -> None:
    query = select(RoleInside.inside_id).where(RoleInside.role_id == role.id).order_by(RoleInside.inside_id)
    before = [str(each) for each in session.scalars(query)]
    if present:
        session.execute(insert(RoleInside).values(role_id=role.id, inside_id=outer.id).on_conflict_do_nothing())
    else:
        pair = tuple_(RoleInside.role_id, RoleInside.inside_id) == tuple_(role.id, outer.id)
        session.execute(delete(RoleInside).where(pair))
    after = [str(each) for each in session.scalars(query)]
    event = RoleChanged(
        actor=actor(subject),
        role=role.id,
        before={"inside": before, "name": role.shown},
        after={"inside": after, "name": role.shown},
    )
    record(session, event)


def require_keeper(subject: Subject, source: str) -> None:
    """Raise BeyondReach unless the subject keeps this source, or administers everybody."""
    if Capability.ADMINISTER not in subject.capabilities or subject.provisions is not None:
        require_source(subject, source)


def _require_people(session: Session, source: str, users: Some[uuid.UUID]) -> None:
    """Raise InvalidInput unless all of these are people of the source; the same for who is not there."""
    if not users:
        return
    there = (User.source == source, User.kind == "person", User.deleted_at.is_(None))
    query = select(func.count()).where(User.id.in_(users), *there)
    if session.scalars(query).one() != len(set(users)):
        raise InvalidInput("A member is no person of this source.")
