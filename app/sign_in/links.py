"""One-time links: an administrator makes one, and whoever has it signs in once as that person. No passwords."""

import datetime as dt
import ipaddress
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update

from app.acl.change_guard import guard_change
from app.audit.actor import actor
from app.audit.events.sign_in import LinkCreated, LinkRevoked
from app.audit.log import record
from app.db.session import Database, WriteSession
from app.db.tables.people import User
from app.db.tables.sign_in import SignInLink
from app.errors import InvalidInput, NotFound, SignInNotAllowed
from app.identity.api_keys import NewKey, hash_key, looks_like_link, make_link_secret
from app.identity.names import refuse_service
from app.identity.subject import Capability, Subject, require_capability
from app.settings import SignInSettings

DEAD = "This link is wrong, was used, or is too old. An administrator can make another one."


@dataclass(frozen=True)
class LinkView:
    """A link without its secret."""

    id: uuid.UUID
    prefix: str
    user: str
    expires_at: dt.datetime


def create_link(
    session: WriteSession, subject: Subject, settings: SignInSettings, user: User, *, loopback: bool
) -> tuple[LinkView, NewKey]:
    """A link for this person; the secret is in the second value alone. `loopback`: good on this machine alone.

    The record names who made it, as a key's does. Raises InvalidInput for a service and for who is switched off.
    """
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    refuse_service(user)
    if not user.active:
        raise InvalidInput("This person is switched off; switch them on first.")
    new = make_link_secret()
    link = SignInLink(
        prefix=new.prefix,
        hash=new.hash,
        user_id=user.id,
        created_by=subject.user_id,
        loopback=loopback,
        expires_at=session.scalars(select(func.now())).one() + dt.timedelta(hours=settings.link_hours),
    )
    session.add(link)
    session.flush()
    record(session, LinkCreated(actor=actor(subject), user=user.id, prefix=new.prefix, expires_at=link.expires_at))
    return LinkView(link.id, link.prefix, user.shown, link.expires_at), new


def revoke_link(session: WriteSession, subject: Subject, link_id: uuid.UUID) -> None:
    """Take back a link that nobody has used. Raises NotFound."""
    require_capability(subject, Capability.ADMINISTER)
    living = update(SignInLink).where(
        SignInLink.id == link_id, SignInLink.used_at.is_(None), SignInLink.revoked_at.is_(None)
    )
    found = session.execute(
        living.values(revoked_at=func.now()).returning(SignInLink.user_id, SignInLink.prefix)
    ).one_or_none()
    if found is None:
        raise NotFound
    record(session, LinkRevoked(actor=actor(subject), user=found.user_id, prefix=found.prefix))


def name_behind(database: Database, secret: str, address: str | None) -> str:
    """Who would sign in with this link, for the page that asks first. Raises SignInNotAllowed."""
    with database.anonymous() as session:
        user_id = _owner(session, secret, address)
        user = session.get_one(User, user_id)
        return user.display_name or user.shown


def use_link(database: Database, secret: str, address: str | None) -> uuid.UUID:
    """Whom this link signs in: it is good for this once. Raises SignInNotAllowed, the same for whatever is wrong."""
    with database.anonymous() as session:
        user_id = _owner(session, secret, address)
    with database.writing(user_id) as session:
        # Two may come with it at once: the row decides.
        mine = update(SignInLink).where(
            SignInLink.hash == hash_key(secret), SignInLink.used_at.is_(None), SignInLink.revoked_at.is_(None)
        )
        if session.scalar(mine.values(used_at=func.now()).returning(SignInLink.id)) is None:
            raise SignInNotAllowed(DEAD)
    return user_id


def _owner(session: WriteSession, secret: str, address: str | None) -> uuid.UUID:
    if not looks_like_link(secret):
        raise SignInNotAllowed(DEAD)
    query = (
        select(SignInLink)
        .join(User, User.id == SignInLink.user_id)
        .where(SignInLink.hash == hash_key(secret), SignInLink.used_at.is_(None), SignInLink.revoked_at.is_(None))
        .where(SignInLink.expires_at > func.now(), User.active, User.kind == "person")
    )
    link = session.scalars(query).one_or_none()
    if link is None or (link.loopback and not _is_loopback(address)):
        raise SignInNotAllowed(DEAD)
    return link.user_id


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
