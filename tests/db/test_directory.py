"""Who somebody is: id, source and kind. Same names from two sources never merge, and a service is nobody by itself.

What is revoked stays revoked, and no key lasts longer than an administrator says: in the database, whatever SQL the
service is made to send.
"""

import itertools
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from app.acl.rule_changes import role_ids
from app.acl.rules import Grant
from app.admin.roles import add_member
from app.db.session import Database
from app.db.tables.people import Role, User
from app.errors import Conflict, InvalidInput, NotFound, UnknownRole
from app.identity.directory import add_person, add_role, add_service
from app.identity.full_names import full_names
from app.identity.names import find_person, find_role, find_user, known_roles, parse_name, person_ids
from app.identity.subject import EVERYONE, FOR_PEOPLE, Capability, Label
from tests.support.library_db import LibraryDb, check_refused, counts, touched


def role(library: LibraryDb, name: str, source: str) -> uuid.UUID:
    with library.session("owner") as session:
        return add_role(session, name, source=source).id


def person(library: LibraryDb, name: str, source: str) -> uuid.UUID:
    given: dict[str, Any] = {"clearance": Label.INTERNAL, "allowed": [Capability.ASK], "source": source}
    with library.session("owner") as session:
        return add_person(session, name=name, display_name=name, **given).id


def service(library: LibraryDb) -> uuid.UUID:
    with library.session("owner") as session:
        return add_service(session, name="bot", display_name="bot", allowed=[Capability.ASK]).id


def key(library: LibraryDb, user: uuid.UUID, prefix: str) -> uuid.UUID:
    """A row of a key, of which nobody knows the secret."""
    add = "insert into api_key (prefix, hash, user_id, capabilities) values (:p, :h, :u, '{ask}') returning id"
    return uuid.UUID(library.text(add, p=prefix, h=prefix.encode(), u=user))


def test_a_name_has_its_source_in_front() -> None:
    assert parse_name("engineering") == parse_name("local:engineering") == ("local", "engineering")
    assert parse_name("okta:engineering") == ("okta", "engineering")
    assert parse_name("a:b:c") == ("a", "b:c")
    assert parse_name(":x") == ("", "x")
    assert User(name="ada", source="local").shown == "ada"
    assert Role(name="hr", source="okta").shown == "okta:hr"


def test_look_up_is_by_source_and_name(library: LibraryDb) -> None:
    ours, theirs = role(library, "hr", "local"), role(library, "hr", "okta")
    only = role(library, "sales", "okta")
    ada, other = person(library, "ada", "local"), person(library, "ada", "okta")
    with library.session("owner") as session:
        assert find_role(session, "hr").id == ours
        assert find_role(session, "okta:hr").id == theirs
        assert find_user(session, "ada").id == ada
        assert find_person(session, "okta:ada").id == other
        assert known_roles(session, ["hr", "okta:hr", "sales"]) == {"hr": ours, "okta:hr": theirs}
        assert role_ids(session, ["okta:sales", "everyone"])["okta:sales"] == only
        assert person_ids(session, ["ada", "okta:ada"]) == {"ada": ada, "okta:ada": other}
        for name in ("sales", "azure:hr", "okta:hr:x", "okta:", ":hr", "okta:everyone", "local:everyone"):
            with pytest.raises(NotFound):
                find_role(session, name)
            with pytest.raises(UnknownRole, match=name):
                role_ids(session, [name])
        for name in ("_canary", "local:_canary", "azure:ada"):
            with pytest.raises(NotFound):
                find_user(session, name)
            with pytest.raises(InvalidInput, match="No user"):
                person_ids(session, [name])


def test_a_name_is_taken_within_its_source_alone(library: LibraryDb) -> None:
    role(library, "hr", "okta")
    person(library, "ada", "okta")
    assert role(library, "hr", "azure") != role(library, "hr", "local")
    with pytest.raises(Conflict, match="okta:hr"):
        role(library, "hr", "okta")
    with pytest.raises(Conflict, match="okta:ada"):
        person(library, "ada", "okta")
    with pytest.raises(InvalidInput, match="everyone"):
        role(library, "everyone", "okta")
    for table, rest in (("role", "name, source"), ("app_user", "name, display_name, source")):
        values = "'hr', 'okta'" if table == "role" else "'ada', '', 'okta'"
        library.check_refused("source_name_key", "owner", f"insert into {table} ({rest}) values ({values})")


