"""A source's people and groups written as a whole: what changes, what stays, and that nothing is written twice."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import text

from app.admin.people_difference import PeopleDifference
from app.admin.people_sync import apply_difference
from app.admin.provisioning import remove_person
from app.admin.source_state import PersonRow
from app.audit.encryption import Sealer
from app.db.session import Database
from app.db.tables.people import User
from app.errors import BeyondReach, Conflict
from app.identity.directory import add_person, add_role, add_service
from app.identity.nesting import roles_of
from app.identity.subject import Capability, Label
from tests.support.cluster import AUDIT_KEY
from tests.support.library_db import LibraryDb
from tests.support.provisioners import BOUND, Directory, group, make_directory, person, user_id

PEOPLE = [person("freya"), person("gus"), person("hedy")]
GROUPS = [group("staff", "freya", "gus", inner=["board"]), group("board", "hedy")]


@pytest.fixture
def corp(library: LibraryDb, database: Database) -> Directory:
    return make_directory(library, database)


def test_a_directory_is_written_as_a_whole_with_a_record_a_change(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    assert corp.people() == {"freya": True, "gus": True, "hedy": True}
    assert corp.members() == {"staff": {"freya", "gus"}, "board": {"hedy"}}
    kinds = corp.records()
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "user.made": 3,
        "role.made": 2,
        "role.changed": 1,
        "role.joined": 3,
    }
    hedy = user_id(corp, "hedy")
    with corp.library.session("owner") as session:
        assert len(roles_of(session, hedy)) == 2
        assert session.get_one(User, hedy).capabilities == ["ask"]
    assert corp.rows("select count(*) from person_key")[0][0] == 3
    [(until,)] = corp.rows("select distinct ends_at from membership")
    assert abs(until - dt.datetime.now(dt.UTC) - BOUND) < dt.timedelta(minutes=1)


def test_the_second_run_writes_no_row_and_no_record(corp: Directory) -> None:
    until = corp.sync(PEOPLE, GROUPS).until
    before = corp.records(), corp.rows("select number from policy_epoch")
    again = corp.sync(PEOPLE, GROUPS, held_until=until)
    assert again.difference.is_empty
    assert not again.confirmed
    assert (corp.records(), corp.rows("select number from policy_epoch")) == before


def test_who_is_renamed_moved_or_gone(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    freya, staff = user_id(corp, "freya"), corp.rows("select id from role where name = 'staff'")
    groups = [group("crew", "freya", key="g-staff"), group("board", "freya", key="g-board")]
    corp.sync([person("freya.stone", key="id-freya"), person("gus", active=False)], groups)
    assert corp.people() == {"freya.stone": True, "gus": False, "hedy": False}
    assert corp.members() == {"crew": {"freya.stone"}, "board": {"freya.stone"}}
    assert user_id(corp, "freya.stone") == freya
    assert corp.rows("select id from role where name = 'crew'") == staff
    assert corp.rows("select count(*) from role_inside")[0][0] == 0
    corp.sync(PEOPLE, GROUPS)
    assert corp.people() == {"freya": True, "gus": True, "hedy": True}
    assert corp.members() == {"staff": {"freya", "gus"}, "board": {"hedy"}}
    assert user_id(corp, "freya") == freya


def test_a_group_that_is_gone_is_empty_and_the_same_when_it_is_back(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    board = corp.rows("select id from role where name = 'board'")
    corp.sync(PEOPLE, [group("staff", "freya", "gus")])
    assert corp.members() == {"staff": {"freya", "gus"}}
    corp.sync(PEOPLE, GROUPS)
    assert corp.members()["board"] == {"hedy"}
    assert corp.rows("select id from role where name = 'board'") == board


def test_switching_off_ends_keys_at_once(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    gus = user_id(corp, "gus")
    corp.library.run(
        "owner",
        "insert into api_key (prefix, hash, user_id, capabilities) values ('clr_g', 'x', :gus, '{ask}')",
        gus=gus,
    )
    corp.sync([person("freya"), person("hedy")], GROUPS)
    assert corp.rows("select revoked_at is not null from api_key where prefix = 'clr_g'") == [(True,)]


def test_who_is_held_stays_off_and_who_is_gone_for_good_stays_gone(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    corp.library.run("owner", "update app_user set active = false, held = true where name = 'gus'")
    with corp.writing() as session:
        remove_person(session, corp.subject, session.get_one(User, user_id(corp, "hedy")))
    synced = corp.sync(PEOPLE, GROUPS)
    assert "gus' stays off" in " ".join(synced.difference.notes)
    people = corp.people()
    assert (people["gus"], people["freya"], people["hedy"]) == (False, True, True)
    gone = [name for name in people if "~" in name]
    assert [people[name] for name in gone] == [False]  # and the hedy of today is somebody else
    assert corp.members() == {"staff": {"freya"}, "board": {"hedy"}}


def test_a_circle_is_left_out_and_said(corp: Directory) -> None:
    groups = [group("a", "freya", inner=["c"]), group("b", inner=["a"]), group("c", inner=["b"])]
    synced = corp.sync(PEOPLE, groups)
    assert len(synced.difference.nests) == 2
    assert [note for note in synced.difference.notes if "circle" in note]
    again = corp.sync(PEOPLE, groups, held_until=synced.until)
    assert again.difference.is_empty


def test_a_circle_through_somebody_elses_roles_is_left_out(corp: Directory) -> None:
    corp.sync(PEOPLE, [group("a"), group("b")])
    corp.library.run("owner", "insert into role (name) values ('local')")
    corp.library.run(
        "owner",
        "insert into role_inside select a.id, b.id from role a, role b"
        " where (a.name, b.name) in (('a', 'local'), ('local', 'b'))",
    )
    synced = corp.sync(PEOPLE, [group("a", inner=["b"]), group("b")])
    assert not synced.difference.nests
    assert "circle" in " ".join(synced.difference.notes)


def test_another_source_and_services_are_never_touched(corp: Directory, database: Database) -> None:
    other = make_directory(corp.library, database, "okta")
    other.sync([person("freya")], [group("staff", "freya")])
    with corp.library.session("owner") as session:
        add_person(session, name="freya", display_name="", clearance=Label.RESTRICTED, allowed=[Capability.ADMINISTER])
        add_role(session, "staff")
        add_service(session, name="bot", display_name="", allowed=[], source="corp")
    state = "select * from app_user where source <> 'corp' or kind = 'service' order by id"
    before = corp.rows(state), corp.rows("select * from role where source <> 'corp' order by id")
    corp.sync(PEOPLE, GROUPS)
    corp.sync([], [])
    assert (corp.rows(state), corp.rows("select * from role where source <> 'corp' order by id")) == before
    assert other.members() == {"staff": {"freya"}}
    with pytest.raises(BeyondReach):
        corp.sync(PEOPLE, GROUPS, source="okta")
    with pytest.raises(BeyondReach):
        corp.sync(PEOPLE, GROUPS, source="local")


def test_the_database_refuses_what_the_floor_might_forget(corp: Directory, database: Database) -> None:
    """Were a difference made wrongly: a local person changed by a source's service is an error, and nothing of it."""
    ada = corp.library.person("ada")
    before = PersonRow(ada, "local", "ada", "ada", None)
    wrong = PeopleDifference(people=((before, PersonRow(ada, "local", "ada", "Ada", None, active=False)),))
    with pytest.raises(BeyondReach, match="not yours"), corp.writing() as session:
        apply_difference(session, corp.subject, Sealer(bytes.fromhex(AUDIT_KEY)), wrong, ends_at=None)
    assert corp.rows("select active from app_user where name = 'ada'") == [(True,)]
    assert corp.records() == []


