"""The passkeys that people have: listed, and revoked by their owner or an administrator."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.sign_in import PasskeyRevoked
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.people import User
from app.db.tables.sign_in import Passkey
from app.errors import MissingCapability, NotFound
from app.identity.names import parse_name
from app.identity.subject import Capability, Subject, require_in_person


@dataclass(frozen=True)
class PasskeyView:
    """A passkey, of which nothing is secret here."""

    id: uuid.UUID
    user: str
    label: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None


def own_passkeys(session: Session, subject: Subject) -> list[Passkey]:
    """The passkeys that sign this person in, the oldest first."""
    query = select(Passkey).where(Passkey.user_id == subject.user_id, Passkey.revoked_at.is_(None))
    return list(session.scalars(query.order_by(Passkey.created_at, Passkey.id)))


def list_passkeys(session: Session, subject: Subject, page: Page, *, user: str | None) -> list[PasskeyView]:
    """The subject's own passkeys; for an administrator those of the user of this name."""
    query = select(Passkey, User.shown).join(User, User.id == Passkey.user_id).where(Passkey.revoked_at.is_(None))
    if user is None or user == subject.name:
        query = query.where(Passkey.user_id == subject.user_id)
    elif Capability.ADMINISTER not in subject.capabilities:
        raise MissingCapability("The passkeys of others are for administrators.")
    else:
        source, name = parse_name(user)
        query = query.where(User.source == source, User.name == name)
    return [view_of(each, name) for each, name in page.rows(session, query, [Passkey.created_at, Passkey.id])]


def revoke_passkey(session: WriteSession, subject: Subject, passkey_id: uuid.UUID) -> None:
    """Revoke a passkey of one's own, or any as an administrator. Raises NotFound."""
    require_in_person(subject)
    living = update(Passkey).where(Passkey.id == passkey_id, Passkey.revoked_at.is_(None))
    if Capability.ADMINISTER not in subject.capabilities:
        living = living.where(Passkey.user_id == subject.user_id)
    found = session.scalar(living.values(revoked_at=func.now()).returning(Passkey))
    if found is None:
        raise NotFound
    label = SealedText(found.label, person=found.user_id)
    record(session, PasskeyRevoked(actor=actor(subject), user=found.user_id, passkey=found.id, label=label))


def view_of(passkey: Passkey, user: str) -> PasskeyView:
    """The passkey as its owner and administrators see it."""
    return PasskeyView(passkey.id, user, passkey.label, passkey.created_at, passkey.last_used_at)
