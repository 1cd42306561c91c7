"""Row-level security on every table and every verb, made from the catalog, for everybody who is nobody."""

import time
import uuid
from collections import Counter
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import text

from app.db.rls_probe import SECURED_TABLES
from app.db.session import TRANSACTION, Database
from app.identity.subject import FOR_PEOPLE
from tests.db.audit_db import PLACED, add_leaf
from tests.db.sql_privileges import (
    DIRECTORY,
    OPEN,
    WITHOUT_IDENTITY,
    Verb,
    locked_tables,
    loose_views,
    touched,
    uncovered,
    verbs,
)
from tests.support.identities import Made, by_hand, changed, good, signed
from tests.support.library_db import LibraryDb, allow


@dataclass(frozen=True)
class Full:
    """A row of Ada's in every table, and somebody who may read none of them."""

    library: LibraryDb
    ada: uuid.UUID
    stranger: uuid.UUID
    former: uuid.UUID

    def identities(self) -> dict[str, Made | None]:
        """What somebody may claim who is nobody; and who somebody is that has nothing."""
        now = int(time.time())
        mine = good(self.stranger)
        return {
            "none": None,
            "empty": lambda _: "",
            "no identity": lambda _: "ada",
            "another's id under one's own mac": changed(mine, lambda i: i.replace(str(self.stranger), str(self.ada))),
            "another key": signed(self.ada, now + 600, "aa" * 32),
            "expired": signed(self.ada, now - 1),
            "of another transaction": lambda _: by_hand(self.ada, now + 600, "1|2"),
            "one who left": good(self.former),
            "the database's own superuser": signed("postgres", now + 600),
            "somebody else": mine,
        }


