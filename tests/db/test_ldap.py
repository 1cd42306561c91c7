"""People and groups of a real LDAP server: nothing is missed, nobody is taken for another, and silence ends access."""

import datetime as dt
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.acl.rules import Grant
from app.audit.encryption import Sealer
from app.db.session import Database
from app.db.tables.people import User
from app.directories.ldap import DirectoryUnreadable, LdapDirectory
from app.directories.settings import LdapSettings
from app.directories.sync import DirectorySync, NobodyKeepsSource, SyncBounds
from app.errors import Conflict
from app.identity.directory import add_person, add_role
from app.identity.subject import Capability, Label, Principal
from tests.support.certificates import certified, written
from tests.support.cluster import AUDIT_KEY
from tests.support.directory_server import (
    BASE,
    GROUPS,
    MAX_ANSWER,
    PEOPLE,
    READER_PASSWORD,
    DirectoryServer,
    directory_server,
    group_dn,
    group_ldif,
    person_dn,
    person_ldif,
)
from tests.support.library_db import LibraryDb, counts
from tests.support.provisioners import Directory, make_directory, user_id

pytestmark = pytest.mark.real

BOUND = dt.timedelta(hours=24)
ENTRIES = [
    person_ldif("freya", displayName="Freya Stone"),
    person_ldif("gus"),
    person_ldif("hedy"),
    person_ldif("ivo", employeeType="off"),
    group_ldif("staff", person_dn("freya"), group_dn("board"), "uid=nobody,ou=elsewhere"),
    group_ldif("board", person_dn("hedy"), group_dn("chairs")),
    group_ldif("chairs", person_dn("gus")),
]


OFF = {"disabled_attribute": "employeeType", "disabled_values": "off"}


@dataclass
class Site:
    """A directory server, the source that it keeps here, and the sync between them."""

    server: DirectoryServer
    corp: Directory
    sync: DirectorySync

    def again(self, **settings: object) -> DirectorySync:
        """A sync that has read nothing yet, as after a restart of its process."""
        return syncing(self.corp.database, self.server.settings(**{**OFF, **settings}))


def syncing(database: Database, settings: LdapSettings, *, bound: dt.timedelta = BOUND) -> DirectorySync:
    sealer = Sealer(bytes.fromhex(AUDIT_KEY))
    bounds = SyncBounds(bound, full=dt.timedelta(hours=1))
    return DirectorySync(database, sealer, LdapDirectory(settings), source=settings.source, bounds=bounds)


@pytest.fixture
def site(library: LibraryDb, database: Database, tmp_path: Path) -> Iterator[Site]:
    with directory_server(tmp_path, ENTRIES) as server:
        corp = make_directory(library, database)
        yield Site(server, corp, syncing(database, server.settings(**OFF)))


def state(site: Site) -> tuple[object, ...]:
    return site.corp.rows("select people, groups, last_error, fresh_until from directory_state")[0]


def reads(library: LibraryDb, database: Database, user: uuid.UUID) -> int:
    """How many documents this person sees, by the database's own word."""
    with database.reading(user) as session:
        return counts(session, ["document"])["document"]


def document_for(library: LibraryDb, role: str, source: str = "corp") -> None:
    """A document that this role alone may read."""
    found = library.text(f"select id from role where name = '{role}' and source = '{source}'")
    grant = Grant("allow", Principal("role", uuid.UUID(found)))
    library.document(library.collection(f"of-{role}", grant), "a.md", "the alder note")


def test_people_groups_and_groups_in_groups(site: Site, library: LibraryDb, database: Database) -> None:
    site.sync.run()
    assert site.corp.people() == {"freya": True, "gus": True, "hedy": True}
    assert site.corp.members() == {"staff": {"freya"}, "board": {"hedy"}, "chairs": {"gus"}}
    assert site.corp.rows("select display_name from app_user where name = 'freya'") == [("Freya Stone",)]
    document_for(library, "staff")
    assert [reads(library, database, user_id(site.corp, name)) for name in ("freya", "hedy", "gus")] == [1, 1, 1]
    people, groups, error, until = state(site)
    assert (people, groups, error) == (3, 3, None)
    assert isinstance(until, dt.datetime)


def test_a_second_look_writes_nothing_but_when_it_was(site: Site) -> None:
    site.sync.run()
    before = site.corp.records(), site.corp.rows("select number from policy_epoch")
    assert site.sync.run().difference.is_empty
    assert site.again().run().difference.people == ()
    assert (site.corp.records()[: len(before[0])], len(site.corp.records())) == (before[0], len(before[0]))
    assert site.corp.rows("select number from policy_epoch") == before[1]


