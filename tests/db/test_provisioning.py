"""What the database holds a provisioning service to, whatever SQL it is made to send with its signed identity."""

import uuid
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import Database
from app.identity.directory import add_person, add_role, add_service
from app.identity.subject import Capability, Label
from tests.support.library_db import LibraryDb, check_refused, touched

World = dict[str, uuid.UUID]


@pytest.fixture
def world(library: LibraryDb) -> World:
    """The service of 'okta'; a person and a role of okta, of azure and of our own; who is held and who is gone."""
    found: World = {}
    with library.session("owner") as session:
        named: dict[str, Any] = {"name": "scim", "display_name": "", "allowed": [Capability.PROVISION]}
        found["service"] = add_service(session, **named, provisions="okta").id
        for source in ("okta", "azure", "local"):
            given: dict[str, Any] = {"clearance": Label.INTERNAL, "allowed": [Capability.ASK], "source": source}
            found[f"{source} person"] = add_person(session, name="kim", display_name="", **given).id
            found[f"{source} role"] = add_role(session, "sales", source=source).id
        for state in ("held", "gone"):
            given = {"clearance": Label.INTERNAL, "allowed": [Capability.ASK], "source": "okta"}
            found[state] = add_person(session, name=state, display_name="", **given).id
    library.run("owner", "update app_user set active = false, held = true where name = 'held'")
    library.run("owner", "update app_user set active = false, deleted_at = now() where name = 'gone'")
    for role in ("okta role", "azure role", "local role"):
        library.run("owner", "insert into membership values (:u, :r)", u=found["azure person"], r=found[role])
    return found


ADD_USER = (
    "insert into app_user (name, display_name, source, kind, clearance, capabilities, held)"
    " values ('new', '', '{source}', '{kind}', {clearance}, '{capabilities}', {held})"
)
USUAL = {"source": "okta", "kind": "person", "clearance": "1", "capabilities": "{ask}", "held": "false"}
ROW_LEVEL, STANDING = "row-level security", "a source changes neither"


@pytest.mark.parametrize(
    "changed",
    [
        {"source": "azure"},
        {"source": "local"},
        {"kind": "service", "capabilities": "{}"},
        {"clearance": "2"},
        {"capabilities": "{ask,download}"},
        {"capabilities": "{administer}"},
        {"held": "true"},
    ],
    ids=str,
)
def test_whom_it_may_make(world: World, library: LibraryDb, database: Database, changed: dict[str, str]) -> None:
    """People of its own source, cleared for 'internal', who may ask."""
    check_refused(database, world["service"], ROW_LEVEL, ADD_USER.format(**USUAL | changed))
    with database.dry_run(world["service"]) as session:
        assert touched(session, ADD_USER.format(**USUAL)) == 1


@pytest.mark.parametrize(
    ("person", "change"),
    [
        ("okta person", "clearance = 2"),
        ("okta person", "clearance = 0"),
        ("okta person", "capabilities = '{ask,audit}'"),
        ("okta person", "held = true"),
        ("held", "held = false"),
        ("held", "active = true"),
        ("gone", "active = true, deleted_at = null"),
        ("gone", "name = 'kim-again'"),
    ],
)
def test_what_it_may_not_change_of_its_own_people(world: World, database: Database, person: str, change: str) -> None:
    check_refused(
        database, world["service"], STANDING, f"update app_user set {change} where id = :id", id=world[person]
    )


