"""Who acts: the verified caller, and the values that say who somebody is. Pure."""

import enum
import uuid
from dataclasses import dataclass, field, replace
from typing import Literal

from app.errors import BeyondReach, InPersonNeeded, MissingCapability

EVERYONE_ID = uuid.UUID(int=0)

PrincipalKind = Literal["everyone", "role", "user"]
UserKind = Literal["person", "service"]
# How a caller shows who they are: a key, a browser's session, or an access token of a provider.
Means = Literal["key", "session", "token"]


class Label(enum.IntEnum):
    """How confidential a document is."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3

    @property
    def text(self) -> str:
        """The name on the wire."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> "Label":
        """The label of that name; raises ValueError naming the four."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"'{text}' is no label: use public, internal, confidential or restricted") from None


class Capability(enum.StrEnum):
    """What a person or key may do, apart from what it may read."""

    ASK = "ask"
    DOWNLOAD = "download"
    CURATE = "curate"
    ADMINISTER = "administer"
    AUDIT = "audit"
    OPEN = "open"
    EXPORT = "export"
    ERASE = "erase"
    HOLD = "hold"
    REVEAL = "reveal"
    PROVISION = "provision"


# What a person may be allowed; the rest is for services.
FOR_PEOPLE = frozenset(Capability) - {Capability.PROVISION}


@dataclass(frozen=True, order=True)
class Principal:
    """Whom a grant names. `id` is the zero UUID for everyone, which here means every signed-in, active person."""

    kind: PrincipalKind
    id: uuid.UUID = EVERYONE_ID


EVERYONE = Principal("everyone")


@dataclass(frozen=True)
class ActingService:
    """The service that speaks for the subject, and the public part of the token by which it may."""

    service_id: uuid.UUID
    service: str
    delegation: str


@dataclass(frozen=True)
class Subject:
    """The verified caller. Made by `app.identity` alone; `roles` is closed under nesting.

    With `via`, a service asks for this person: user, roles and clearance are the person's, the key is the service's,
    and `capabilities` is what person, service, key and token all allow. With `provisions`, it is a service that keeps
    the people and roles of that source, and reads nothing.

    `key_id` and `key_prefix` name the key, the session or the person's tokens: by them requests are counted and logged.
    """

    user_id: uuid.UUID
    name: str
    roles: frozenset[uuid.UUID]
    clearance: Label
    capabilities: frozenset[Capability]
    curates: frozenset[uuid.UUID]
    key_id: uuid.UUID
    key_prefix: str
    via: ActingService | None = None
    means: Means = "key"
    provisions: str | None = None
    # Where the request came from: for the log, never for a decision.
    address: str | None = field(default=None, compare=False)

    def at_address(self, address: str | None) -> "Subject":
        """The same caller with the address that the request came from."""
        return replace(self, address=address)

    def is_named_by(self, principal: Principal) -> bool:
        """Whether a grant to that principal is about this caller."""
        return (
            principal == EVERYONE
            or (principal.kind == "user" and principal.id == self.user_id)
            or (principal.kind == "role" and principal.id in self.roles)
        )


def require_capability(subject: Subject, capability: Capability) -> None:
    """Raise MissingCapability unless both the key and the person have it."""
    if capability not in subject.capabilities:
        raise MissingCapability(f"This needs the capability '{capability}', of both the key and the person.")


def require_curator(subject: Subject, collection_id: uuid.UUID) -> None:
    """Raise MissingCapability unless the subject curates this collection."""
    require_capability(subject, Capability.CURATE)
    if collection_id not in subject.curates:
        raise MissingCapability("You do not curate this collection; an administrator can make you its curator.")


def require_in_person(subject: Subject) -> None:
    """Raise InPersonNeeded where a service acts: keys, tokens, conversations are the person's own."""
    if subject.via is not None or subject.provisions is not None:
        raise InPersonNeeded


def require_person(subject: Subject) -> None:
    """Raise InPersonNeeded unless there is a person, themselves or through a service."""
    if subject.provisions is not None:
        raise InPersonNeeded


def require_source(subject: Subject, source: str) -> None:
    """Raise BeyondReach unless the subject keeps the people and roles of this source."""
    if Capability.PROVISION not in subject.capabilities or subject.provisions != source:
        raise BeyondReach("A provisioning service changes people and roles of its own source alone.")


def may_edit_rules(subject: Subject, collection_id: uuid.UUID) -> bool:
    """Whether the subject may see and change the rules of a collection: an administrator or its curator."""
    curates = Capability.CURATE in subject.capabilities and collection_id in subject.curates
    return curates or Capability.ADMINISTER in subject.capabilities