def test_all_or_nothing(corp: Directory) -> None:
    with pytest.raises(ZeroDivisionError), corp.writing() as session:
        session.execute(text("select 1"))
        people = PeopleDifference(people=((None, PersonRow(uuid.uuid4(), "corp", "x", "X", "id-x")),))
        apply_difference(session, corp.subject, Sealer(bytes.fromhex(AUDIT_KEY)), people, ends_at=None)
        raise ZeroDivisionError
    assert (corp.people(), corp.records()) == ({}, [])


def test_a_large_loss_is_refused_and_small_ones_are_not(corp: Directory) -> None:
    people = [person(f"p{n}") for n in range(20)]
    names = [p.name for p in people]
    groups = [group("staff", *names)]
    corp.sync(people, groups)
    for fewer, members in ((people[:15], names), ([], names), (people, [])):
        with pytest.raises(Conflict, match="more than a fifth"):
            corp.sync(fewer, [group("staff", *members)], allow_large_removal=False)
    assert len(corp.members()["staff"]) == 20
    corp.sync(people[:16], [group("staff", *names[:16])], allow_large_removal=False)
    assert sum(corp.people().values()) == 16


def test_a_directory_of_three_that_returns_nothing_is_refused(corp: Directory) -> None:
    corp.sync(PEOPLE, GROUPS)
    with pytest.raises(Conflict, match="3 of 3 people"):
        corp.sync([], [], allow_large_removal=False)
    corp.sync(PEOPLE[:2], [group("staff", "freya", "gus")], allow_large_removal=False)


