"""The one place where a Subject is made: from what was found, is in time, and belongs to an active user.

A person's key, session or access token makes the person. A service's key makes nobody by itself: it needs the token of
a person who lets that very service act for them, and then makes that person, held to what all of them may do. Only the
key of a provisioning service makes the service, which reads nothing.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import LargeBinary, Row, Uuid, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from app.db.engine import KEEPS_PLAN
from app.db.tables.access import Curator
from app.db.tables.people import ApiKey, Delegation, Role, User
from app.db.tables.sign_in import SignInIdentity, SignInSession
from app.errors import BadRequest, MissingCapability, NotSignedIn, OnBehalfOfNeeded
from app.identity.api_keys import hash_key, looks_like_key, looks_like_session, looks_like_token
from app.identity.names import refuse_service
from app.identity.nesting import held_roles, outer_roles, roles_of
from app.identity.subject import EVERYONE_ID, FOR_PEOPLE, ActingService, Capability, Label, Subject

# The most that a service may do, for whomever. What changes anything takes the person.
FOR_SERVICES = frozenset({Capability.ASK, Capability.DOWNLOAD})
# The most that an access token of a provider carries: it is made for a client that asks, and seen by it.
FOR_TOKENS = FOR_SERVICES
# How far a session's idle end may lag behind: it is not written at each request.
IDLE_STEP_SECONDS = 60


@dataclass(frozen=True)
class AccessToken:
    """A provider's access token whose signature and claims were checked: whose it is, and since when."""

    source: str
    issuer: str
    subject: str
    issued_at: dt.datetime


# All that makes a person the caller, in one round trip: it is asked for at each request.
_HASH = bindparam("hash", type_=LargeBinary())
_PERSON = (
    User.id.label("user_id"),
    User.kind,
    User.shown,
    User.clearance,
    User.capabilities.label("user_capabilities"),
    held_roles().label("roles"),
    func.array(
        select(Curator.collection_id).where(Curator.user_id == User.id).correlate(User).scalar_subquery(),
        type_=ARRAY(Uuid),
    ).label("curates"),
    func.now().label("now"),
)
_LIVING_KEY = (ApiKey.hash == _HASH, ApiKey.revoked_at.is_(None), User.active)
_BY_KEY = (
    select(ApiKey.id.label("key_id"), ApiKey.prefix, ApiKey.expires_at, *_PERSON)
    .add_columns(ApiKey.capabilities.label("key_capabilities"))
    .join_from(ApiKey, User, User.id == ApiKey.user_id)
    .where(*_LIVING_KEY)
    .execution_options(**KEEPS_PLAN)
)
_KEY_AND_USER = select(ApiKey, User, func.now()).join(User, User.id == ApiKey.user_id).where(*_LIVING_KEY)
_BY_SESSION = (
    select(SignInSession.id.label("key_id"), SignInSession.prefix, *_PERSON)
    .add_columns(SignInSession.idle_until, SignInSession.idle_seconds, User.capabilities.label("key_capabilities"))
    .join_from(SignInSession, User, User.id == SignInSession.user_id)
    .where(SignInSession.hash == _HASH, SignInSession.ended_at.is_(None))
    .where(SignInSession.idle_until > func.now(), SignInSession.expires_at > func.now())
    .where(User.active, User.kind == "person")
    .execution_options(**KEEPS_PLAN)
)


def identify(session: Session, secret: str, on_behalf_of: str | None = None) -> Subject:
    """The caller who holds this key, or the person whose token the service that holds it sends.

    Raises NotSignedIn, the same for a wrong, an expired and a revoked key or token; OnBehalfOfNeeded for a service's
    key alone; BadRequest for a token beside a person's own key, which is never ignored.
    """
    if not looks_like_key(secret):
        raise NotSignedIn
    found = session.execute(_BY_KEY, {"hash": hash_key(secret)}).one_or_none()
    if found is None or _expired(found.expires_at, found.now):
        raise NotSignedIn
    if found.kind == "person":
        if on_behalf_of is not None:
            raise BadRequest("This is a person's own key: send it without 'Clearance-On-Behalf-Of'.")
        return _subject(found)
    key, user, now = session.execute(_KEY_AND_USER, {"hash": hash_key(secret)}).one()
    if user.provisions is not None:
        if on_behalf_of is not None:
            raise BadRequest("A provisioning service acts for nobody: send its key without 'Clearance-On-Behalf-Of'.")
        return _provisioner(user, key)
    if on_behalf_of is None:
        raise OnBehalfOfNeeded
    return _through(session, user, key, on_behalf_of, now)


