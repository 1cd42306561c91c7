"""Reads an LDAP directory: the only module that knows ldap3.

Everything is asked for in pages (RFC 2696) and within bounds of time and size; what is cut off is an error, never less.
Referrals are not followed, aliases not looked behind, and a certificate has to be believed and be that host's. What
goes into a filter are settings, and a time whose form was checked.
"""

import datetime as dt
import re
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import ldap3
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPException,
    LDAPInvalidCredentialsResult,
    LDAPOperationResult,
)
from ldap3.core.tls import Tls
from ldap3.utils.conv import escape_filter_chars

from app.directories.distinguished_names import normal_dn
from app.directories.settings import LdapSettings
from app.directories.snapshot import DirectoryGroup, DirectoryPerson, DirectorySnapshot

PAGES = "1.2.840.113556.1.4.319"
# How times are written (RFC 4517, GeneralizedTime in UTC).
STAMP = re.compile(r"(\d{14})([.,]\d+)?Z")
# Changes may become visible later than their time says, between servers of one directory too.
OVERLAP = dt.timedelta(minutes=2)
MAX_ID, MAX_DISPLAY = 255, 200
BIT = "bit:"
PRESENT = "present"
Attributes = Mapping[str, list[bytes]]


class DirectoryUnreadable(Exception):
    """A directory could not be read, or not as a whole. Its message holds no secret and no word of the server's."""


class VerifiedTls(Tls):  # type: ignore[misc]  # ldap3 has no types
    """TLS whose certificate has to be good for the host that was asked for, as Python itself checks it."""

    failed = False

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # as ldap3 calls it
        """Put TLS around the connection's socket."""
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            connection.socket = context.wrap_socket(
                connection.socket, do_handshake_on_connect=do_handshake, server_hostname=connection.server.host
            )
        except ssl.SSLError:
            self.failed = True
            raise


class LdapDirectory:
    """A directory that can be read as a whole, or what changed in it."""

    kind: ClassVar[str] = "ldap"

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._place = f"{settings.host}:{settings.port}"

    def read(self, since: str | None = None) -> DirectorySnapshot:
        """All people and groups; or those that changed `since` then, as an earlier snapshot's `changed` has it.

        Raises DirectoryUnreadable.
        """
        settings = self._settings
        ca_file = None if settings.ca_file is None else str(settings.ca_file)
        tls = VerifiedTls(ca_certs_file=ca_file, validate=ssl.CERT_REQUIRED) if settings.uses_tls else None
        try:
            return _DirectoryReading(settings, self._connect(tls)).snapshot(since)
        except LDAPException as error:
            raise DirectoryUnreadable(self._why(error, tls)) from None
        except OSError as error:
            raise DirectoryUnreadable(f"the connection to {self._place} broke: {type(error).__name__}") from None

    def _connect(self, tls: Tls | None) -> Any:
        settings = self._settings
        server = ldap3.Server(
            settings.host,
            port=settings.port,
            use_ssl=settings.url.startswith("ldaps:"),
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=settings.answer_seconds,
        )
        connection = ldap3.Connection(
            server,
            user=settings.bind_dn or None,
            password=settings.bind_password.get_secret_value() or None,
            authentication=ldap3.SIMPLE if settings.bind_dn else ldap3.ANONYMOUS,
            auto_referrals=False,
            auto_range=True,
            check_names=False,
            raise_exceptions=True,
            read_only=True,
            receive_timeout=settings.answer_seconds,
        )
        try:
            connection.open()
            if settings.start_tls and not connection.start_tls():
                raise DirectoryUnreadable(f"{self._place} does not begin TLS")
            connection.bind()
        except BaseException:
            if connection.socket is not None:
                connection.socket.close()  # ldap3 leaves it open where nobody answered
            raise
        return connection

    def _why(self, error: LDAPException, tls: VerifiedTls | None) -> str:
        """What went wrong, in our own words: a server's could hold anything."""
        if tls is not None and tls.failed:
            return f"the certificate of {self._place} is not believed, or is another host's; see ca_file"
        if isinstance(error, LDAPInvalidCredentialsResult | LDAPBindError):
            return f"{self._place} refuses bind_dn and bind_password"
        if isinstance(error, LDAPOperationResult):
            return f"{self._place} answers '{error.description}'"
        return f"no answer from {self._place}: {type(error).__name__}"