def test_roles_end_at_the_bound_and_begin_anew_when_confirmed(corp: Directory) -> None:
    """Also what was given without an end: nothing of a source outlasts the source."""
    corp.sync(PEOPLE, GROUPS)
    hedy = user_id(corp, "hedy")
    with corp.library.session("owner") as session:
        assert roles_of(session, hedy)
    corp.library.run("owner", "update membership set ends_at = now() - interval '1 second'")
    with corp.library.session("owner") as session:
        assert not roles_of(session, hedy)
    joined = corp.records().count("role.joined")
    now = dt.datetime.now(dt.UTC)
    corp.sync(PEOPLE, GROUPS, held_until=now - dt.timedelta(seconds=1))
    assert corp.members() == {"staff": {"freya", "gus"}, "board": {"hedy"}}
    assert corp.records().count("role.joined") == joined + 3
    corp.library.run("owner", "update membership set ends_at = null")
    corp.sync(PEOPLE, GROUPS, held_until=now)
    assert corp.rows("select count(*) from membership where ends_at is null") == [(0,)]


def test_an_end_is_moved_when_less_than_half_is_left(corp: Directory) -> None:
    first = corp.sync(PEOPLE, GROUPS).until
    ends = corp.rows("select distinct ends_at from membership")
    assert not corp.sync(PEOPLE, GROUPS, held_until=first).confirmed
    assert corp.rows("select distinct ends_at from membership") == ends
    corp.library.run("owner", "update membership set ends_at = ends_at - interval '13 hours'")
    soon = first - dt.timedelta(hours=13)
    assert not corp.sync(PEOPLE, GROUPS, held_until=soon, confirms=False).confirmed
    again = corp.sync(PEOPLE, GROUPS, held_until=soon)
    assert again.confirmed
    assert corp.rows("select distinct ends_at from membership") == [(again.until,)]
    assert again.until > first


def test_names_that_are_taken_get_a_number_and_keep_it(corp: Directory) -> None:
    people = [person("Zoë", key="1"), person("zoe", key="2"), person("ZOE!", key="3")]
    corp.sync(people, [])
    assert set(corp.people()) == {"zoe", "zoe-2", "zoe-3"}
    assert corp.sync(people, []).difference.is_empty


def test_entries_without_an_id_or_with_one_that_is_taken_are_left_out(corp: Directory) -> None:
    synced = corp.sync([person("a", key="1"), person("b", key="1")], [])
    assert set(corp.people()) == {"a"}
    assert "'b' is left out" in synced.difference.notes[0]
