"""Row-level security, tried with raw SQL as the API's database role, behind the back of all the API's own filters."""

import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.session import Database
from app.identity.subject import FOR_PEOPLE, Capability, Label
from tests.support.cluster import Db
from tests.support.library_db import TEXT_TABLES, LibraryDb, allow, check_refused, counts, touched

LOCKED = (*TEXT_TABLES, "ingest_job")


@dataclass(frozen=True)
class Two:
    """Two people, each with a collection and a document of two passages; a third who curates the first collection."""

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID
    curator: uuid.UUID
    collection: uuid.UUID


@pytest.fixture(scope="module")
def db(shared: LibraryDb) -> Db:
    return shared.db


@pytest.fixture(scope="module")
def two(shared: LibraryDb) -> Two:
    library = shared
    ada, ben = library.person("ada"), library.person("ben", clearance=Label.RESTRICTED)
    mine, yours = library.collection("ada", allow("user", ada)), library.collection("ben", allow("user", ben))
    library.document(mine, "a.md", "the alder note", "the ash note")
    library.document(yours, "b.md", "the birch note", "the beech note", "the box note")
    curator = library.person("cora", may=sorted(FOR_PEOPLE), curates=[mine])
    for name in ("one", "two"):
        library.role(name)
    return Two(library, ada, ben, curator, mine)


def test_each_sees_his_own(database: Database, two: Two) -> None:
    with database.reading(two.ada) as session:
        seen = counts(session)
        assert seen | {"posting": 0} == {"document": 1, "original": 1, "chunk": 2, "vector_row": 2, "posting": 0}
        assert set(session.scalars(text("select text from chunk"))) == {"the alder note", "the ash note"}
        assert seen["posting"] == 3, "a row for each term of the document"
    with database.reading(two.ben) as session:
        assert counts(session)["chunk"] == 3
        assert touched(session, "select 1 from chunk where text like '%alder%'") == 0


def test_no_question_tells_of_hidden_rows(database: Database, two: Two) -> None:
    """An expression that fails on a hidden row is never run on it."""
    with database.reading(two.ben) as session:
        probing = "select 1 from chunk where 1 / (case when text like '%alder%' then 0 else 1 end) = 1"
        assert touched(session, probing) == 3
    with two.library.session("owner") as session, pytest.raises(DBAPIError, match="division by zero"):
        touched(session, probing)


def test_a_curator_sees_places_and_no_text(database: Database, two: Two) -> None:
    """Who curates a collection, and administers and audits everything, thereby reads none of it."""
    with database.reading(two.curator) as session:
        assert counts(session) == {"document": 1, "original": 0, "chunk": 0, "vector_row": 0, "posting": 0}


def test_an_upload_is_for_its_uploader(database: Database, two: Two) -> None:
    """Who uploaded sees the job; the bytes are read back by no role of the API."""
    add = (
        "insert into ingest_job (collection_id, scope_id, path, uploaded_by, content, size, sha256)"
        " values (:collection, :scope, 'x', :by, 'secret', 6, '')"
    )
    scope = two.library.scope(two.collection)
    with database.writing(two.curator) as session:
        assert touched(session, add, collection=two.collection, scope=scope, by=two.curator) == 1
    for user, seen in ((two.curator, 1), (two.ada, 0), (two.ben, 0)):
        with database.reading(user) as session:
            assert counts(session, ["ingest_job"]) == {"ingest_job": seen}
    refused = [(two.curator, two.ada), (two.ada, two.ada), (two.ben, two.curator)]
    for user, by in refused:
        check_refused(database, user, "row-level security", add, collection=two.collection, scope=scope, by=by)


