"""Settings of directories, `CLEARANCE_LDAP__…`: read by the process that fetches them alone, and not by the API."""

import ipaddress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from app.settings import (
    FROM_ENVIRONMENT,
    LOCAL_SOURCE,
    AuditSettings,
    DatabaseSettings,
    IdentitySettings,
    Section,
    SourceName,
)

PLAIN_FILTER = "(objectClass=person)"


class LdapSettings(Section):
    """One LDAP directory (OpenLDAP, Active Directory, 389-ds, …) whose people and groups are fetched."""

    source: SourceName = Field("ldap", description="the source of its people and roles; a service has to keep it")
    url: str = Field(description="ldaps://host, or ldap://host with start_tls; without TLS on this machine alone")
    start_tls: bool = Field(False, description="ldap:// becomes TLS before anything is said")
    ca_file: Path | None = Field(None, description="PEM file of the authorities that are believed; unset: the system's")
    bind_dn: str = Field("", description="who asks; may read people and groups and change nothing; empty: nobody")
    bind_password: SecretStr = Field(SecretStr(""), description="its password")
    people_base: str = Field(description="where people are, as in ou=people,dc=example,dc=com")
    people_filter: str = Field(PLAIN_FILTER, description="which entries there are people")
    id_attribute: str = Field(
        "entryUUID", description="what never changes of an entry; objectGUID for Active Directory"
    )
    name_attribute: str = Field("uid", description="their name; sAMAccountName for Active Directory")
    display_attribute: str = Field("displayName", description="full name; where it is missing, cn")
    disabled_attribute: str = Field("userAccountControl", description="the attribute that says who is switched off")
    disabled_values: str = Field(
        "bit:2", description="what says so: bit:2 as Active Directory does, `present`, or values with commas between"
    )
    groups_base: str = Field("", description="where groups are; empty: none are fetched, and roles stay as they are")
    groups_filter: str = Field(
        "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))",
        description="which entries there are groups",
    )
    group_name_attribute: str = Field("cn", description="their name")
    member_attributes: str = Field(
        "member,uniqueMember,memberUid",
        description="who is in them, with commas between; memberUid holds names, the others entries",
    )
    changed_attribute: str = Field(
        "modifyTimestamp",
        description="when an entry changed; whenChanged for Active Directory; empty: everything is read each time",
    )
    page_size: int = Field(500, ge=10, le=5_000, description="entries asked for at once")
    max_entries: int = Field(200_000, ge=1, description="a directory with more is not taken over")
    read_seconds: float = Field(600.0, gt=0, description="longest for a whole read")
    answer_seconds: int = Field(30, ge=1, le=600, description="longest for one answer")
    interval_seconds: float = Field(300.0, ge=1, description="between two looks at what changed")
    full_minutes: float = Field(
        60.0, gt=0, description="between two whole reads: only these see what is gone, and let roles count on"
    )
    fresh_hours: float = Field(
        24.0, gt=0, le=720, description="how long its roles count when it is not heard: past this they count as absent"
    )

    @field_validator("url")
    @classmethod
    def _is_directory(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            raise ValueError("an address of a directory begins with ldaps:// or ldap://")
        if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
            raise ValueError(
                "give the directory's host and port alone; bases, filters and names have their own settings"
            )
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.source == LOCAL_SOURCE:
            raise ValueError("'local' are the people made here; give the directory's source another name")
        if not (self.uses_tls or _is_loopback(self.host)):
            raise ValueError(
                "without TLS a password and who is who could be read on the way: use ldaps:// or start_tls"
            )
        if self.start_tls and self.url.startswith("ldaps:"):
            raise ValueError("start_tls is for ldap://; ldaps:// is TLS from the beginning")
        if bool(self.bind_dn) != bool(self.bind_password.get_secret_value()):
            raise ValueError("give bind_dn and bind_password together; a name without a password proves nothing")
        if 2 * self.full_minutes > 60 * self.fresh_hours:
            raise ValueError("full_minutes must be at most half of fresh_hours, or roles end between two whole reads")
        return self

    @property
    def host(self) -> str:
        """The directory's host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The directory's port."""
        return urlsplit(self.url).port or (636 if self.url.startswith("ldaps:") else 389)

    @property
    def uses_tls(self) -> bool:
        """Whether everything is said under TLS."""
        return self.start_tls or self.url.startswith("ldaps:")

    def members(self) -> tuple[str, ...]:
        """The attributes that say who is in a group."""
        return tuple(name.strip() for name in self.member_attributes.split(",") if name.strip())


class DirectorySettings(BaseSettings):
    """What the process that fetches directories reads: no model, no key of the index."""

    model_config = FROM_ENVIRONMENT

    database: DatabaseSettings
    identity: IdentitySettings
    audit: AuditSettings
    ldap: LdapSettings


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