def test_five_thousand_people_in_pages(library: LibraryDb, database: Database, tmp_path: Path) -> None:
    """Ten times what the server gives in one answer."""
    number = 10 * MAX_ANSWER
    entries = [person_ldif(f"p{n}") for n in range(number)]
    staff = group_ldif("staff", *(person_dn(f"p{n}") for n in range(number)))
    corp = make_directory(library, database)
    with directory_server(tmp_path, [*entries, staff]) as server:
        synced = syncing(database, server.settings()).run()
        assert (len(synced.difference.made), len(synced.difference.joins)) == (number, number)
        assert corp.rows("select count(*) from membership") == [(number,)]
        for few in ({"page_size": 1000}, {"max_entries": number - 1}):
            with pytest.raises(DirectoryUnreadable):
                LdapDirectory(server.settings(**few)).read()


def test_who_is_renamed_is_who_they_were(site: Site) -> None:
    site.sync.run()
    freya, staff = user_id(site.corp, "freya"), site.corp.rows("select id from role where name = 'staff'")
    site.server.change(
        f"dn: {person_dn('freya')}\nchangetype: modrdn\nnewrdn: uid=freya.moss\ndeleteoldrdn: 1\n\n"
        f"dn: {group_dn('staff')}\nchangetype: modrdn\nnewrdn: cn=Crew (all)\ndeleteoldrdn: 1\n\n"
        f"dn: cn=Crew (all),{GROUPS}\nchangetype: modify\nadd: member\nmember: {person_dn('freya.moss')}\n"
    )
    synced = site.sync.run()
    assert not synced.difference.made
    assert user_id(site.corp, "freya.moss") == freya
    assert site.corp.rows("select id from role where name = 'crew-all'") == staff
    assert site.corp.members()["crew-all"] == {"freya.moss"}


def test_who_goes_from_one_group_to_another(site: Site, library: LibraryDb, database: Database) -> None:
    site.sync.run()
    document_for(library, "board")
    freya = user_id(site.corp, "freya")
    assert reads(library, database, freya) == 0
    site.server.change(
        f"dn: {group_dn('staff')}\nchangetype: modify\ndelete: member\nmember: {person_dn('freya')}\n\n"
        f"dn: {group_dn('board')}\nchangetype: modify\nadd: member\nmember: {person_dn('freya')}\n"
    )
    site.sync.run()
    assert site.corp.members() == {"board": {"freya", "hedy"}, "chairs": {"gus"}}
    assert reads(library, database, freya) == 1


def test_who_is_deleted_is_seen_by_a_whole_read(site: Site) -> None:
    """A read of changes sees only the group that lost them."""
    site.sync.run()
    site.server.change(
        f"dn: {person_dn('gus')}\nchangetype: delete\n\ndn: {group_dn('chairs')}\nchangetype: delete\n\n"
        f"dn: {group_dn('board')}\nchangetype: modify\ndelete: member\nmember: {group_dn('chairs')}\n"
    )
    site.sync.run()
    assert site.corp.people()["gus"]
    synced = site.again().run()
    assert [person.name for person in synced.difference.switched_off] == ["gus"]
    assert site.corp.members() == {"staff": {"freya"}, "board": {"hedy"}}
    site.server.add(person_ldif("gus"))
    site.again().run()
    assert site.corp.people() == {"freya": True, "gus": False, "hedy": True, "gus-2": True}


def test_a_circle_of_groups_is_left_out(site: Site) -> None:
    site.server.change(f"dn: {group_dn('chairs')}\nchangetype: modify\nadd: member\nmember: {group_dn('staff')}\n")
    synced = site.sync.run()
    assert len(synced.difference.nests) == 2
    assert "circle" in " ".join(synced.difference.notes)


def test_who_is_disabled_is_off_and_was_never_made(site: Site) -> None:
    site.sync.run()
    assert "ivo" not in site.corp.people()
    off = f"dn: {person_dn('freya')}\nchangetype: modify\nreplace: employeeType\nemployeeType: OFF\n"
    site.server.change(off)
    site.sync.run()
    assert site.corp.people()["freya"] is False
    assert "staff" not in site.corp.members()
    site.server.change(off.replace("OFF", "full"))
    site.sync.run()
    assert site.corp.people()["freya"] is True


def test_a_dead_server_is_shown_and_access_ends_at_the_bound(
    site: Site, library: LibraryDb, database: Database
) -> None:
    site.sync.run()
    document_for(library, "staff")
    freya = user_id(site.corp, "freya")
    site.server.stop()
    with pytest.raises(DirectoryUnreadable, match="no answer"):
        site.sync.run()
    people, _, error, _ = state(site)
    assert (people, "no answer" in str(error)) == (3, True)
    assert reads(library, database, freya) == 1
    library.run("owner", "update membership set ends_at = now() - interval '1 second' where ends_at is not null")
    assert reads(library, database, freya) == 0
    with pytest.raises(DirectoryUnreadable):
        site.sync.run()
    assert reads(library, database, freya) == 0
    library.run("owner", "update directory_state set fresh_until = now() - interval '1 second'")
    site.server.start()
    site.sync.run()
    assert (reads(library, database, freya), state(site)[2]) == (1, None)