OTHERS = {
    "app_user": ["id = gen_random_uuid()", "source = 'okta'", "kind = 'service'"],
    "role": ["id = gen_random_uuid()", "source = 'okta'"],
}


@pytest.mark.parametrize("table", OTHERS)
def test_nobody_becomes_somebody_else(library: LibraryDb, database: Database, table: str) -> None:
    """Not for an administrator, not for the owner in a migration, not for the superuser; a name may change."""
    person(library, "ada", "local")
    role(library, "hr", "local")
    boss = library.person("boss", may=sorted(FOR_PEOPLE))
    for change in OTHERS[table]:
        statement = f"update {table} set {change} where name in ('ada', 'hr')"
        for who in ("owner", "admin"):
            library.check_refused("never change", who, statement)
        check_refused(database, boss, "never change", statement)
    assert library.run("owner", f"update {table} set name = 'x', source = source where name in ('ada', 'hr')") == 1


def test_a_service_is_nobody_for_row_level_security(library: LibraryDb, database: Database) -> None:
    """Were its id ever signed: nothing, though everyone may read; and no capability of its own."""
    bot = service(library)
    library.document(library.collection("open", Grant("allow", EVERYONE)), "a.md", "the alder note")
    with database.reading(library.person("ben")) as session:
        assert counts(session)["chunk"] == 1
    with database.reading(bot) as session:
        assert counts(session) == dict.fromkeys(counts(session), 0)
        assert session.scalar(text("select clearance.caller()")) is None
        assert session.scalar(text("select clearance.caller_may('ask')")) is False


def test_a_service_has_no_place_among_people(library: LibraryDb) -> None:
    bot, collection, hr = service(library), library.collection("collection"), role(library, "hr", "local")
    boss = library.subject(library.person("boss", may=sorted(FOR_PEOPLE)))
    with library.session("owner") as session, pytest.raises(InvalidInput, match="is a service"):
        add_member(session, boss, session.get_one(Role, hr), find_user(session, "bot"))
    with library.session("owner") as session, pytest.raises(InvalidInput, match="is a service"):
        find_person(session, "bot")
    with pytest.raises(InvalidInput, match="is a service"):
        library.subject(bot)
    for table, other in (("membership", hr), ("curator", collection), ("steward", hr)):
        add = f"insert into {table} values (:bot, :other)"
        library.check_refused("a service has no place", "admin", add, bot=bot, other=other)
    for capability in ("curate", "administer", "audit"):
        raised = f"update app_user set capabilities = '{{ask,{capability}}}' where kind = 'service'"
        library.check_refused("service_capabilities", "admin", raised)


ADD = (
    "insert into delegation (prefix, hash, service_id, person_id, key_id, capabilities, expires_at)"
    " values ('cld_x', '', :service, :person, :key, '{ask}', now() + interval '1 hour')"
)


def test_only_the_person_makes_a_delegation(library: LibraryDb, database: Database) -> None:
    """With a key of their own, for a service: not an administrator, not for somebody else."""
    bot, ada, boss = service(library), library.person("ada"), library.person("boss", may=sorted(FOR_PEOPLE))
    hers, his = key(library, ada, "clr_a"), key(library, boss, "clr_b")
    wrong = [
        (boss, {"service": bot, "person": ada, "key": hers}),
        (boss, {"service": bot, "person": ada, "key": his}),
        (ada, {"service": bot, "person": boss, "key": his}),
        (ada, {"service": bot, "person": ada, "key": his}),
        (ada, {"service": boss, "person": ada, "key": hers}),
        (bot, {"service": bot, "person": ada, "key": hers}),
    ]
    for caller, values in wrong:
        check_refused(database, caller, "row-level security", ADD, **values)
    with database.writing(ada) as session:
        assert touched(session, ADD, service=bot, person=ada, key=hers) == 1


