"""What goes over the wire about users, their keys, and what they let services do."""

import datetime as dt
import uuid
from typing import Any, Literal

from pydantic import Field

from app.identity.subject import Capability, UserKind
from app.settings import LabelName
from app.web.api.schemas import ApiModel, FullName, Name


class UserBody(ApiModel):
    """A new person, who reads nothing until a role or a grant lets them; or a service, which never does by itself."""

    name: Name
    source: Name = Field("local", description="where it comes from; names of two sources never merge")
    external_id: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="of a person: their name for ever in the source, like a provider's sub",
    )
    provisions: Name | None = Field(
        None, description="of a service: the source whose people and roles it keeps; it can do nothing else"
    )
    kind: UserKind = Field("person", description="a service acts only for a person who lets it, and has no clearance")
    display_name: str = Field("", max_length=200)
    clearance: LabelName | None = Field(None, description="of a person; unset: internal")
    capabilities: list[Capability] = Field(default_factory=lambda: [Capability.ASK])


class UserPatch(ApiModel):
    """What changes; unset stays."""

    display_name: str | None = Field(None, max_length=200)
    clearance: LabelName | None = None
    capabilities: list[Capability] | None = None
    active: bool | None = None


class UserOut(ApiModel):
    """A person or service. `name` has its source in front, unless it is `local`."""

    id: uuid.UUID
    name: str
    source: str
    kind: UserKind
    display_name: str
    clearance: LabelName
    capabilities: list[Capability]
    active: bool
    roles: list[str]
    curates: list[str]
    external_id: str | None
    provisions: str | None
    last_sign_in: dt.datetime | None = Field(description="when a browser was signed in last")
    held: bool = Field(description="switched off by an administrator: the source cannot switch them on")


class HeldRoleOut(ApiModel):
    """A role of somebody."""

    role: str
    source: str
    through: list[str] = Field(description="the roles that bring it, innermost first; none: they are its member")
    until: dt.datetime | None = Field(description="when this ends by itself")


class CredentialsOut(ApiModel):
    """How many living things somebody comes in with: what ends for good when they are switched off."""

    keys: int
    sessions: int
    passkeys: int
    links: int
    delegations: int = Field(description="what services may do for them; of a service, what people let it do")


class UserDetailsOut(UserOut):
    """A person or service, how they come into each role, and what switching them off would end."""

    created_at: dt.datetime
    held_roles: list[HeldRoleOut]
    looks_after: list[str] = Field(description="roles whose members they change")
    credentials: CredentialsOut


class PrincipalOut(ApiModel):
    """The person for whom a service asks, as far as the service has to know them. `capabilities` are what it may do."""

    id: uuid.UUID
    name: str
    capabilities: list[Capability]


class RoleUseOut(ApiModel):
    """Where rules of a collection name a role."""

    collection: str
    whole: bool = Field(description="the collection's own rule names it")
    folders: int = Field(description="folders whose rule names it")
    documents: int = Field(description="documents whose own rule names it")


class RoleDetailsOut(ApiModel):
    """One role. `used_in` is of the collections whose rules you may change."""

    id: uuid.UUID
    name: str
    source: str
    external_id: str | None = Field(description="the group of its source that it stands for")
    created_at: dt.datetime
    inside: list[str]
    inner: list[str] = Field(description="the roles directly inside it")
    stewards: list[str]
    members: int = Field(description="active people who are its members")
    people: int = Field(description="active people in it, also by nesting")
    used_in: list[RoleUseOut]


class RoleMemberOut(ApiModel):
    """Somebody in a role."""

    name: str
    display_name: str
    active: bool
    direct: bool = Field(description="its member; else by nesting alone")
    through: list[str] = Field(description="the roles inside it that they are a member of")
    until: dt.datetime | None = Field(description="when they are out of it by themselves")


class KeyBody(ApiModel):
    """A new key. It may do what both it and its user may. Your own, made in a browser's session, needs an end."""

    user: FullName | None = Field(None, description="whose; unset: your own")
    label: str = Field("", max_length=100)
    capabilities: list[Capability] = Field(default_factory=lambda: [Capability.ASK])
    expires_at: dt.datetime | None = None


class KeyPatch(ApiModel):
    """What changes of a key; what is left out stays. `expires_at` null: until it is revoked."""

    label: str = Field("", max_length=100)
    expires_at: dt.datetime | None = None


class KeyOut(ApiModel):
    """A key, without its secret."""

    id: uuid.UUID
    prefix: str
    user: str
    label: str
    capabilities: list[Capability]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None


class NewKeyOut(KeyOut):
    """The key itself: shown this once, kept nowhere."""

    secret: str


class SessionOut(ApiModel):
    """A browser that is signed in, without its secret. `current`: the one that asks."""

    id: uuid.UUID
    prefix: str
    user: str
    means: Literal["provider", "link", "passkey"]
    source: str | None
    address: str | None
    agent: str
    created_at: dt.datetime
    idle_until: dt.datetime
    expires_at: dt.datetime
    current: bool


class SignOutOut(ApiModel):
    """How many sessions were ended."""

    ended: int


class LinkBody(ApiModel):
    """A link that signs a person in once."""

    loopback: bool = Field(False, description="good only from the machine that the service runs on")


class NewLinkOut(ApiModel):
    """The link itself: shown this once, kept nowhere."""

    id: uuid.UUID
    prefix: str
    user: str
    expires_at: dt.datetime
    url: str


class PasskeyOptionsOut(ApiModel):
    """The options for `navigator.credentials.create`, in the JSON form of WebAuthn."""

    options: dict[str, Any]


class PasskeyBody(ApiModel):
    """What the browser answers: a credential in the JSON form of WebAuthn. `label`: the device, for its owner."""

    credential: dict[str, Any]
    label: str = Field("", max_length=100)


class PasskeyOut(ApiModel):
    """A passkey: what signs a person in, of which the service keeps the public half alone."""

    id: uuid.UUID
    user: str
    label: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None


class DelegationBody(ApiModel):
    """What you let a service do for you, and how long. It reads what you may read, and nothing else."""

    service: FullName
    expires_in: int = Field(ge=1, description="seconds; at most the setting api.delegation_seconds")
    capabilities: list[Literal["ask", "download"]] = Field(["ask"], min_length=1)


class DelegationOut(ApiModel):
    """A delegation, without its token."""

    id: uuid.UUID
    prefix: str
    person: str
    service: str
    capabilities: list[Capability]
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


class NewDelegationOut(DelegationOut):
    """The token itself: shown this once, kept nowhere. It works beside a key of that service alone."""

    secret: str