class _DirectoryReading:
    """One read over one connection, which it closes."""

    def __init__(self, settings: LdapSettings, connection: Any) -> None:
        self._settings = settings
        self._connection = connection
        self._deadline = time.monotonic() + settings.read_seconds
        self._entries = 0
        self._changed = ""

    def snapshot(self, since: str | None) -> DirectorySnapshot:
        settings = self._settings
        try:
            people = {
                person.external_id: person
                for dn, entry in self._search(settings.people_base, settings.people_filter, self._of_people(), since)
                if (person := self._person(dn, entry)) is not None
            }
            if since is None and self._entries and not people:
                raise DirectoryUnreadable(
                    f"none of {self._entries} people has '{settings.id_attribute}' and '{settings.name_attribute}'"
                )
            groups = self._groups(since) if settings.groups_base else None
        finally:
            self._connection.unbind()
        return DirectorySnapshot(people, groups, _earlier(self._changed))

    def _of_people(self) -> list[str]:
        settings = self._settings
        names = [settings.id_attribute, settings.name_attribute, settings.display_attribute, "cn"]
        return [name for name in (*names, settings.disabled_attribute, settings.changed_attribute) if name]

    def _groups(self, since: str | None) -> dict[str, DirectoryGroup]:
        settings = self._settings
        names = [settings.id_attribute, settings.group_name_attribute, *settings.members(), settings.changed_attribute]
        attributes = [name for name in names if name]
        found = (
            self._group(dn, entry)
            for dn, entry in self._search(settings.groups_base, settings.groups_filter, attributes, since)
        )
        return {group.external_id: group for group in found if group is not None}

    def _search(
        self, base: str, entries: str, attributes: list[str], since: str | None
    ) -> Iterator[tuple[str, Attributes]]:
        """All entries below a base, page by page. Raises DirectoryUnreadable where a bound is passed."""
        if since is not None:
            entries = f"(&{entries}({self._settings.changed_attribute}>={escape_filter_chars(since)}))"
        cookie: Any = None
        while cookie is None or cookie:
            self._connection.search(
                base,
                entries,
                search_scope=ldap3.SUBTREE,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=attributes,
                paged_size=self._settings.page_size,
                paged_cookie=cookie,
            )
            if self._connection.result["result"] != 0:  # of a referral too, which is no error to ldap3
                raise DirectoryUnreadable(f"the directory answers '{self._connection.result['description']}'")
            for response in self._connection.response:
                if response["type"] == "searchResEntry":
                    yield normal_dn(response["dn"]), self._attributes(response["raw_attributes"])
            page = (self._connection.result.get("controls") or {}).get(PAGES)
            cookie = page["value"]["cookie"] if page else b""
            if time.monotonic() > self._deadline:
                raise DirectoryUnreadable(f"a whole read took longer than {self._settings.read_seconds:g} s")

    def _attributes(self, raw: Mapping[str, list[bytes]]) -> Attributes:
        self._entries += 1
        if self._entries > self._settings.max_entries:
            raise DirectoryUnreadable(f"the directory has more than max_entries, {self._settings.max_entries}")
        entry = {name.lower(): values for name, values in raw.items()}
        if any(";range=" in name for name in entry):
            raise DirectoryUnreadable("the directory gave the members of a group only in part")
        stamp = _text(entry, self._settings.changed_attribute)
        if STAMP.fullmatch(stamp):
            self._changed = max(self._changed, stamp)
        return entry

    def _person(self, dn: str, entry: Attributes) -> DirectoryPerson | None:
        settings = self._settings
        external_id, name = _id(entry, settings.id_attribute), _text(entry, settings.name_attribute)
        if not external_id or not name:
            return None
        display = _text(entry, settings.display_attribute) or _text(entry, "cn") or name
        return DirectoryPerson(external_id, dn, name, display[:MAX_DISPLAY], not self._disabled(entry))

    def _disabled(self, entry: Attributes) -> bool:
        """Whether the entry is switched off; what cannot be read says so."""
        values = entry.get(self._settings.disabled_attribute.lower(), [])
        wanted = self._settings.disabled_values
        if not values or wanted == PRESENT:
            return bool(values)
        texts = [value.decode("utf-8", errors="replace").strip() for value in values]
        if wanted.startswith(BIT):
            return any(not re.fullmatch(r"-?\d{1,19}", text) or int(text) & int(wanted[len(BIT) :]) for text in texts)
        return bool({text.lower() for text in texts} & {value.strip().lower() for value in wanted.split(",")})

    def _group(self, dn: str, entry: Attributes) -> DirectoryGroup | None:
        settings = self._settings
        external_id, name = _id(entry, settings.id_attribute), _text(entry, settings.group_name_attribute)
        if not external_id or not name:
            return None
        members, names = set[str](), set[str]()
        for attribute in settings.members():
            values = [value.decode("utf-8", errors="replace") for value in entry.get(attribute.lower(), [])]
            if attribute.lower() == "memberuid":
                names.update(values)
            else:
                members.update(normal_dn(value) for value in values)
        return DirectoryGroup(external_id, dn, name, frozenset(members), frozenset(names))


def _text(entry: Attributes, attribute: str) -> str:
    """The first value of an attribute as one line; empty if it has none."""
    values = entry.get(attribute.lower(), [])
    text = values[0].decode("utf-8", errors="replace") if values else ""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _id(entry: Attributes, attribute: str) -> str:
    """An id as text; Active Directory's are 16 bytes. Empty for what is none."""
    values = entry.get(attribute.lower(), [])
    if len(values) != 1:
        return ""
    if attribute.lower() in {"objectguid", "ms-ds-consistencyguid"} and len(values[0]) == 16:
        return str(uuid.UUID(bytes_le=values[0]))
    text = _text(entry, attribute)
    return text if len(text) <= MAX_ID else ""


def _earlier(stamp: str) -> str | None:
    """A time from which on to look for what changed next."""
    found = STAMP.fullmatch(stamp)
    if found is None:
        return None
    moment = dt.datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC) - OVERLAP
    return f"{moment:%Y%m%d%H%M%S}{'.0Z' if found[2] else 'Z'}"