@pytest.mark.parametrize("whose", ["azure", "local"])
def test_it_reaches_nobody_elses_rows(world: World, library: LibraryDb, database: Database, whose: str) -> None:
    """Rows that it may not change look as if they were not there; those that it may not make are refused."""
    person, role, service = world[f"{whose} person"], world[f"{whose} role"], world["service"]
    untouched = [
        ("update app_user set active = false, display_name = 'x' where id = :id", {"id": person}),
        ("update app_user set provisions = 'local' where id = :id", {"id": service}),
        ("delete from app_user where id = :id", {"id": person}),
        ("update role set name = 'x' where id = :id", {"id": role}),
        ("delete from role where id = :id", {"id": role}),
        ("delete from membership where role_id = :id", {"id": role}),
        ("update membership set ends_at = null where role_id = :id", {"id": role}),
        ("delete from membership where user_id = :id", {"id": world["azure person"]}),
        ("update api_key set revoked_at = now()", {}),
        ("delete from role_inside", {}),
    ]
    library.run("owner", "insert into role_inside values (:a, :b)", a=world["okta role"], b=role)
    library.run("owner", "insert into api_key (prefix, hash, user_id, capabilities) values ('p', 'h', :u, '{ask}')",
                u=person)  # fmt: skip
    with database.dry_run(service) as session:
        for statement, values in untouched:
            assert touched(session, statement, **values) == 0, statement
    refused: list[tuple[str, dict[str, Any]]] = [
        ("insert into role (name, source) values ('x', :source)", {"source": whose}),
        ("insert into membership values (:u, :r)", {"u": person, "r": world["okta role"]}),
        ("insert into membership values (:u, :r)", {"u": world["okta person"], "r": role}),
        ("insert into role_inside values (:u, :r)", {"u": world["okta role"], "r": world["held"]}),
        ("insert into role_inside values (:u, :r)", {"u": role, "r": world["okta role"]}),
        ("insert into sign_in_identity (issuer, subject, user_id) values ('i', 's', :u)", {"u": person}),
        ("insert into directory_profile (id, source, attributes) values (:u, 'okta', '{}')", {"u": person}),
        ("insert into directory_profile (id, source, attributes) values (:u, :source, '{}')",
         {"u": person, "source": whose}),
        ("insert into person_key (user_id, wrapped) values (:u, '')", {"u": person}),
        ("insert into api_key (prefix, hash, user_id, capabilities, expires_at)"
         " values ('q', 'q', :u, '{ask}', now())", {"u": world["okta person"]}),
        ("insert into steward values (:u, :r)", {"u": world["okta person"], "r": world["okta role"]}),
    ]  # fmt: skip
    for statement, values in refused:
        check_refused(database, service, "row-level security|permission denied", statement, **values)


def test_profiles_are_seen_by_their_own_service_alone(world: World, library: LibraryDb, database: Database) -> None:
    library.run("owner", "insert into directory_profile (id, source, attributes) values (:u, 'azure', '{}')",
                u=world["azure person"])  # fmt: skip
    with database.dry_run(world["service"]) as session:
        own = "insert into directory_profile (id, attributes) values (:u, '{}')"
        assert touched(session, own, u=world["okta person"]) == 1, "the source is the service's by itself"
        assert session.scalar(text("select count(*) from directory_profile")) == 1
        assert touched(session, "update directory_profile set version = 2") == 1
        assert touched(session, "delete from directory_profile where source = 'azure'") == 0
    for who in ("okta person", "local person"):
        with database.reading(world[who]) as session:
            assert session.scalar(text("select count(*) from directory_profile")) == 0
    boss = library.person("boss", may=[Capability.ADMINISTER])
    with database.reading(boss) as session:
        assert session.scalar(text("select count(*) from directory_profile")) == 1


def test_a_service_that_is_switched_off_or_lost_its_capability_reaches_nothing(
    world: World, library: LibraryDb, database: Database
) -> None:
    for loss in ("active = false", "capabilities = '{}'"):
        library.run("owner", f"update app_user set {loss} where name = 'scim'")
        check_refused(database, world["service"], ROW_LEVEL, ADD_USER.format(**USUAL))
        with database.dry_run(world["service"]) as session:
            assert touched(session, "update app_user set display_name = 'x'") == 0
        library.run("owner", "update app_user set active = true, capabilities = '{provision}' where name = 'scim'")