def identify_session(session: Session, secret: str) -> Subject:
    """The person whose session this is. Raises NotSignedIn, the same for one that is unknown, idle, over or ended."""
    if not looks_like_session(secret):
        raise NotSignedIn
    found = session.execute(_BY_SESSION, {"hash": hash_key(secret)}).one_or_none()
    if found is None:
        raise NotSignedIn
    if (found.idle_until - found.now).total_seconds() < found.idle_seconds - IDLE_STEP_SECONDS:
        session.execute(select(func.clearance.keep_session_alive(found.key_id)))
    return replace(_subject(found), means="session")


def identify_token(session: Session, token: AccessToken) -> Subject:
    """The person whom the token's subject stands for. Raises NotSignedIn for nobody, and for one who left since."""
    user = person_behind(session, token.source, token.issuer, token.subject)
    # A token says when it was made in whole seconds: of the second in which somebody left, none is good.
    if user is None or not user.active or (user.tokens_after is not None and token.issued_at <= user.tokens_after):
        raise NotSignedIn
    as_key = ApiKey(
        id=uuid.uuid5(user.id, "token"), prefix=f"token:{token.source}", capabilities=[c.value for c in FOR_TOKENS]
    )
    return replace(_person(session, user, as_key), means="token")


def person_behind(session: Session, source: str, issuer: str, subject: str) -> User | None:
    """The person whom the subject of this issuer, the provider of that source, stands for: active or not.

    Whoever signed in as it before; or else whom the source calls so, unless they signed in at another issuer. Whoever
    is gone from the source is nobody.
    """
    known = select(User).join(SignInIdentity, SignInIdentity.user_id == User.id)
    known = known.where(SignInIdentity.issuer == issuer, SignInIdentity.subject == subject)
    living = (User.deleted_at.is_(None), User.kind == "person")
    elsewhere = exists().where(SignInIdentity.user_id == User.id, SignInIdentity.issuer != issuer)
    named = select(User).where(User.source == source, User.external_id == subject, ~elsewhere)
    return session.scalar(known.where(*living)) or session.scalar(named.where(*living))


def caller_may(session: Session, capability: Capability) -> bool:
    """Whether the person as whom this transaction reads is there, active, and has the capability now."""
    return bool(session.scalar(select(func.clearance.caller_may(capability.value))))


def is_session(session: Session, secret: str) -> bool:
    """Whether this is, or was, a session of ours."""
    return bool(session.scalar(select(exists().where(SignInSession.hash == hash_key(secret)))))


def why_dead(session: Session, secret: str) -> tuple[str, str | None]:
    """Why a sign-in failed, for the log alone, and the public prefix of the key if it is one of ours."""
    held = select(ApiKey, User.active, func.now()).join(User, User.id == ApiKey.user_id)
    found = session.execute(held.where(ApiKey.hash == hash_key(secret))).one_or_none()
    if found is None:
        return "unknown key", None
    key, active, now = found
    if not active:
        return "switched off", key.prefix
    if key.revoked_at is not None:
        return "revoked key", key.prefix
    if _expired(key.expires_at, now):
        return "expired key", key.prefix
    return "service alone", key.prefix


def subject_of(session: Session, user: User) -> Subject:
    """The subject a person would be with a key of all capabilities: for explaining and planning, never for access.

    Raises InvalidInput for a service, which reads nothing by itself.
    """
    refuse_service(user)
    return _person(session, user, ApiKey(id=EVERYONE_ID, prefix="", capabilities=[c.value for c in FOR_PEOPLE]))


def reader_of(session: Session, user: User) -> Subject:
    """Somebody who reads what this user reads and can do nothing, not even curate."""
    return _reader(user.shown, roles_of(session, user.id), Label(user.clearance), user.id)