@pytest.fixture
def full(library: LibraryDb, database: Database) -> Full:
    """At least one row in every table under the lock, beside the canary's."""
    ada = library.person("ada", may=sorted(FOR_PEOPLE))
    hr, inner = library.role("hr"), library.role("inner")
    collection = library.collection("hr", allow("user", ada))
    library.document(collection, "a.md", "the alder note", "the ash note")
    former, stranger = library.person("former"), library.person("stranger")
    with library.session("app") as session:
        add_leaf(session)
    add = {
        "update app_user set active = false where id = :former": {"former": former},
        "insert into sign_in_identity (issuer, subject, user_id) values ('i', 's', :ada)": {"ada": ada},
        "insert into sign_in_session (prefix, hash, user_id, means, idle_seconds, idle_until, expires_at)"
        " values ('s', 's', :ada, 'link', 60, now(), now())": {"ada": ada},
        "insert into sign_in_link (prefix, hash, user_id, created_by, expires_at)"
        " values ('l', 'l', :ada, :ada, now())": {"ada": ada},
        "insert into passkey (user_id, credential_id, public_key) values (:ada, 'c', 'k')": {"ada": ada},
        "insert into sign_in_attempt (state, browser, kind, details, expires_at)"
        " values ('s', 'b', 'provider', '{}', now())": {},
        "insert into used_logout_token (issuer, jti, expires_at) values ('i', 'j', now())": {},
        "insert into directory_state (source, kind) values ('okta', 'ldap')": {},
        "insert into directory_profile (id, source, attributes) values (:ada, 'local', '{}')": {"ada": ada},
        "insert into membership values (:ada, :hr)": {"ada": ada, "hr": hr},
        "insert into role_inside values (:inner, :hr)": {"inner": inner, "hr": hr},
        "insert into curator values (:ada, :collection)": {"ada": ada, "collection": collection},
        "insert into steward values (:ada, :hr)": {"ada": ada, "hr": hr},
        "insert into folder (collection_id, path, own_rule) select id, 'f', '{}' from collection where name = 'hr'": {},
        "insert into api_key (prefix, hash, user_id, capabilities) values ('p', 'h', :ada, '{}')": {"ada": ada},
        "insert into app_user (name, display_name, kind, capabilities) values ('bot', '', 'service', '{ask}')": {},
        "insert into delegation (prefix, hash, service_id, person_id, key_id, capabilities, expires_at)"
        " select 'd', 'd', s.id, k.user_id, k.id, '{ask}', now() from app_user s, api_key k where s.name = 'bot'": {},
        "insert into access_plan (author_id, steps, effects, digest, needs_second)"
        " values (:ada, '[]', '[]', '', false)": {"ada": ada},
        "insert into answer_feedback (id, user_id, trail, block, helpful) values (:ada, :ada, :ada, 0, true)": {
            "ada": ada
        },
        "insert into answer_feedback_source select :ada, id, scope_id, :ada from document"
        " where path <> 'canary' limit 1": {"ada": ada},
        "insert into pseudonym (id, trail, kind, number, user_id, sealed, expires_at)"
        " values (:ada, :ada, 'phone', 1, :ada, '{}', now() + interval '1 hour')": {"ada": ada},
        "insert into pseudonym_passage select :ada, c.id, c.scope_id, :ada from chunk c join document d"
        " on d.id = c.document_id where d.path <> 'canary' limit 1": {"ada": ada},
        "insert into leak_test_run (started_by) values (:ada)": {"ada": ada},
        "insert into access_review (collection_id, title, opened_by) values (:collection, 'r', :ada)": {
            "collection": collection,
            "ada": ada,
        },
        "insert into access_review_item (review_id, collection_id, ordinal, place, grant_value, people)"
        " select id, collection_id, 1, 'collection', '{}', 1 from access_review": {},
        "insert into saved_query (user_id, name, q) values (:ada, 'mine', 'kind:answer')": {"ada": ada},
        "insert into opening (requested_by, reason, resolved, needs_second) values (:ada, 'A complaint.', '', false)": {
            "ada": ada
        },
        "insert into erasure (person, requested_by, reason) values (gen_random_uuid(), :ada, 'A request.')": {
            "ada": ada
        },
        "insert into retention_rule (kind, days, reason, requested_by) values ('key', 90, 'A policy of ours.', :ada)": {
            "ada": ada
        },
        "insert into legal_hold (document, placed_by, reason) values (gen_random_uuid(), :ada, 'A case.....')": {
            "ada": ada
        },
        "insert into log_export (requested_by, format, q, resolved, size) values (:ada, 'csv', '', '', 0)": {
            "ada": ada
        },
        "insert into log_export_part (export_id, ordinal, content) select id, 0, '' from log_export": {},
        "insert into person_key (user_id, wrapped) values (:ada, '')": {"ada": ada},
        "insert into document_key (document, wrapped) values (:id, '')": {"id": uuid.uuid4()},
        "insert into audit_head (size, root, frontier) values (1, sha256(''), array[sha256('')])": {},
        "insert into audit_checkpoint (size, note) values (1, '')": {},
        "insert into audit_cosignature (size, signer, line) values (1, 'w', E'\u2014 w\\n')": {},
        "insert into audit_timestamp (size, authority, token) values (1, 'a', '')": {},
        f"{PLACED} limit 1": {},
        "insert into audit_document (document, seq) values (:id, 0)": {"id": uuid.uuid4()},
        "insert into audit_tag (name, value, seq) values ('label', 'public', 0)": {},
        "insert into audit_name (name, actor, kind) values ('ada', :ada, '')": {"ada": ada},
        "insert into audit_day (day, actor, way, documents) values ('2026-11-03', :ada, 'shown', '{}')": {"ada": ada},
        "insert into audit_node (level, place, hash) values (8, 0, sha256(''))": {},
        "insert into audit_pruned (seq, leaf_hash, record) values (7, sha256(''), 9)": {},
        "insert into audit_delivery (target, kind, form) values ('siem', 'http', 'ocsf')": {},
        "insert into audit_dead_letter (target, seq, reason) values ('siem', 0, 'HTTP 400')": {},
    }
    for statement, values in add.items():
        assert library.run("owner", statement, **values) == 1, statement
    return Full(library, ada, stranger, former)


def all_verbs(library: LibraryDb) -> list[Verb]:
    """The verbs of all tables, with a row to add once more for each."""
    made: list[Verb] = []
    with library.session("admin") as session:
        for table, columns in locked_tables(library).items():
            row = session.scalar(text(f"select to_jsonb(t) from {table} t limit 1"))
            assert row is not None, f"the test has no row of '{table}': add one, or nothing is tried on it"
            made += verbs(table, columns, {name: row[name] for name in columns})
    return made


