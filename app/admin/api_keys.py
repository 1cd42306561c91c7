"""API keys: created by administrators, and by people for themselves; revoked by either, and shortened by the holder."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.directory import KeyChanged, KeyCreated, KeyRevoked
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.people import ApiKey, User
from app.errors import Conflict, InvalidInput, MissingCapability, NotFound
from app.evidence.merkle import canonical
from app.identity.api_keys import NewKey
from app.identity.authenticate import capabilities
from app.identity.directory import add_key
from app.identity.names import find_user, parse_name
from app.identity.subject import Capability, Subject, require_capability

ZONE_MISSING = "Give expires_at with its zone, as in 2027-01-01T00:00:00Z."


@dataclass(frozen=True)
class KeyView:
    """A key without its secret. `user` is its holder's name."""

    id: uuid.UUID
    prefix: str
    user: str
    label: str
    capabilities: list[Capability]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None


def list_keys(session: Session, subject: Subject, page: Page, *, user: str | None) -> list[KeyView]:
    """The subject's own keys; for an administrator those of everybody, or of the user of this name."""
    query = select(ApiKey, User.shown).join(User, User.id == ApiKey.user_id)
    if Capability.ADMINISTER not in subject.capabilities:
        if user not in {None, subject.name}:
            raise MissingCapability("The keys of others are for administrators.")
        query = query.where(ApiKey.user_id == subject.user_id)
    elif user is not None:
        source, name = parse_name(user)
        query = query.where(User.source == source, User.name == name)
    found = page.rows(session, query, [User.name, ApiKey.created_at, ApiKey.id])
    return [_view(key, name) for key, name in found]


@dataclass(frozen=True)
class NewKeyOptions:
    """What a key is made with."""

    label: str
    capabilities: list[Capability]
    expires_at: dt.datetime | None


def create_key(session: WriteSession, subject: Subject, user: str, options: NewKeyOptions) -> tuple[KeyView, NewKey]:
    """A new key for the user of this name; the secret is in the second value alone. The record names who created it."""
    require_capability(subject, Capability.ADMINISTER)
    return _create(session, subject, find_user(session, user), options)


def create_own_key(
    session: WriteSession, subject: Subject, options: NewKeyOptions, *, max_days: int
) -> tuple[KeyView, NewKey]:
    """A key for oneself. Administrators make theirs as they make others'; everybody else in a browser's session.

    A key or token could make keys that outlive it, so they make none. Raises MissingCapability, or InvalidInput for one
    without an end, or with one beyond `max_days`.
    """
    if Capability.ADMINISTER not in subject.capabilities:
        if subject.means != "session" or not max_days:
            raise MissingCapability("Sign in with a browser to make a key of your own, or ask an administrator.")
        if lacking := sorted(set(options.capabilities) - subject.capabilities):
            raise MissingCapability(f"A key of yours can do no more than you: you lack {', '.join(lacking)}.")
        latest = session.scalars(select(func.now())).one() + dt.timedelta(days=max_days)
        end = options.expires_at
        if end is None or (end.tzinfo is not None and end > latest):
            raise InvalidInput(f"A key of your own needs expires_at, at most {max_days} days from now.")
    return _create(session, subject, session.get_one(User, subject.user_id), options)


def _create(session: WriteSession, subject: Subject, user: User, options: NewKeyOptions) -> tuple[KeyView, NewKey]:
    guard_change(session, subject)
    if options.expires_at is not None and options.expires_at.tzinfo is None:
        raise InvalidInput(ZONE_MISSING)
    key, new = add_key(session, user, label=options.label, allowed=options.capabilities, expires_at=options.expires_at)
    event = KeyCreated(
        actor=actor(subject),
        user=user.id,
        prefix=key.prefix,
        capabilities=tuple(sorted(key.capabilities)),
        expires_at=key.expires_at,
    )
    record(session, event)
    return _view(key, user.shown), new


def change_key(session: WriteSession, subject: Subject, key_id: uuid.UUID, given: Mapping[str, Any]) -> KeyView:
    """Set `label`, `expires_at` or both of a key. Its holder may only end it earlier; one that has ended stays so."""
    guard_change(session, subject)
    key = _find(session, subject, key_id)
    if not given:
        raise InvalidInput("Give label, expires_at, or both.")
    now = session.scalars(select(func.now())).one()
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Conflict("This key has ended; make a new one.")
    if "expires_at" in given:
        _check_end(given["expires_at"], now)
    if not _administers(subject) and ("label" in given or _is_later(given.get("expires_at"), key.expires_at)):
        raise MissingCapability("You may let your key end earlier; anything else is for administrators.")
    before, label = _state(key), key.label
    session.execute(update(ApiKey).where(ApiKey.id == key.id).values(**given))
    session.refresh(key)
    user = session.get_one(User, key.user_id)
    event = KeyChanged(
        actor=actor(subject),
        user=user.id,
        prefix=key.prefix,
        before=before,
        after=_state(key),
        labels=_labels(user, label, key.label),
    )
    record(session, event)
    return _view(key, user.shown)


def revoke_key(session: WriteSession, subject: Subject, key_id: uuid.UUID) -> None:
    """Revoke a key of one's own, or any as an administrator. It stops working with the commit."""
    guard_change(session, subject)
    key = _find(session, subject, key_id)
    living = update(ApiKey).where(ApiKey.id == key.id, ApiKey.revoked_at.is_(None))
    session.execute(living.values(revoked_at=func.now()))
    record(session, KeyRevoked(actor=actor(subject), user=key.user_id, prefix=key.prefix))


def _find(session: WriteSession, subject: Subject, key_id: uuid.UUID) -> ApiKey:
    """One of the subject's own keys, or any for an administrator, locked; raises NotFound."""
    query = select(ApiKey).where(ApiKey.id == key_id)
    if not _administers(subject):
        query = query.where(ApiKey.user_id == subject.user_id)
    key = session.scalar(query.with_for_update())
    if key is None:
        raise NotFound
    return key


def _check_end(end: dt.datetime | None, now: dt.datetime) -> None:
    if end is not None and end.tzinfo is None:
        raise InvalidInput(ZONE_MISSING)
    if end is not None and end <= now:
        raise InvalidInput("expires_at must lie in the future; to end a key now, revoke it.")


def _is_later(end: dt.datetime | None, than: dt.datetime | None) -> bool:
    """Whether a key with this end works longer than with the other; without an end it works until it is revoked."""
    return end is None or (than is not None and end > than)


def _administers(subject: Subject) -> bool:
    return Capability.ADMINISTER in subject.capabilities


def _state(key: ApiKey) -> dict[str, Any]:
    end = None if key.expires_at is None else key.expires_at.astimezone(dt.UTC).isoformat()
    return {"expires_at": end}


def _labels(holder: User, before: str, after: str) -> SealedText | None:
    """A label before and after, if it changed: a person's under their key, a service's under that of who changed it."""
    if before == after:
        return None
    person = holder.id if holder.kind == "person" else None
    return SealedText(canonical({"after": after, "before": before}), person=person)


def _view(key: ApiKey, user: str) -> KeyView:
    allowed = sorted(capabilities(key.capabilities))
    return KeyView(key.id, key.prefix, user, key.label, allowed, key.created_at, key.expires_at, key.revoked_at)