def test_a_short_bound_ends_by_itself(site: Site, library: LibraryDb, database: Database) -> None:
    """Nobody does anything: the clock alone."""
    syncing(database, site.server.settings(), bound=dt.timedelta(seconds=1)).run()
    document_for(library, "staff")
    freya = user_id(site.corp, "freya")
    library.run("owner", "select pg_sleep_until(max(ends_at)) from membership")
    assert reads(library, database, freya) == 0


def test_a_read_of_changes_never_lets_roles_count_on(site: Site, library: LibraryDb) -> None:
    site.sync.run()
    library.run("owner", "update directory_state set fresh_until = now() + interval '1 hour'")
    library.run("owner", "update membership set ends_at = now() + interval '1 hour'")
    before = site.corp.rows("select distinct ends_at from membership")
    assert not site.sync.run().confirmed
    assert site.corp.rows("select distinct ends_at from membership") == before
    assert site.again().run().confirmed
    assert site.corp.rows("select distinct ends_at from membership") != before


@pytest.mark.parametrize("filters", [{"people_filter": "(uid=none)"}, {"groups_filter": "(cn=none)"}])
def test_a_server_that_returns_nothing_is_not_believed(site: Site, filters: dict[str, str]) -> None:
    site.sync.run()
    people, members = site.corp.people(), site.corp.members()
    with pytest.raises(Conflict, match="3 of 3"):
        site.again(**filters).run()
    assert (site.corp.people(), site.corp.members()) == (people, members)
    assert "more than a fifth" in str(state(site)[2])
    site.again(**filters).run(allow_large_removal=True)
    assert site.corp.members() == {}


def test_a_base_that_is_not_there_is_no_empty_directory(site: Site) -> None:
    with pytest.raises(DirectoryUnreadable, match="noSuchObject"):
        site.again(people_base=f"ou=gone,{BASE}").run()
    with pytest.raises(DirectoryUnreadable, match="none of 4 people has 'employeeNumber'"):
        site.again(id_attribute="employeeNumber").run()


NASTY = r"*)(uid=*))(|(uid=*"


def test_signs_with_a_meaning_are_only_signs(library: LibraryDb, database: Database, tmp_path: Path) -> None:
    """In names, in groups' names, and in the names of entries, which groups repeat in another form."""
    entries = [
        person_ldif("freya", rdn=r"cn=Stone\, Freya \+ \"co\"", cn='Stone, Freya + "co"', displayName="=cmd|'/c'!A0"),
        person_ldif(NASTY, rdn="cn=star"),
        person_ldif("gus", rdn="cn=gus", displayName="\N{RIGHT-TO-LEFT OVERRIDE}Gus"),
        group_ldif("a*", rf"cn=STONE\2C freya \2B \22co\22,{PEOPLE.upper()}"),
        group_ldif("b)(", f"cn=star , {PEOPLE}"),
    ]
    corp = make_directory(library, database)
    with directory_server(tmp_path, entries) as server:
        sync = syncing(database, server.settings())
        sync.run()
        assert corp.people() == {"freya": True, "uid-uid": True, "gus": True}
        assert corp.members() == {"a": {"freya"}, "b": {"uid-uid"}}
        assert corp.rows("select display_name from app_user where name = 'gus'") == [("Gus",)]
        assert sync.run().difference.is_empty


def test_members_by_name_and_by_other_attributes(library: LibraryDb, database: Database, tmp_path: Path) -> None:
    """A name that two have means neither."""
    entries = [
        person_ldif("freya"),
        person_ldif("gus"),
        person_ldif("twice", rdn="cn=one"),
        person_ldif("twice", rdn="cn=two"),
        f"dn: {group_dn('posix')}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 1\nmemberUid: freya\n"
        "memberUid: twice\nmemberUid: *\n",
        f"dn: {group_dn('unique')}\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: {person_dn('gus')}\n",
    ]
    corp = make_directory(library, database)
    with directory_server(tmp_path, entries) as server:
        syncing(database, server.settings()).run()
    assert corp.members() == {"posix": {"freya"}, "unique": {"gus"}}


