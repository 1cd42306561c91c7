"""Who somebody is: id, source and kind. Same names from two sources never merge, and a service is nobody by itself."""

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.acl.rule_changes import role_ids
from app.acl.visible import visible_scopes
from app.admin.roles import add_member
from app.db.session import Database
from app.db.tables.people import Role, User
from app.errors import Conflict, InvalidInput, NotFound, UnknownRole
from app.identity.directory import add_person, add_role, add_service
from app.identity.names import find_person, find_role, find_user, known_roles, parse_name, person_ids
from app.identity.subject import Capability, Label
from tests.support.library_db import LibraryDb, allow, counts, touched


def role(library: LibraryDb, name: str, source: str) -> uuid.UUID:
    """A role of that source."""
    with library.session("owner") as session:
        return add_role(session, name, source=source).id


def person(library: LibraryDb, name: str, source: str, *, roles: tuple[uuid.UUID, ...] = ()) -> uuid.UUID:
    """A person of that source, in these roles."""
    with library.session("owner") as session:
        made = add_person(
            session, name=name, display_name=name, clearance=Label.INTERNAL, allowed=[Capability.ASK], source=source
        )
        for each in roles:
            session.execute(text("insert into membership values (:u, :r)"), {"u": made.id, "r": each})
        return made.id


def service(library: LibraryDb, name: str = "bot") -> uuid.UUID:
    """A service."""
    with library.session("owner") as session:
        return add_service(session, name=name, display_name=name, allowed=[Capability.ASK]).id


def key(library: LibraryDb, user: uuid.UUID, prefix: str) -> uuid.UUID:
    """A row of a key, of which nobody knows the secret."""
    return uuid.UUID(
        library.text(
            "insert into api_key (prefix, hash, user_id, capabilities)"
            " values (:p, sha256(convert_to(:p, 'UTF8')), :u, '{ask}') returning id",
            p=prefix,
            u=user,
        )
    )


def test_a_name_has_its_source_in_front() -> None:
    assert parse_name("engineering") == parse_name("local:engineering") == ("local", "engineering")
    assert parse_name("okta:engineering") == ("okta", "engineering")
    assert parse_name("a:b:c") == ("a", "b:c")
    assert parse_name(":x") == ("", "x")
    assert User(name="ada", source="local").shown == "ada"
    assert Role(name="hr", source="okta").shown == "okta:hr"


def test_the_same_name_of_another_source_gets_no_grant(library: LibraryDb, database: Database) -> None:
    """Neither of a role nor of a person: for the oracle, for the filter and for row-level security."""
    ours, theirs = role(library, "hr", "local"), role(library, "hr", "okta")
    mine, other = person(library, "ada", "local", roles=(ours,)), person(library, "ada", "okta", roles=(theirs,))
    by_role = library.collection("role", allow("role", ours))
    by_name = library.collection("name", allow("user", mine))
    library.document(by_role, "a.md", "the alder note")
    library.document(by_name, "b.md", "the birch note")
    for who, expected in ((mine, 2), (other, 0)):
        with database.reading(who) as session:
            assert counts(session)["chunk"] == expected
            assert len(visible_scopes(session, library.subject(who)).scope_ids) == expected
    library.document(library.collection("theirs", allow("role", theirs)), "c.md", "the cedar note")
    with database.reading(other) as session:
        assert list(session.scalars(text("select text from chunk"))) == ["the cedar note"]


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
        with pytest.raises(DBAPIError, match="source_name_key"):
            library.run("owner", f"insert into {table} ({rest}) values ({values})")


OTHERS = [
    ("app_user", "id = gen_random_uuid()"),
    ("app_user", "source = 'okta'"),
    ("app_user", "kind = 'service'"),
    ("role", "id = gen_random_uuid()"),
    ("role", "source = 'okta'"),
]