def member_of(session: Session, role: Role) -> Subject:
    """Somebody who is in this role, in those around it and in no other, with a clearance for every label."""
    return _reader(role.shown, outer_roles(session, role.id), Label.RESTRICTED, EVERYONE_ID)


def capabilities(names: list[str]) -> frozenset[Capability]:
    """The capabilities of these names; a name that is none gives none."""
    return frozenset(c for c in Capability if c.value in names)


def _reader(name: str, roles: frozenset[uuid.UUID], clearance: Label, user_id: uuid.UUID) -> Subject:
    nothing = frozenset[Any]()
    return Subject(user_id, name, roles, clearance, nothing, curates=nothing, key_id=EVERYONE_ID, key_prefix="")


def _person(session: Session, user: User, key: ApiKey) -> Subject:
    return Subject(
        user_id=user.id,
        name=user.shown,
        roles=roles_of(session, user.id),
        clearance=Label(user.clearance),
        capabilities=capabilities(key.capabilities) & capabilities(user.capabilities),
        curates=frozenset(session.scalars(select(Curator.collection_id).where(Curator.user_id == user.id))),
        key_id=key.id,
        key_prefix=key.prefix,
    )


def _subject(found: Row[*tuple[Any, ...]]) -> Subject:
    """The person of a row of `_BY_KEY` or `_BY_SESSION`."""
    return Subject(
        user_id=found.user_id,
        name=found.shown,
        roles=frozenset(found.roles),
        clearance=Label(found.clearance),
        capabilities=capabilities(found.key_capabilities) & capabilities(found.user_capabilities),
        curates=frozenset(found.curates),
        key_id=found.key_id,
        key_prefix=found.prefix,
    )


def _provisioner(service: User, key: ApiKey) -> Subject:
    """A service that keeps the people of one source: it reads nothing."""
    nobody = _reader(service.shown, frozenset(), Label.PUBLIC, service.id)
    return replace(
        nobody,
        capabilities=capabilities(key.capabilities) & capabilities(service.capabilities),
        key_id=key.id,
        key_prefix=key.prefix,
        provisions=service.provisions,
    )


def provisioner_of(session: Session, source: str) -> Subject | None:
    """The service that keeps the people of this source, for what we do by ourselves in its name; None: nobody made it.

    Of several the first that was made.
    """
    query = select(User).where(User.provisions == source, User.active, User.kind == "service")
    service = session.scalars(query.order_by(User.created_at, User.id).limit(1)).one_or_none()
    if service is None or Capability.PROVISION.value not in service.capabilities:
        return None
    return _provisioner(service, ApiKey(id=service.id, prefix=f"source:{source}", capabilities=["provision"]))


def _through(session: Session, service: User, key: ApiKey, token: str, now: dt.datetime) -> Subject:
    """The person who gave this token to this service, held to what all of them allow; NotSignedIn if it is dead."""
    if not looks_like_token(token):
        raise NotSignedIn
    person, own = aliased(User), aliased(ApiKey)
    found = session.execute(
        select(Delegation, person, own)
        .join(person, person.id == Delegation.person_id)
        .outerjoin(own, own.id == Delegation.key_id)
        .where(Delegation.hash == hash_key(token), Delegation.service_id == service.id)
        .where(Delegation.revoked_at.is_(None), own.revoked_at.is_(None))
        .where(person.active, person.kind == "person")
    ).one_or_none()
    if found is None or found[0].expires_at <= now or (found[2] is not None and _expired(found[2].expires_at, now)):
        raise NotSignedIn
    delegation, giver, _ = found
    subject = _person(session, giver, key)
    allowed = subject.capabilities & capabilities(service.capabilities) & capabilities(delegation.capabilities)
    if not allowed & FOR_SERVICES:
        raise MissingCapability("Person, service, key and token have no capability in common: nothing can be done so.")
    return replace(
        subject,
        capabilities=allowed & FOR_SERVICES,
        curates=frozenset(),
        via=ActingService(service.id, service.shown, delegation.prefix),
    )


def _expired(expires_at: dt.datetime | None, now: dt.datetime) -> bool:
    return expires_at is not None and expires_at <= now
