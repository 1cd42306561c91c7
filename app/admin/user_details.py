"""One user: their roles and how they come into each, what they may do, and what switching them off would end."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.admin.users import UserView, user_views
from app.db.tables.access import Steward
from app.db.tables.people import ApiKey, Delegation, Role, User
from app.db.tables.sign_in import Passkey, SignInLink, SignInSession
from app.errors import NotFound
from app.identity.names import find_user
from app.identity.role_ways import ways_of
from app.identity.subject import Capability, Subject, require_capability


@dataclass(frozen=True)
class HeldRole:
    """A role of somebody, and its source. `through`: the roles that bring it, from the one that they are a member of.

    Empty: they are a member of it. `until`: when this ends by itself; None: never.
    """

    role: str
    source: str
    through: tuple[str, ...]
    until: dt.datetime | None


@dataclass(frozen=True)
class Credentials:
    """How many living things somebody comes in with: what ends, for good, when they are switched off.

    `delegations`: what services may do for them; of a service, what people let it do.
    """

    keys: int
    sessions: int
    passkeys: int
    links: int
    delegations: int


@dataclass(frozen=True)
class UserDetails(UserView):
    """A user with what a list of users leaves out. `looks_after`: the roles whose members they change."""

    created_at: dt.datetime
    held_roles: list[HeldRole]
    looks_after: list[str]
    credentials: Credentials


def get_user(session: Session, subject: Subject, name: str) -> UserDetails:
    """The user of this name (administer); raises NotFound, for who is gone from their source too."""
    require_capability(subject, Capability.ADMINISTER)
    user = find_user(session, name)
    if user.deleted_at is not None:
        raise NotFound(f"No user is named {name!r}.")
    stewarded = select(Role.shown).join(Steward, Steward.role_id == Role.id).where(Steward.user_id == user.id)
    return UserDetails(
        **vars(user_views(session, [user])[0]),
        created_at=user.created_at,
        held_roles=_held_roles(session, user),
        looks_after=list(session.scalars(stewarded.order_by(Role.name, Role.source))),
        credentials=_credentials(session, user.id),
    )


def _held_roles(session: Session, user: User) -> list[HeldRole]:
    """Their own memberships first, then what follows by nesting, each by name."""
    ways = ways_of(session, user.id)
    rows = session.execute(select(Role.id, Role.shown, Role.source).where(Role.id.in_({way.role for way in ways})))
    roles = {row.id: row for row in rows}
    held = [
        HeldRole(
            roles[way.role].shown, roles[way.role].source, tuple(roles[id].shown for id in way.path[:-1]), way.until
        )
        for way in ways
    ]
    return sorted(held, key=lambda one: (bool(one.through), one.role, one.through))


def _credentials(session: Session, user_id: uuid.UUID) -> Credentials:
    now = func.now()
    living_key = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    # A delegation ends with the key that it was made with.
    keyed = or_(
        Delegation.key_id.is_(None), select(ApiKey.id).where(ApiKey.id == Delegation.key_id, living_key).exists()
    )
    lent = or_(Delegation.person_id == user_id, Delegation.service_id == user_id)
    living: dict[str, Sequence[ColumnElement[bool]]] = {
        "keys": (ApiKey.user_id == user_id, living_key),
        "sessions": (
            SignInSession.user_id == user_id, SignInSession.ended_at.is_(None), SignInSession.idle_until > now,
            SignInSession.expires_at > now,
        ),
        "passkeys": (Passkey.user_id == user_id, Passkey.revoked_at.is_(None)),
        "links": (
            SignInLink.user_id == user_id, SignInLink.used_at.is_(None), SignInLink.revoked_at.is_(None),
            SignInLink.expires_at > now,
        ),
        "delegations": (lent, Delegation.revoked_at.is_(None), Delegation.expires_at > now, keyed),
    }  # fmt: skip
    counts = (select(func.count()).where(*where).scalar_subquery().label(name) for name, where in living.items())
    return Credentials(**session.execute(select(*counts)).mappings().one())
