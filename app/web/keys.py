"""API keys: made by administrators, revoked by them or by their own holder."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import func, select, update

from app.acl.names import find_user, parse_name
from app.acl.people import add_key
from app.acl.rules import Capability, Subject
from app.acl.subject import capabilities
from app.answer.trail import actor
from app.audit.events import KeyMade, KeyRevoked
from app.audit.trail import record
from app.db.tables.people import ApiKey, User
from app.errors import InvalidInput, MissingCapability, NotFound
from app.web.access import Administrator, Caller, Changing, Reading, public_id
from app.web.people_wire import KeyBody, KeyOut, NewKeyOut

router = APIRouter(prefix="/keys", tags=["people"])


@router.get("")
def keys(subject: Caller, session: Reading, user: Annotated[str | None, Query()] = None) -> list[KeyOut]:
    """Your own keys; those of anybody, or of `user`, for an administrator."""
    query = select(ApiKey, User.shown).join(User, User.id == ApiKey.user_id).order_by(User.name, ApiKey.created_at)
    if Capability.ADMINISTER not in subject.capabilities:
        if user not in {None, subject.name}:
            raise MissingCapability("The keys of others are for administrators.")
        query = query.where(ApiKey.user_id == subject.user_id)
    elif user is not None:
        source, name = parse_name(user)
        query = query.where(User.source == source, User.name == name)
    return [KeyOut(**_fields(key, name)) for key, name in session.execute(query)]


@router.post("", status_code=201)
def make(body: KeyBody, subject: Administrator, session: Changing) -> NewKeyOut:
    """Make a key (administer). Its secret is in this answer and never again; the log names the maker."""
    user = find_user(session, body.user)
    if body.expires_at is not None and body.expires_at.tzinfo is None:
        raise InvalidInput("Give expires_at with its zone, as in 2027-01-01T00:00:00Z.")
    key, new = add_key(session, user, label=body.label, allowed=body.capabilities, expires_at=body.expires_at)
    event = KeyMade(
        actor=actor(subject),
        user=user.id,
        prefix=key.prefix,
        capabilities=tuple(sorted(key.capabilities)),
        expires_at=key.expires_at,
    )
    record(session, event)
    return NewKeyOut(**_fields(key, user.shown), secret=new.secret)


@router.delete("/{key}", status_code=204)
def revoke(key: str, subject: Caller, session: Changing) -> None:
    """Revoke a key: your own, or any as an administrator. It stops working when this returns."""
    query = select(ApiKey).where(ApiKey.id == public_id(key))
    if not _administers(subject):
        query = query.where(ApiKey.user_id == subject.user_id)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    session.execute(
        update(ApiKey).where(ApiKey.id == found.id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    record(session, KeyRevoked(actor=actor(subject), user=found.user_id, prefix=found.prefix))


def _administers(subject: Subject) -> bool:
    return Capability.ADMINISTER in subject.capabilities


def _fields(key: ApiKey, user: str) -> dict[str, Any]:
    plain = {name: getattr(key, name) for name in ("id", "prefix", "label", "created_at", "expires_at", "revoked_at")}
    return {**plain, "user": user, "capabilities": sorted(capabilities(key.capabilities))}
