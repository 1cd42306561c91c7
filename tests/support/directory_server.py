"""A real LDAP server (OpenLDAP's slapd) on a loopback port, with its data in a temporary folder."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.directories.settings import LdapSettings
from tests.support.environment import free_port, real_part_missing
from tests.support.waiting import wait_for

BASE = "dc=corp,dc=example"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root-of-the-tests"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "pass-of-the-reader"
# More than this in one answer is refused, so that who does not ask in pages gets nothing.
MAX_ANSWER = 500

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
{tls}
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
maxsize 268435456
dbnosync
index objectClass,entryUUID eq
limits dn.exact="{reader}" size.soft={size} size.hard={size} size.pr={size} size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""
TREE = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: corp
o: Corp

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_PASSWORD}

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups
"""


def person_ldif(uid: str, *, cn: str | None = None, rdn: str | None = None, **more: str) -> str:
    """An entry of a person."""
    lines = [f"dn: {rdn or f'uid={uid}'},{PEOPLE}", "objectClass: inetOrgPerson", f"uid: {uid}", f"cn: {cn or uid}"]
    lines += [f"sn: {uid}", *(f"{name}: {value}" for name, value in more.items())]
    return "\n".join(lines) + "\n"


def person_dn(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"


def group_dn(name: str) -> str:
    return f"cn={name},{GROUPS}"


def group_ldif(name: str, *members: str) -> str:
    """An entry of a group with these DNs; one without members has the empty one, as its class demands some."""
    lines = [f"dn: {group_dn(name)}", "objectClass: groupOfNames", f"cn: {name}"]
    return "\n".join([*lines, *(f"member: {member}" for member in members or ("",))]) + "\n"


@dataclass
class DirectoryServer:
    """A server that can be filled, changed, stopped and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    tls: Path | None = None
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def settings(self, **more: Any) -> LdapSettings:
        """Settings that read it."""
        given: dict[str, Any] = {
            "source": "corp",
            "url": self.url,
            "bind_dn": READER,
            "bind_password": READER_PASSWORD,
            "people_base": PEOPLE,
            "people_filter": "(objectClass=inetOrgPerson)",
            "groups_base": GROUPS,
            "answer_seconds": 10,
            **more,
        }
        return LdapSettings.model_validate(given)

    def fill(self, entries: Sequence[str]) -> None:
        """Put entries into a server that does not run."""
        self._run("slapadd", "-q", "-f", str(self._configuration), "-b", BASE, given="\n".join([TREE, *entries]))

    def change(self, ldif: str) -> None:
        """Change entries of the running server: `ldapmodify`."""
        self._run("ldapmodify", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, given=ldif)

    def add(self, *entries: str) -> None:
        """Add entries to the running server."""
        self._run("ldapadd", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, given="\n".join(entries))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        urls = f"{self.url}/ ldaps://127.0.0.1:{self.tls_port}/" if self.tls else f"{self.url}/"
        command = ["slapd", "-f", str(self._configuration), "-h", urls, "-d", "0"]
        with (self.folder / "slapd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self._answers, child=self._process, message=(self.folder / "slapd.log").read_text)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @property
    def _configuration(self) -> Path:
        return self.folder / "slapd.conf"

    def configure(self) -> None:
        """Write its configuration."""
        (self.folder / "data").mkdir()
        tls = f"TLSCertificateFile {self.tls}\nTLSCertificateKeyFile {self.tls}" if self.tls else ""
        self._configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder, base=BASE, root=ROOT, root_password=ROOT_PASSWORD, reader=READER, size=MAX_ANSWER,
                tls=tls,
            )
        )  # fmt: skip

    def _answers(self) -> bool:
        asked = ["ldapsearch", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, "-s", "base", "-b", BASE]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def _run(self, *command: str, given: str) -> None:
        ended = subprocess.run(command, input=given.encode(), capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr.decode()


@contextlib.contextmanager
def directory_server(folder: Path, entries: Sequence[str], *, tls: Path | None = None) -> Iterator[DirectoryServer]:
    """A server with these entries, running."""
    missing = [name for name in ("slapd", "slapadd", "ldapmodify", "ldapsearch") if shutil.which(name) is None]
    if missing:
        real_part_missing(f"{', '.join(missing)} not installed (Debian packages slapd, ldap-utils)")
    place = folder / f"slapd-{time.monotonic_ns()}"
    place.mkdir()
    server = DirectoryServer(place, tls=tls)
    server.configure()
    server.fill(entries)
    try:
        server.start()
        yield server
    finally:
        server.stop()