def test_a_delegation_is_revoked_and_never_changed(library: LibraryDb, database: Database) -> None:
    bot, ada, ben = service(library), library.person("ada"), library.person("ben")
    boss = library.person("boss", may=[Capability.ADMINISTER])
    hers = key(library, ada, "clr_a")
    revoke = "update delegation set revoked_at = now() where revoked_at is null"
    for revoker in (ada, boss):
        with database.writing(ada) as session:
            touched(session, ADD.replace("'cld_x', ''", f"'cld_{revoker}', '{revoker}'"),
                    service=bot, person=ada, key=hers)  # fmt: skip
        for caller, rows in ((ben, 0), (bot, 0), (revoker, 1)):
            with database.writing(caller) as session:
                assert touched(session, revoke) == rows
    for change in ("expires_at = 'infinity'", "capabilities = '{ask,download}'", "person_id = service_id", "hash = ''"):
        check_refused(database, ada, "permission denied", f"update delegation set {change}")
    check_refused(database, boss, "permission denied", "delete from delegation")
    for other in ("ingest", "sequencer", "delivery"):
        library.check_refused("permission denied", other, "select 1 from delegation")
    raised = "update delegation set capabilities = '{ask,curate}'"
    library.check_refused("delegation_capabilities_check", "owner", raised)


# --- What is revoked, and how long a key lasts.

People = dict[str, uuid.UUID]


@pytest.fixture
def people(library: LibraryDb) -> People:
    """Ada with a key that ends, one that does not, and a delegation; Ben, who administers."""
    ada, ben = library.person("ada"), library.person("ben", may=[Capability.ADMINISTER])
    hers = key(library, ada, "hers")
    key(library, ada, "endless")
    library.run("owner", "update api_key set expires_at = '2030-01-01' where prefix = 'hers'")
    library.run("owner", ADD, service=service(library), person=ada, key=hers)
    return {"ada": ada, "ben": ben}


@pytest.mark.parametrize("table", ["api_key", "delegation"])
def test_nobody_takes_a_revocation_back(library: LibraryDb, people: People, database: Database, table: str) -> None:
    with library.changing(database, people["ada"]) as session:
        assert touched(session, f"update {table} set revoked_at = now()") > 0
    for who, value in itertools.product(("ada", "ben"), ("null", "now() + interval '1 day'", "'infinity'")):
        check_refused(database, people[who], "stays revoked", f"update {table} set revoked_at = {value}")


LATER, SOONER, NEVER = "expires_at = '2031-01-01'", "expires_at = '2029-01-01'", "expires_at = null"


@pytest.mark.parametrize(
    ("who", "change", "prefix", "allowed"),
    [
        ("ada", SOONER, "hers", True),
        ("ada", SOONER, "endless", True),
        ("ada", LATER, "hers", False),
        ("ada", NEVER, "hers", False),
        ("ada", "label = 'x'", "hers", False),
        ("ben", LATER, "hers", True),
        ("ben", NEVER, "hers", True),
    ],
)
def test_a_key_lasts_as_long_as_an_administrator_says(
    library: LibraryDb, people: People, database: Database, who: str, change: str, prefix: str, *, allowed: bool
) -> None:
    """Its owner may end it sooner."""
    statement = f"update api_key set {change} where prefix = '{prefix}'"
    if not allowed:
        check_refused(database, people[who], "an administrator alone", statement)
        return
    with library.changing(database, people[who]) as session:
        assert touched(session, statement) == 1


def test_full_names_are_those_of_people_now_and_before(library: LibraryDb, database: Database) -> None:
    with library.session("owner") as session:
        given: dict[str, Any] = {"clearance": Label.INTERNAL, "allowed": [Capability.ASK]}
        add_person(session, name="ada.b", display_name="Ada Byron", **given).former_display_names = ["Ada Noel"]
        add_person(session, name="kim", display_name="", **given)
        add_service(session, name="bot", display_name="Answer Bot", allowed=[Capability.ASK])
    found = full_names(database)
    assert {"Ada Byron", "Ada Noel"} <= set(found)
    assert not {"kim", "Answer Bot"} & set(found)