def open_to(full: Full, identity: Made | None, made: list[Verb]) -> list[str]:
    """What this identity may do, of all that was tried, and should not."""
    with psycopg.connect(full.library.db.libpq("app"), prepare_threshold=None) as connection:
        # In one transaction, each verb behind a savepoint: an identity is good for one.
        row = connection.execute(TRANSACTION.text.encode()).fetchone()
        assert row is not None
        if identity is not None:
            connection.execute("select set_config('clearance.identity', %s, true)", [identity(row[0])])
        found = []
        for verb in made:
            meant = verb.verb == "select" and verb.table in DIRECTORY
            if not meant and (verb.table, verb.verb) not in WITHOUT_IDENTITY and touched(connection, verb):
                found.append(f"{verb.verb} {verb.table}: {verb.statement.as_string()[:120]}")
    return found


def test_nobody_gets_through_by_any_verb(full: Full) -> None:
    """Each table × each verb × each identity of nobody: refused, or zero rows. The owner's same verbs touch rows."""
    made = all_verbs(full.library)
    for who, identity in full.identities().items():
        assert open_to(full, identity, made) == [], who
    reached = Counter[str]()
    with psycopg.connect(full.library.db.libpq("admin"), prepare_threshold=None) as connection:
        for verb in made:
            if verb.verb in {"select", "delete"} and touched(connection, verb):
                reached[verb.table] += 1
    tables = locked_tables(full.library)
    print(f"{len(tables)} tables, {len(made)} statements, {len(full.identities())} identities: 0 let through")
    assert set(reached) == set(tables)


@pytest.mark.parametrize(
    ("hole", "found"),
    [
        ("create policy oops on turn_answer for select to clearance_app using (true)", "select turn_answer"),
        ("create policy oops on chunk for delete to clearance_app using (true)", ""),
        ("grant truncate on posting to clearance_app", "truncate posting"),
        ("create policy oops on audit_head to clearance_audit using (true)", "select audit_head"),
        ("create policy oops on steward for insert to clearance_app with check (true)", "insert steward"),
        ("create policy oops on scope for update to clearance_app using (true)", "update scope"),
    ],
)
def test_a_hole_is_found(full: Full, hole: str, found: str) -> None:
    """Test of the test. A policy without the privilege that it needs opens nothing."""
    full.library.run("owner", hole)
    holes = open_to(full, None, all_verbs(full.library))
    assert {h.split(":")[0] for h in holes} == ({found} if found else set())


def test_every_table_is_locked_or_has_a_reason(library: LibraryDb) -> None:
    assert uncovered(library) == set()
    with library.session("admin") as session:
        names = set(session.scalars(text("select relname from pg_class where relnamespace = 'public'::regnamespace")))
    assert names >= set(OPEN) | set(DIRECTORY), "a reason for a table that is gone"


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("create table summary as select id, text from chunk", "summary"),
        ("create materialized view summary as select id, text from chunk", "summary"),
        ("create table summary (t text); alter table summary enable row level security", "summary"),
        ("alter table posting no force row level security", "posting"),
        ("alter table posting disable row level security", "posting"),
    ],
)
def test_a_new_table_without_lock_is_found(library: LibraryDb, made: str, found: str) -> None:
    """And one that lost its lock. Test of the test."""
    library.run("owner", made)
    assert uncovered(library) == {found}


def test_the_probe_knows_every_locked_table(library: LibraryDb) -> None:
    """Its first half covers every table but the directory; a new table fails here until it is in one of the two."""
    assert set(locked_tables(library)) == set(SECURED_TABLES) | set(DIRECTORY)
    assert not set(SECURED_TABLES) & set(DIRECTORY)


def test_views_look_with_the_callers_eyes(library: LibraryDb, database: Database) -> None:
    """`security_invoker` on each: without it a view shows its owner's rows."""
    assert loose_views(library) == set()
    ada, ben = library.person("ada"), library.person("ben")
    library.document(library.collection("ada", allow("user", ada)), "a.md", "the alder note")
    for name, options in (("loose", ""), ("tight", "with (security_invoker = true)")):
        library.run("owner", f"create view {name} {options} as select text from chunk")
        library.run("owner", f"grant select on {name} to clearance_app")
    assert loose_views(library) == {"loose"}
    with database.reading(ben) as session:
        assert session.scalars(text("select text from tight")).all() == []
        assert "the alder note" in session.scalars(text("select text from loose")).all()
