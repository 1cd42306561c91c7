"""Records of changes to who may do or read what: policy, keys, users, roles."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.audit.events.base import Event, SealedText
from app.evidence.merkle import Json


@dataclass(frozen=True, kw_only=True)
class PolicyChanged(Event):
    """Who may read something changed: the rule before and after, as values. `epoch` is the one after the change."""

    kind = "policy.changed"
    action: str
    target: str
    before: Json
    after: Json
    epoch: int


@dataclass(frozen=True, kw_only=True)
class _Key(Event):
    user: uuid.UUID
    prefix: str


@dataclass(frozen=True, kw_only=True)
class KeyCreated(_Key):
    """An API key was made."""

    kind = "key.made"
    capabilities: tuple[str, ...]
    expires_at: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class KeyChanged(_Key):
    """An API key's end changed, or its label, which is its holder's words: the two as JSON."""

    kind = "key.changed"
    before: Json
    after: Json
    labels: SealedText | None = None


@dataclass(frozen=True, kw_only=True)
class KeyRevoked(_Key):
    """An API key was revoked."""

    kind = "key.revoked"


@dataclass(frozen=True, kw_only=True)
class UserCreated(Event):
    """A user was created. `names`: what a person is called, as JSON (`app.admin.user_records`)."""

    kind = "user.made"
    user: uuid.UUID
    after: Json
    names: SealedText | None = None


@dataclass(frozen=True, kw_only=True)
class UserChanged(Event):
    """A user's clearance, capabilities or state changed, or what they are called: `names`, before and after."""

    kind = "user.changed"
    user: uuid.UUID
    before: Json
    after: Json
    names: SealedText | None = None


@dataclass(frozen=True, kw_only=True)
class UserRemoved(Event):
    """A user was deleted. `names`: what a person was called."""

    kind = "user.removed"
    user: uuid.UUID
    before: Json
    names: SealedText | None = None


@dataclass(frozen=True, kw_only=True)
class RoleCreated(Event):
    """A role was created."""

    kind = "role.made"
    role: uuid.UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class RoleChanged(Event):
    """A role's name changed, or the roles that it stands inside."""

    kind = "role.changed"
    role: uuid.UUID
    before: Json
    after: Json


@dataclass(frozen=True, kw_only=True)
class RoleRemoved(Event):
    """A role was deleted."""

    kind = "role.removed"
    role: uuid.UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class _RoleMember(Event):
    role: uuid.UUID
    user: uuid.UUID
    epoch: int


@dataclass(frozen=True, kw_only=True)
class RoleJoined(_RoleMember):
    """A user was put into a role."""

    kind = "role.joined"


@dataclass(frozen=True, kw_only=True)
class RoleLeft(_RoleMember):
    """A user was taken out of a role."""

    kind = "role.left"
