"""How long to take over a company's people: `python -m benchmarks.provisioning.people`.

3,000 people with ten roles each, from a list over the HTTP service and from an LDAP server (the machine's slapd);
then a thousand people get a role. Says when the next request sees it, and that nothing of any passage was written.
PostgreSQL is a server of its own with normal durability.
"""

import argparse
import contextlib
import datetime as dt
import random
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.acl.rules import OwnRule
from app.audit.encryption import Sealer
from app.client.api import Client, File
from app.directories.ldap import LdapDirectory
from app.directories.settings import LdapSettings
from app.directories.sync import DirectorySync, SyncBounds
from app.identity.directory import add_service
from app.identity.subject import Capability
from app.local.postgres import free_port
from benchmarks.machine import load
from benchmarks.tables import show
from benchmarks.world import AUDIT_KEY, Db, Document, World, allow, api_process, database, indexed, prose, server

ROLES, EACH, MEMBERS = 100, 10, 1_000
PASSAGES = ("chunk", "vector_row", "posting")
BASE = "dc=corp,dc=example"
ROOT, PASSWORD = f"cn=root,{BASE}", "of-the-benchmark"
CONFIGURATION = f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{BASE}"
rootdn "{ROOT}"
rootpw {PASSWORD}
maxsize 1073741824
index objectClass eq
"""
Row = tuple[str, str, str]


def written(db: Db) -> dict[str, int]:
    """How many rows of passages were ever written, by table."""
    with db.admin() as connection:
        connection.execute("select pg_stat_force_next_flush()")
        rows = connection.execute(
            "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables where relname = any (%s)",
            [list(PASSAGES)],
        ).fetchall()
    return dict(rows)


def fill(world: World, documents: int) -> str:
    """Roles with documents each, and one role whose only document nobody reads; an administrator's key."""
    rng = random.Random(1)
    collection = world.collection("library", OwnRule(inherits=False))
    roles = [world.role(f"role-{n}") for n in range(ROLES)]
    scopes = [world.scope(collection, allow(role)) for role in [*roles, world.role("news")]]
    books = [
        Document(f"{n}.md", collection, scopes[n % ROLES], indexed([prose(rng)], f"Book {n}")) for n in range(documents)
    ]
    world.documents([*books, Document("news.md", collection, scopes[-1], indexed([prose(rng)], "News"))])
    may = [Capability.ASK, Capability.ADMINISTER]
    key = world.key(world.person("boss", may=may), may)
    with world.session() as session:
        add_service(session, name="sync", display_name="", allowed=[Capability.PROVISION], provisions="corp")
    world.settle()
    return key


def roles_of(number: int) -> list[int]:
    return [(number * 7 + step * 11) % ROLES for step in range(EACH)]


def timed(name: str, call: Any, rows: list[Row], what: str = "") -> Any:
    began = time.perf_counter()
    result = call()
    rows.append((name, f"{time.perf_counter() - began:.2f} s", what))
    return result


def by_list(client: Client, people: int, rows: list[Row]) -> None:
    """The same list three times: looked at, applied, and looked at again."""
    lines = (f"p{n},Person {n},{';'.join(f'role-{role}' for role in roles_of(n))}\n" for n in range(people))
    file = File("people.csv", ("name,display_name,roles\n" + "".join(lines)).encode())
    seen = timed("list, looked at", lambda: client.upload("/users/import", file, {}), rows, f"{people} people")
    order = {"fingerprint": seen["fingerprint"]}
    done = timed("list, applied", lambda: client.upload("/users/import", file, order), rows)
    again = timed("the same list again", lambda: client.upload("/users/import", file, {}), rows)
    rows.append(("joined by the list", "", str(sum(len(person["joins"]) for person in done["people"]))))
    assert again["people"] == []


