"""Records of who signed in and out, by what means, and of what lets somebody sign in."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.audit.events.base import Event, SealedText


@dataclass(frozen=True, kw_only=True)
class _Session(Event):
    user: uuid.UUID
    session: str
    means: str
    source: str | None


@dataclass(frozen=True, kw_only=True)
class SessionStarted(_Session):
    """A person signed in: `means` is provider, link or passkey, `source` the provider's, `session` its public name.

    `roles`: whether the groups of the claim were known, `unknown` where it did not say; null where none was asked for.
    """

    kind = "session.started"
    roles: str | None


@dataclass(frozen=True, kw_only=True)
class SessionEnded(_Session):
    """A session was ended before its time: `cause` says by whom or by what."""

    kind = "session.ended"
    cause: str


@dataclass(frozen=True, kw_only=True)
class _Link(Event):
    user: uuid.UUID
    prefix: str


@dataclass(frozen=True, kw_only=True)
class LinkCreated(_Link):
    """An administrator made a link by which a person signs in once."""

    kind = "link.made"
    expires_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class LinkRevoked(_Link):
    """It was taken back before anybody used it."""

    kind = "link.revoked"


@dataclass(frozen=True, kw_only=True)
class _Passkey(Event):
    user: uuid.UUID
    passkey: uuid.UUID
    label: SealedText


@dataclass(frozen=True, kw_only=True)
class PasskeyCreated(_Passkey):
    """A person registered a passkey."""

    kind = "passkey.made"


@dataclass(frozen=True, kw_only=True)
class PasskeyRevoked(_Passkey):
    """It signs nobody in any more."""

    kind = "passkey.revoked"
