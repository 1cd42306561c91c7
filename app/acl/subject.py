"""The one place where a Subject is made: from a key that was found, is in time, and belongs to an active user."""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.keys import hash_key, looks_like_key
from app.acl.rules import Capability, Label, Subject
from app.db.tables.access import Curator
from app.db.tables.people import ApiKey, Membership, RoleInside, User
from app.errors import NotSignedIn


def identify(session: Session, secret: str) -> Subject:
    """The caller who holds this key. Raises NotSignedIn, the same for a wrong, an expired and a revoked key."""
    if not looks_like_key(secret):
        raise NotSignedIn
    found = session.execute(
        select(ApiKey, User, func.now())
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.hash == hash_key(secret), ApiKey.revoked_at.is_(None), User.active)
    ).one_or_none()
    if found is None or _expired(found[0], found[2]):
        raise NotSignedIn
    key, user, _ = found
    return Subject(
        user_id=user.id,
        name=user.name,
        roles=roles_of(session, user.id),
        clearance=Label(user.clearance),
        capabilities=capabilities(key.capabilities) & capabilities(user.capabilities),
        curates=frozenset(session.scalars(select(Curator.collection_id).where(Curator.user_id == user.id))),
        key_id=key.id,
        key_prefix=key.prefix,
    )


def subject_of(session: Session, user: User) -> Subject:
    """The subject a user would be with a key of all capabilities: for explaining and planning, never for access."""
    return Subject(
        user_id=user.id,
        name=user.name,
        roles=roles_of(session, user.id),
        clearance=Label(user.clearance),
        capabilities=capabilities(user.capabilities),
        curates=frozenset(session.scalars(select(Curator.collection_id).where(Curator.user_id == user.id))),
        key_id=uuid.UUID(int=0),
        key_prefix="",
    )


def roles_of(session: Session, user_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """All roles of a user, those that these are inside of too."""
    held = select(Membership.role_id.label("role_id")).where(Membership.user_id == user_id).cte("held", recursive=True)
    held = held.union(select(RoleInside.inside_id).join(held, RoleInside.role_id == held.c.role_id))
    return frozenset(session.scalars(select(held.c.role_id)))


def capabilities(names: list[str]) -> frozenset[Capability]:
    """The capabilities of these names; a name that is none gives none."""
    return frozenset(c for c in Capability if c.value in names)


def _expired(key: ApiKey, now: dt.datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now
