"""API keys: made and changed by administrators, revoked by them or by their own holder, who may also shorten them."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import func, select, update

from app.acl.people import add_key
from app.audit.actor import actor
from app.audit.events import KeyChanged, KeyMade, KeyRevoked
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.people import ApiKey, User
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.identity.authenticate import capabilities
from app.identity.names import find_user, parse_name
from app.identity.subject import Capability, Subject
from app.web.api.people_schemas import KeyBody, KeyOut, KeyPatch, NewKeyOut
from app.web.http.dependencies import Administrator, Caller, Changing, Reading, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/keys", tags=["people"])


@router.get("")
def keys(subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None) -> list[KeyOut]:
    """Your own keys; those of anybody, or of `user`, for an administrator."""
    query = select(ApiKey, User.shown).join(User, User.id == ApiKey.user_id)
    if Capability.ADMINISTER not in subject.capabilities:
        if user not in {None, subject.name}:
            raise MissingCapability("The keys of others are for administrators.")
        query = query.where(ApiKey.user_id == subject.user_id)
    elif user is not None:
        source, name = parse_name(user)
        query = query.where(User.source == source, User.name == name)
    found = page.rows(session, query, [User.name, ApiKey.created_at, ApiKey.id])
    return [KeyOut(**_fields(key, name)) for key, name in found]


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


@router.patch("/{key}")
def change(key: str, body: KeyPatch, subject: Caller, session: Changing) -> KeyOut:
    """Change a key's label or end (administer). You may let your own end earlier. One that has ended stays so."""
    found = _find(session, subject, key)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    if not given:
        raise InvalidInput("Give label, expires_at, or both.")
    now = session.scalars(select(func.now())).one()
    if found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now):
        raise Conflict("This key has ended; make a new one.")
    if "expires_at" in given:
        _check_end(body.expires_at, now)
    if not _administers(subject) and ("label" in given or _is_later(given.get("expires_at"), found.expires_at)):
        raise MissingCapability("You may let your key end earlier; anything else is for administrators.")
    before = {"expires_at": _text(found.expires_at), "label": found.label}
    session.execute(update(ApiKey).where(ApiKey.id == found.id).values(**given))
    session.refresh(found)
    after = {"expires_at": _text(found.expires_at), "label": found.label}
    record(
        session, KeyChanged(actor=actor(subject), user=found.user_id, prefix=found.prefix, before=before, after=after)
    )
    return KeyOut(**_fields(found, session.get_one(User, found.user_id).shown))


@router.delete("/{key}", status_code=204)
def revoke(key: str, subject: Caller, session: Changing) -> None:
    """Revoke a key: your own, or any as an administrator. It stops working when this returns."""
    found = _find(session, subject, key)
    session.execute(
        update(ApiKey).where(ApiKey.id == found.id, ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    record(session, KeyRevoked(actor=actor(subject), user=found.user_id, prefix=found.prefix))


def _find(session: WriteSession, subject: Subject, key: str) -> ApiKey:
    """One of the caller's own keys, or any for an administrator, locked; raises NotFound."""
    query = select(ApiKey).where(ApiKey.id == public_id(key))
    if not _administers(subject):
        query = query.where(ApiKey.user_id == subject.user_id)
    found = session.scalar(query.with_for_update())
    if found is None:
        raise NotFound
    return found


def _check_end(end: dt.datetime | None, now: dt.datetime) -> None:
    if end is not None and end.tzinfo is None:
        raise InvalidInput("Give expires_at with its zone, as in 2027-01-01T00:00:00Z.")
    if end is not None and end <= now:
        raise InvalidInput("expires_at must lie in the future; to end a key now, revoke it.")


def _is_later(end: dt.datetime | None, than: dt.datetime | None) -> bool:
    """Whether a key with this end works longer than with the other; without one it works for ever."""
    return end is None or (than is not None and end > than)


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()


def _administers(subject: Subject) -> bool:
    return Capability.ADMINISTER in subject.capabilities


def _fields(key: ApiKey, user: str) -> dict[str, Any]:
    plain = {name: getattr(key, name) for name in ("id", "prefix", "label", "created_at", "expires_at", "revoked_at")}
    return {**plain, "user": user, "capabilities": sorted(capabilities(key.capabilities))}
