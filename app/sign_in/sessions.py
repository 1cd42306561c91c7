"""Sessions of browsers: started when somebody has shown who they are, listed, and ended by whoever may."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app import log
from app.acl.change_guard import guard_change
from app.audit.actor import actor
from app.audit.events.sign_in import SessionEnded, SessionStarted
from app.audit.log import record
from app.db.paging import Page
from app.db.session import Database, WriteSession
from app.db.tables.people import User
from app.db.tables.sign_in import SignInMeans, SignInSession
from app.errors import MissingCapability, NotFound
from app.identity.api_keys import NewKey, hash_key, make_session_secret
from app.identity.authenticate import identify_session
from app.identity.names import find_person, parse_name
from app.identity.subject import Capability, Subject, require_capability, require_in_person
from app.oidc.provider import Provider, ProviderUnavailable
from app.settings import SignInSettings

MAX_AGENT = 200


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from, for its owner to know it by."""

    address: str | None
    agent: str


@dataclass(frozen=True)
class Proof:
    """How somebody showed who they are. `roles`: whether a claim's groups were `known` or `unknown`, if asked for."""

    means: SignInMeans
    source: str | None = None
    provider_session: str | None = None
    id_token: str | None = None
    roles: str | None = None


@dataclass(frozen=True)
class SessionView:
    """A session without its secret. `current`: the one that asks."""

    id: uuid.UUID
    prefix: str
    user: str
    means: SignInMeans
    source: str | None
    address: str | None
    agent: str
    created_at: dt.datetime
    idle_until: dt.datetime
    expires_at: dt.datetime
    current: bool


def start_session(
    database: Database,
    settings: SignInSettings,
    user_id: uuid.UUID,
    proof: Proof,
    browser: Browser,
    *,
    replaced: str | None = None,
) -> NewKey:
    """A new session of this person, always with a new secret; the one that the browser came with is over.

    `replaced` is that one's secret. To be called by who has checked the proof, and by nobody else.
    """
    new = make_session_secret()
    with database.writing(user_id) as session:
        now = session.scalars(select(func.now())).one()
        idle = int(settings.idle_minutes * 60)
        expires = now + dt.timedelta(hours=settings.session_hours)
        row = SignInSession(
            prefix=new.prefix,
            hash=new.hash,
            user_id=user_id,
            means=proof.means,
            source=proof.source,
            provider_session=proof.provider_session,
            id_token=proof.id_token,
            address=browser.address,
            agent=browser.agent[:MAX_AGENT],
            idle_seconds=idle,
            idle_until=min(now + dt.timedelta(seconds=idle), expires),
            expires_at=expires,
        )
        session.add(row)
        session.flush()
        subject = identify_session(session, new.secret).at_address(browser.address)
        event = SessionStarted(
            actor=actor(subject),
            user=user_id,
            session=new.prefix,
            means=proof.means,
            source=proof.source,
            roles=proof.roles,
        )
        record(session, event)
        if replaced is not None:
            # Of the same person alone: another's is not this one's to end, and is of no use to the browser any more.
            old = select(SignInSession).where(
                SignInSession.hash == hash_key(replaced), SignInSession.user_id == user_id
            )
            end_sessions(session, subject, session.scalars(old.where(SignInSession.ended_at.is_(None))), "replaced")
    return new


def end_sessions(session: WriteSession, subject: Subject, found: Iterable[SignInSession], cause: str) -> int:
    """End these sessions, which the subject may end; each leaves a record. How many it ended."""
    number = 0
    for each in list(found):
        living = update(SignInSession).where(SignInSession.id == each.id, SignInSession.ended_at.is_(None))
        ended = living.values(ended_at=func.now(), ended_by=cause, id_token=None).returning(SignInSession.id)
        if session.scalar(ended) is None:
            continue
        number += 1
        event = SessionEnded(
            actor=actor(subject),
            user=each.user_id,
            session=each.prefix,
            means=each.means,
            source=each.source,
            cause=cause,
        )
        record(session, event)
    return number


