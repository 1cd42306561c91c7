"""Who acts: the verified caller, and the values that say who somebody is. Pure."""

import enum
import uuid
from dataclasses import dataclass, field
from typing import Literal

EVERYONE_ID = uuid.UUID(int=0)

PrincipalKind = Literal["everyone", "role", "user"]


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


@dataclass(frozen=True, order=True)
class Principal:
    """Whom a grant names. `id` is the zero UUID for everyone, which here means every signed-in, active person."""

    kind: PrincipalKind
    id: uuid.UUID = EVERYONE_ID


EVERYONE = Principal("everyone")


@dataclass(frozen=True)
class Via:
    """The service that speaks for the subject, and the public part of the token by which it may."""

    service_id: uuid.UUID
    service: str
    delegation: str


@dataclass(frozen=True)
class Subject:
    """The verified caller. Made by `app.identity` alone; `roles` is closed under nesting.

    With `via`, a service asks for this person: user, roles and clearance are the person's, the key is the service's,
    and `capabilities` is what person, service, key and token all allow.
    """

    user_id: uuid.UUID
    name: str
    roles: frozenset[uuid.UUID]
    clearance: Label
    capabilities: frozenset[Capability]
    curates: frozenset[uuid.UUID]
    key_id: uuid.UUID
    key_prefix: str
    via: Via | None = None
    # Where the request came from: for the log, never for a decision.
    address: str | None = field(default=None, compare=False)

    def is_named_by(self, principal: Principal) -> bool:
        """Whether a grant to that principal is about this caller."""
        return (
            principal == EVERYONE
            or (principal.kind == "user" and principal.id == self.user_id)
            or (principal.kind == "role" and principal.id in self.roles)
        )