@pytest.mark.parametrize(("table", "change"), OTHERS)
@pytest.mark.parametrize("who", ["owner", "admin", "administrator"])
def test_nobody_becomes_somebody_else(
    library: LibraryDb, database: Database, who: str, table: str, change: str
) -> None:
    """Not for an administrator, not for the owner in a migration, not for the superuser; a name may change."""
    person(library, "ada", "local")
    role(library, "hr", "local")
    boss = library.person("boss", may=list(Capability))
    statement = f"update {table} set {change} where name in ('ada', 'hr')"
    with pytest.raises(DBAPIError, match="never change"):
        if who == "administrator":
            with database.writing(boss) as session:
                touched(session, statement)
        else:
            library.run(who, statement)
    assert library.run("owner", f"update {table} set name = 'x', source = source where name in ('ada', 'hr')") == 1


def test_a_service_is_nobody_for_row_level_security(library: LibraryDb, database: Database) -> None:
    """Were its id ever signed: nothing, though everyone may read; and no capability of its own."""
    bot = service(library)
    everyone = (
        "update rule_grant set principal_kind = 'everyone', principal_id = '00000000-0000-0000-0000-000000000000'"
    )
    library.document(library.collection("open", allow("user", library.person("ada"))), "a.md", "the alder note")
    assert library.run("owner", everyone) >= 1
    with database.reading(library.person("ben")) as session:
        assert counts(session)["chunk"] == 2, "with the canary's: its rule is open now too"
    with database.reading(bot) as session:
        assert counts(session) == dict.fromkeys(counts(session), 0)
        assert session.scalar(text("select clearance.caller()")) is None
        assert session.scalar(text("select clearance.caller_may('ask')")) is False


def test_a_service_has_no_place_among_people(library: LibraryDb) -> None:
    bot, collection, hr = service(library), library.collection("collection"), role(library, "hr", "local")
    boss = library.subject(library.person("boss", may=list(Capability)))
    with library.session("owner") as session, pytest.raises(InvalidInput, match="is a service"):
        add_member(session, boss, session.get_one(Role, hr), find_user(session, "bot"))
    with library.session("owner") as session, pytest.raises(InvalidInput, match="is a service"):
        find_person(session, "bot")
    with pytest.raises(InvalidInput, match="is a service"):
        library.subject(bot)
    for table, other in (("membership", hr), ("curator", collection), ("steward", hr)):
        with pytest.raises(DBAPIError, match="a service has no place"):
            library.run("admin", f"insert into {table} values (:bot, :other)", bot=bot, other=other)
    for capability in ("curate", "administer", "audit"):
        with pytest.raises(DBAPIError, match="service_capabilities"):
            library.run("admin", f"update app_user set capabilities = '{{ask,{capability}}}' where kind = 'service'")


ADD = (
    "insert into delegation (prefix, hash, service_id, person_id, key_id, capabilities, expires_at)"
    " values ('cld_x', '', :service, :person, :key, '{ask}', now() + interval '1 hour')"
)


def test_only_the_person_makes_a_delegation(library: LibraryDb, database: Database) -> None:
    """With a key of their own, for a service: not an administrator, not nobody, not for somebody else."""
    bot, ada, boss = service(library), library.person("ada"), library.person("boss", may=list(Capability))
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
        with pytest.raises(DBAPIError, match="row-level security"), database.writing(caller) as session:
            touched(session, ADD, **values)
    with pytest.raises(DBAPIError, match="row-level security"), database.anonymous() as session:
        touched(session, ADD, service=bot, person=ada, key=hers)
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
        with database.anonymous() as session:
            assert touched(session, revoke) == 0
        for caller, rows in ((ben, 0), (bot, 0), (revoker, 1)):
            with database.writing(caller) as session:
                assert touched(session, revoke) == rows
    for change in ("expires_at = 'infinity'", "capabilities = '{ask,download}'", "person_id = service_id", "hash = ''"):
        with pytest.raises(DBAPIError, match="permission denied"), database.writing(ada) as session:
            touched(session, f"update delegation set {change}")
    with pytest.raises(DBAPIError, match="permission denied"), database.writing(boss) as session:
        touched(session, "delete from delegation")
    for other in ("ingest", "sequencer"):
        with pytest.raises(DBAPIError, match="permission denied"):
            library.run(other, "select 1 from delegation")
    with pytest.raises(DBAPIError, match="delegation_capabilities_check"):
        library.run("owner", "update delegation set capabilities = '{ask,curate}'")