def living_sessions(session: Session, user_id: uuid.UUID) -> Sequence[SignInSession]:
    """The sessions of a person that are not over."""
    query = select(SignInSession).where(SignInSession.user_id == user_id, *_living())
    return session.scalars(query.order_by(SignInSession.created_at)).all()


def list_sessions(session: Session, subject: Subject, page: Page, *, user: str | None) -> list[SessionView]:
    """The subject's own sessions; for an administrator those of the user of this name."""
    query = select(SignInSession, User.shown).join(User, User.id == SignInSession.user_id).where(*_living())
    if user is None or user == subject.name:
        query = query.where(SignInSession.user_id == subject.user_id)
    elif Capability.ADMINISTER not in subject.capabilities:
        raise MissingCapability("The sessions of others are for administrators.")
    else:
        source, name = parse_name(user)
        query = query.where(User.source == source, User.name == name)
    return _views(subject, page.rows(session, query, [SignInSession.created_at, SignInSession.id]))


def _views(subject: Subject, found: Iterable[tuple[SignInSession, str]]) -> list[SessionView]:
    return [
        SessionView(
            each.id,
            each.prefix,
            name,
            each.means,
            each.source,
            each.address,
            each.agent,
            each.created_at,
            each.idle_until,
            each.expires_at,
            current=each.id == subject.key_id,
        )
        for each, name in found
    ]


def list_all_sessions(session: Session, subject: Subject, page: Page) -> list[SessionView]:
    """The sessions of everybody, newest first (administer)."""
    require_capability(subject, Capability.ADMINISTER)
    query = select(SignInSession, User.shown).join(User, User.id == SignInSession.user_id).where(*_living())
    return _views(subject, page.rows(session, query, [SignInSession.created_at, SignInSession.id], descending=True))


def end_session(session: WriteSession, subject: Subject, session_id: uuid.UUID) -> None:
    """End a session of one's own, or any as an administrator; at once. Raises NotFound."""
    require_in_person(subject)
    query = select(SignInSession).where(SignInSession.id == session_id, *_living())
    if Capability.ADMINISTER not in subject.capabilities:
        query = query.where(SignInSession.user_id == subject.user_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    own = found.user_id == subject.user_id
    end_sessions(session, subject, [found], "signed out" if own else "by an administrator")


def end_all_sessions(session: WriteSession, subject: Subject, name: str) -> int:
    """Sign a person out everywhere: oneself, or anybody as an administrator. A provider's tokens from before die too.

    Raises MissingCapability for another name, whether somebody has it or not.
    """
    require_in_person(subject)
    own = name == subject.name
    if not own:
        require_capability(subject, Capability.ADMINISTER)
    user = find_person(session, name)
    guard_change(session, subject)
    session.execute(select(func.clearance.end_provider_tokens(user.id)))
    return end_sessions(
        session, subject, living_sessions(session, user.id), "signed out everywhere" if own else "by an administrator"
    )


def _living() -> tuple[ColumnElement[bool], ...]:
    return (
        SignInSession.ended_at.is_(None),
        SignInSession.idle_until > func.now(),
        SignInSession.expires_at > func.now(),
    )


def current_session(session: Session, subject: Subject) -> SignInSession:
    """The session that the subject came with."""
    return session.get_one(SignInSession, subject.key_id)


@dataclass(frozen=True)
class ProviderUrl:
    """A place at a provider, which is called `label`."""

    url: str
    label: str


def sign_out(database: Database, providers: Mapping[str, Provider], secret: str, back_to: str) -> ProviderUrl | None:
    """End this session; where the browser goes to be signed out at the provider too, if there is such a place.

    Raises NotSignedIn for one that is over.
    """
    with database.anonymous() as session:
        subject = identify_session(session, secret)
    with database.writing(subject.user_id) as session:
        own = current_session(session, subject)
        source, token = own.source, own.id_token
        end_sessions(session, subject, [own], "signed out")
    provider = providers.get(source or "")
    if provider is None:
        return None
    try:
        url = provider.logout_url(id_token=token, back_to=back_to)
    except ProviderUnavailable as error:
        log.get().warning("oidc.unavailable", source=provider.source, reason=str(error))
        return None
    return None if url is None else ProviderUrl(url, provider.label)