def test_a_failed_upload_is_its_uploaders_to_retry_and_to_remove(database: Database, two: Two) -> None:
    """Whatever SQL says: nobody else's, nothing that is on its way, and only in a collection that they curate."""
    add = (
        "insert into ingest_job (collection_id, scope_id, path, uploaded_by, content, size, sha256, state)"
        " values (:collection, :scope, 'x', :by, 'secret', 6, '', :state)"
    )
    given = {"collection": two.collection, "scope": two.library.scope(two.collection)}
    other = two.library.person("carl", may=sorted(FOR_PEOPLE), curates=[two.collection])
    with two.library.session("owner") as session:
        for state, by in (("failed", two.curator), ("queued", two.curator), ("running", two.ada)):
            touched(session, add, by=by, state=state, **given)
    job = "select id::text from ingest_job where state = '{}' order by created_at desc limit 1"
    failed, queued = (two.library.text(job.format(state)) for state in ("failed", "queued"))
    retry = "select 1 where clearance.retry_upload(:job, gen_random_uuid())"
    for stranger in (two.ada, other):
        with database.writing(stranger) as session:
            assert touched(session, retry, job=failed) == 0
            assert touched(session, "delete from ingest_job") == 0
    two.library.run("owner", f"delete from curator where user_id = '{two.curator}'")
    with database.writing(two.curator) as session:
        assert touched(session, retry, job=failed) == 0
    two.library.run("owner", f"insert into curator values ('{two.curator}', '{two.collection}')")
    with database.writing(two.curator) as session:
        assert touched(session, retry, job=queued) == 0
        assert touched(session, retry, job=failed) == 1
        assert touched(session, retry, job=failed) == 0
        assert touched(session, "delete from ingest_job") == 1, "the failed one alone"


REFUSED_APP = {
    "read the identity key": "select * from clearance.identity_key",
    "change the identity key": "select clearance.set_identity_key(sha256(''))",
    "replace a function": "create or replace function clearance.caller() returns uuid return null::uuid",
    "switch a lock off": "alter table chunk disable row level security",
    "act as another role": "set role clearance_owner",
    "act as the backup role": "set role clearance_backup",
    "act as the identity role": "set role clearance_identity",
    "change text": "update chunk set text = 'x'",
    "delete passages": "delete from chunk",
    "add passages": "insert into chunk default values",
    "change vectors": "update vector_row set terms = 1",
    "change postings": "update posting set term = 1",
    "change originals": "update original set title = 'x'",
    "rename documents": "update document set path = 'x'",
    "add documents": "insert into document default values",
    "move a scope to another collection": "update scope set collection_id = collection_id",
    "change a rule": "update rule set label = 0",
    "drop grants": "delete from rule_grant",
    "lower the policy epoch": "update policy_epoch set number = 0",
    "read a key's job": "select content from ingest_job",
    "change a key's owner": "update api_key set user_id = user_id",
    "read the queue's past": "delete from procrastinate_jobs",
    "load a file": "select pg_read_file('postgresql.conf')",
}


def test_the_api_role_may_not(two: Two, database: Database) -> None:
    """Not even under the identity of somebody who may do everything."""
    for statement in REFUSED_APP.values():
        check_refused(database, two.curator, "permission denied|must be owner", statement)


REFUSED_INGEST = {
    "read passages": "select text from chunk",
    "read originals": "select content from original",
    "read vectors": "select embedding from vector_row",
    "make a scope": "insert into scope (collection_id) values (gen_random_uuid())",
    "point a scope to another rule": "update scope set rule_id = 1",
    "make a rule": "insert into rule (digest, label) values ('', 0)",
    "change a grant": "update rule_grant set effect = 'allow'",
    "make a grant": "insert into rule_grant select * from rule_grant",
    "make a user": "insert into app_user (name, display_name) values ('x', '')",
    "raise a user": "update app_user set clearance = 3",
    "put a user into a role": "insert into membership values (gen_random_uuid(), gen_random_uuid())",
    "read keys": "select 1 from api_key",
    "re-grant a collection": "update collection set own_rule = '{}'",
    "ask for scopes": "select clearance.visible_scopes()",
    "read the identity key": "select 1 from clearance.identity_key",
    "raise the policy epoch": "update policy_epoch set number = 0",
}


def test_the_worker_may_not(two: Two) -> None:
    for statement in REFUSED_INGEST.values():
        two.library.check_refused("permission denied", "ingest", statement)


