"""Records of what people let services do for them."""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class _Delegation(Event):
    person: uuid.UUID
    service: uuid.UUID
    prefix: str


@dataclass(frozen=True, kw_only=True)
class DelegationCreated(_Delegation):
    """A person let a service act for them."""

    kind = "delegation.made"
    capabilities: tuple[str, ...]
    expires_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class DelegationRevoked(_Delegation):
    """That was ended, by the person or an administrator."""

    kind = "delegation.revoked"