def by_group(db: Db, client: Client, url: str, world: World, rows: list[Row]) -> None:
    """A thousand people get a role that opens a document: the next request of one of them sees it."""
    with db.admin() as connection:
        [(member,)] = connection.execute("select id from app_user where name = 'p7'").fetchall()
    key = world.key(uuid.UUID(str(member)))
    before = written(db)
    lines = (f"p{n},{';'.join(f'role-{role}' for role in roles_of(n))};news\n" for n in range(MEMBERS))
    file = File("people.csv", ("name,roles\n" + "".join(lines)).encode())
    with Client(url, key) as one:
        had = sum(1 for _ in one.pages("/documents"))
        seen = client.upload("/users/import", file, {})
        order = {"fingerprint": seen["fingerprint"]}
        timed(f"{MEMBERS} get a role", lambda: client.upload("/users/import", file, order), rows)
        found = timed("the next request", lambda: list(one.pages("/documents")), rows)
    rows.append(("documents of one of them", "", f"{had} before, {len(found)} after"))
    rows.append(("rows of passages written", "", str(sum(written(db).values()) - sum(before.values()))))


@contextlib.contextmanager
def directory(people: int) -> Iterator[LdapSettings]:
    """slapd with these people and groups."""
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), free_port()
        (folder / "data").mkdir()
        file = folder / "slapd.conf"
        file.write_text(f"{CONFIGURATION}directory {folder}/data\n")
        subprocess.run(["slapadd", "-q", "-f", str(file)], input="\n".join(entries(people)).encode(), check=True)
        url = f"ldap://127.0.0.1:{port}"
        running = subprocess.Popen(["slapd", "-f", str(file), "-h", url, "-d", "0"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            yield LdapSettings.model_validate(
                {
                    "source": "corp", "url": url, "bind_dn": ROOT, "bind_password": PASSWORD,
                    "people_base": f"ou=people,{BASE}", "groups_base": f"ou=groups,{BASE}",
                }
            )  # fmt: skip
        finally:
            running.terminate()
            running.wait(10)


def entries(people: int) -> Iterator[str]:
    yield f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: corp\no: Corp\n"
    yield from (f"dn: ou={ou},{BASE}\nobjectClass: organizationalUnit\nou: {ou}\n" for ou in ("people", "groups"))
    members: dict[int, list[str]] = {role: [] for role in range(ROLES)}
    for n in range(people):
        dn = f"uid=d{n},ou=people,{BASE}"
        yield f"dn: {dn}\nobjectClass: inetOrgPerson\nuid: d{n}\ncn: Person {n}\nsn: {n}\n"
        for role in roles_of(n):
            members[role].append(dn)
    for role, dns in members.items():
        lines = "".join(f"member: {dn}\n" for dn in dns)
        yield f"dn: cn=group-{role},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: group-{role}\n{lines}"


def by_directory(db: Db, people: int, rows: list[Row]) -> None:
    """The first sync, and one that changes nothing."""
    bounds = SyncBounds(dt.timedelta(hours=24), full=dt.timedelta(hours=1))
    with directory(people) as settings:
        source = LdapDirectory(settings)
        sync = DirectorySync(db.api(), Sealer(bytes.fromhex(AUDIT_KEY)), source, source=settings.source, bounds=bounds)
        timed("LDAP, read alone", source.read, rows)
        first = timed("LDAP, first sync", sync.run, rows, f"{people} people")
        rows.append(("joined by LDAP", "", str(len(first.difference.joins))))
        timed("LDAP, what changed: nothing", sync.run, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--documents", type=int, default=2_000)
    given = parser.parse_args()
    rows: list[Row] = []
    with server() as running:
        db = database(running)
        world = World(db)
        key = fill(world, given.documents)
        with api_process(db) as (url, _), Client(url, key) as client:
            by_list(client, given.people, rows)
            by_group(db, client, url, World(db), rows)
        by_directory(db, given.people, rows)
    title = f"{given.people} people with {EACH} roles each, {given.documents} documents; {load()}"
    show(title, ("step", "time", ""), rows, left=1)


if __name__ == "__main__":
    main()