BY_RIGHT = {
    "a user": ("insert into app_user (name, display_name) values ('x', '')", Capability.ADMINISTER),
    "a role": ("insert into role (name) values ('x')", Capability.ADMINISTER),
    "a membership": ("insert into membership select :ada, id from role", Capability.ADMINISTER),
    "a nesting": (
        "insert into role_inside select a.id, b.id from role a, role b where a.id < b.id",
        Capability.ADMINISTER,
    ),
    "a key": (
        "insert into api_key (prefix, hash, user_id, capabilities) values ('p', '', :ada, '{}')",
        Capability.ADMINISTER,
    ),
    "a curator": ("insert into curator values (:ada, :collection)", Capability.ADMINISTER),
    "a collection": ("insert into collection (name, own_rule) values ('x', '{}')", Capability.ADMINISTER),
    "a rule": ("insert into rule (digest, label) values ('x', 0)", Capability.CURATE),
    "a scope": (
        "insert into scope (collection_id, own_digest, own_rule, rule_id)"
        " select :collection, 'x', '{}', min(id) from rule",
        Capability.CURATE,
    ),
}


@pytest.mark.parametrize("what", BY_RIGHT)
def test_adding_takes_the_capability(two: Two, database: Database, what: str) -> None:
    """Refused to who lacks it, though he has every other one; done for who has it."""
    library = two.library
    statement, needed = BY_RIGHT[what]
    values = {k: v for k, v in {"ada": two.ada, "collection": two.collection}.items() if f":{k}" in statement}
    others = sorted(FOR_PEOPLE - {needed, Capability.ADMINISTER})
    lacking = library.person(
        f"lacking {what}", may=others, curates=[two.collection] if needed is Capability.ADMINISTER else []
    )
    check_refused(database, lacking, "row-level security", statement, **values)
    having = library.person(f"having {what}", may=[needed], curates=[two.collection])
    with database.dry_run(having) as session:
        assert touched(session, statement, **values) >= 1


def test_rules_are_immutable(two: Two, database: Database) -> None:
    """No grant is ever added to a rule that stands: whose scopes point to it would not know."""
    grow = (
        "insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)"
        " select id, 99, 'allow', 'user', :who from rule"
    )
    for user in (two.ada, two.curator):
        check_refused(database, user, "row-level security", grow, who=user)
    with database.reading(two.ada) as session:
        assert counts(session)["chunk"] == 2


CHANGES = {
    "raise a user": "update app_user set clearance = 3",
    "drop users": "delete from app_user",
    "drop roles": "delete from role",
    "drop memberships": "delete from membership",
    "revoke keys": "update api_key set revoked_at = now()",
    "re-rule collections": "update collection set own_rule = '{}'",
    "drop collections": "delete from collection",
    "re-rule scopes": "update scope set rule_id = rule_id",
    "move documents": "update document set updated_at = now()",
    "drop documents": "delete from document",
}


def test_changing_takes_the_capability(two: Two, database: Database) -> None:
    """Without administer or curate, not one row changes."""
    plain = two.library.person(
        "plain", may=[Capability.ASK, Capability.DOWNLOAD, Capability.AUDIT], curates=[two.collection]
    )
    for what, statement in CHANGES.items():
        with database.dry_run(plain) as session:
            assert touched(session, statement) == 0, what


def test_a_curator_curates_his_collection_alone(two: Two, database: Database) -> None:
    library, his = two.library, two.library.collection("his")
    library.document(his, "c.md", "the cedar note")
    chunks = library.value("owner", "select count(*) from chunk")
    only = library.person("only", may=[Capability.CURATE], curates=[his])
    with library.changing(database, only) as session:
        assert touched(session, "update scope set rule_id = rule_id") == 1
        assert touched(session, "update collection set description = 'x'") == 1
        assert touched(session, "delete from document") == 1
    assert library.value("owner", "select count(*) from document where collection_id = :s", s=his) == 0
    assert library.value("owner", "select count(*) from chunk") == chunks - 1


@pytest.mark.parametrize("role", ["sequencer", "delivery"])
def test_who_works_on_the_log_sees_no_document(two: Two, role: str) -> None:
    for table in (*LOCKED, "app_user", "scope", "rule_grant", "api_key"):
        two.library.check_refused("permission denied", role, f"select 1 from {table}")


def test_the_backup_role_alone_passes_and_writes_nothing(two: Two) -> None:
    two.library.check_refused("permission denied", "backup", "update chunk set text = ''")
    bypassing = "select count(*) from pg_roles where rolname like 'clearance%' and (rolbypassrls or rolsuper)"
    assert two.library.value("admin", bypassing) == 1