def test_a_local_person_or_role_of_the_same_name_is_never_merged(site: Site, library: LibraryDb) -> None:
    with library.session("owner") as session:
        freya = add_person(
            session, name="freya", display_name="", clearance=Label.RESTRICTED, allowed=[Capability.ADMINISTER]
        ).id
        add_role(session, "staff")
    site.sync.run()
    with library.session("owner") as session:
        assert session.get_one(User, freya).clearance == Label.RESTRICTED
    assert user_id(site.corp, "freya") != freya
    roles = site.corp.rows("select source from role where name = 'staff' order by source")
    assert roles == [("corp",), ("local",)]
    assert site.corp.rows(f"select count(*) from membership where user_id = '{freya}'") == [(0,)]


def test_referrals_are_not_followed(site: Site) -> None:
    """Where one points to is never asked, and below a base that is one there is nobody."""
    elsewhere = "ldap://127.0.0.1:1/ou=elsewhere"
    site.server.add(
        f"dn: ou=far,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: far\nref: {elsewhere}\n"
    )
    site.sync.run()
    assert set(site.corp.people()) == {"freya", "gus", "hedy"}
    with pytest.raises(DirectoryUnreadable, match="referral"):
        site.again(people_base=f"ou=far,{PEOPLE}").run()


def test_a_wrong_password_is_refused_and_never_said(
    site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "hunter2-of-the-tests"
    caplog.set_level(logging.DEBUG)
    settings = site.server.settings(bind_password=secret)
    with pytest.raises(DirectoryUnreadable, match="refuses bind_dn") as refused:
        syncing(site.corp.database, settings).run()
    said = [str(refused.value), repr(refused.value), repr(settings), str(state(site)), caplog.text, *capfd.readouterr()]
    assert not [text for text in said if secret in text or READER_PASSWORD in text]


def test_nobody_keeps_the_source(site: Site) -> None:
    with pytest.raises(NobodyKeepsSource, match="'other'"):
        site.again(source="other").run()


def test_what_is_foreseen_is_not_written(site: Site) -> None:
    foreseen = site.sync.foresee()
    assert len(foreseen.difference.made) == 3
    assert site.corp.people() == {}
    assert site.corp.records() == []


# --- TLS.


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[tuple[DirectoryServer, Path, Path]]:
    """A server with the certificate of localhost, its authority's file, and another authority's."""
    authority, other = certified(), certified()
    host = certified(issuer=authority, host="localhost")
    ours = written(tmp_path / "authority.pem", authority.pem)
    theirs = written(tmp_path / "other.pem", other.pem)
    with directory_server(tmp_path, ENTRIES, tls=written(tmp_path / "server.pem", host.pem)) as server:
        yield server, ours, theirs


def test_tls_is_verified(trusted: tuple[DirectoryServer, Path, Path]) -> None:
    server, ours, theirs = trusted
    ldaps, start = f"ldaps://localhost:{server.tls_port}", f"ldap://localhost:{server.port}"
    for url in ({"url": ldaps}, {"url": start, "start_tls": True}):
        assert len(LdapDirectory(server.settings(ca_file=ours, **url)).read().people) == 4
        for ca_file in (theirs, None):
            with pytest.raises(DirectoryUnreadable, match="is not believed"):
                LdapDirectory(server.settings(ca_file=ca_file, **url)).read()
        elsewhere = {**url, "url": url["url"].replace("localhost", "127.0.0.1")}  # type: ignore[attr-defined]  # a text
        with pytest.raises(DirectoryUnreadable, match="another host's"):
            LdapDirectory(server.settings(ca_file=ours, **elsewhere)).read()


def test_a_server_without_tls_is_not_asked_in_the_clear(site: Site) -> None:
    with pytest.raises(DirectoryUnreadable):
        site.again(start_tls=True).run()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ldap://ldap.corp.example"}, "without TLS"),
        ({"url": "http://127.0.0.1"}, "begins with ldaps"),
        ({"url": "ldaps://x/ou=people"}, "host and port alone"),
        ({"url": "ldaps://who:secret-word@x"}, "host and port alone"),
        ({"url": "ldaps://x", "start_tls": True}, "TLS from the beginning"),
        ({"bind_password": ""}, "together"),
        ({"bind_dn": "", "bind_password": "secret-word"}, "together"),
        ({"source": "local"}, "another name"),
        ({"fresh_hours": 1, "full_minutes": 31}, "at most half"),
    ],
)
def test_unsafe_settings_are_refused(given: dict[str, object], said: str) -> None:
    good = {"url": "ldaps://x", "people_base": "ou=p", "bind_dn": "cn=r", "bind_password": "secret-word"}
    LdapSettings.model_validate(good)
    with pytest.raises(ValidationError, match=said) as refused:
        LdapSettings.model_validate(good | given)
    assert "secret-word" not in "".join(error["msg"] for error in refused.value.errors())
