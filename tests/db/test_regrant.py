"""What access costs: a re-grant as many statements as it takes, however many scopes there are; and a caller's scopes no
look at the grants of others, however many they have.
"""

import contextlib
import re
from collections.abc import Callable

import pytest
from sqlalchemy import event, text, true
from sqlalchemy.exc import DBAPIError

from app.acl import visible as acl
from app.acl.rule_changes import drop_folder, rule_collection, rule_folder
from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.admin.changes import RuleStep
from app.admin.plans import preview
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection
from app.identity.subject import FOR_PEOPLE, Capability, Label, Subject
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow
from tests.support.service import database_at

OTHERS, COLLECTIONS = 3_000, 6
# Grants for others: a rule for each, with a grant to a user and one to a role.
CROWD = """
    with made as (
      insert into rule (digest, label) select sha256(n::text::bytea), 0 from generate_series(1, :others) n returning id
    )
    insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)
    select id, o, 'allow', case o when 0 then 'user' else 'role' end, gen_random_uuid()
    from made, generate_series(0, 1) o
"""
# The conditions that make it one plain scan of an index.
BY_INDEX = """where g.principal_kind = any ('{everyone,user,role}')
        and g.principal_id = any (my_roles || my_id || '00000000-0000-0000-0000-000000000000'::uuid)
        and"""
READ = text(
    "select coalesce(sum(coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0)), 0) from pg_stat_xact_user_tables"
    " where relname = any (:tables)"
)


Act = Callable[[WriteSession, Collection], object]


def acts(library: LibraryDb, subject: Subject, name: str) -> dict[str, Act]:
    """A collection, a folder's first and next rule, its end, and the first two foreseen."""
    roles = [library.role(f"{name}-{n}") for n in range(5)]
    new = [OwnRule(frozenset({allow("role", role)}), label=Label.INTERNAL) for role in roles]
    return {
        "collection": lambda s, c: rule_collection(s, subject, c, new[0]),
        "foreseen": lambda s, c: preview(s, subject, [RuleStep(c.id, None, None, new[1])]),
        "first": lambda s, c: rule_folder(s, subject, c, "f", new[2]),
        "folder": lambda s, c: rule_folder(s, subject, c, "f", new[3]),
        "folder foreseen": lambda s, c: preview(s, subject, [RuleStep(c.id, "f", None, new[4])]),
        "dropped": lambda s, c: drop_folder(s, subject, c, "f"),
    }


def test_statements_do_not_grow_with_scopes(library: LibraryDb, database: Database) -> None:
    root = library.person("root", may=sorted(FOR_PEOPLE), clearance=Label.PUBLIC)
    sent: dict[str, list[int]] = {}
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for size in (3, 12):
        collection = library.collection(f"collection-{size}", allow("role", library.role(f"first-{size}")))
        for n in range(size):
            own = OwnRule(frozenset({allow("role", library.role(f"own-{size}-{n}"))}))
            library.document(collection, f"f/{n}.md", f"text {n}", own=own)
        for what, act in acts(library, library.subject(root), f"new-{size}").items():
            with database.writing(root) as session:
                statements.clear()
                act(session, session.get_one(Collection, collection))
                session.flush()
                sent.setdefault(what, []).append(len(statements))
    assert {what: few for what, (few, _) in sent.items()} == {what: many for what, (_, many) in sent.items()}
    assert max(few for few, _ in sent.values()) <= 60


def test_documents_are_moved_by_who_may_rule_their_collection(library: LibraryDb, database: Database) -> None:
    """Not by a curator of another one, not between collections, and not if one pair of many is not theirs."""
    one, two = library.collection("one"), library.collection("two")
    mine, other = library.scope(one), library.scope(two)
    elsewhere = library.scope(one, OwnRule(label=Label.PUBLIC))
    cora = library.person("cora", may=[Capability.CURATE], curates=[one])
    dora = library.person("dora", may=[Capability.CURATE], curates=[two])
    replace = text("select * from clearance.replace_scopes(:old, :new, null)")
    for who, old, new in (
        (dora, [mine], [elsewhere]),
        (cora, [mine], [other]),
        (cora, [other], [mine]),
        (cora, [mine, other], [elsewhere, other]),
        (cora, [mine], [999_999]),
        (cora, [mine, mine], [elsewhere]),
    ):
        with pytest.raises(DBAPIError, match="not yours to change"), database.writing(who) as session:
            session.execute(replace, {"old": old, "new": new})
    with database.writing(cora) as session:
        assert session.execute(replace, {"old": [mine], "new": [elsewhere]}).all() == []


def test_rows_before_and_after_are_grouped_not_joined(library: LibraryDb) -> None:
    """The planner would take them for as few as they were at first, and compare each of thousands with each."""
    pairs = "select tgfoid from pg_trigger where tgoldtable is not null and tgnewtable is not null"
    with library.session("owner") as session:
        pairing = session.scalars(text(f"select prosrc from pg_proc where oid in ({pairs})")).all()
    assert len(pairing) >= 4
    for source in pairing:
        assert not re.search(r"join\s+(before|after)\b", source), source


@pytest.mark.parametrize("mutated", [False, True])
def test_the_grants_of_others_are_not_read(
    library: LibraryDb, db: Db, monkeypatch: pytest.MonkeyPatch, mutated: bool
) -> None:
    """Mutated: the three kinds of principals as one would write them, which takes bitmaps."""
    me = library.person("me", roles=[library.role("mine")])
    for number in range(COLLECTIONS):
        library.scope(library.collection(f"collection {number}", allow("user", me)))
    library.run("owner", CROWD, others=OTHERS)
    library.run("admin", "analyze rule, rule_grant, scope")
    # A number of rows is no secret here.
    library.run("admin", "grant execute on all functions in schema pg_catalog to clearance_app")
    if mutated:
        monkeypatch.setattr(acl, "_named", true)
        monkeypatch.setattr(acl, "_RESOLVED", acl._resolved())
        definition = library.text("select pg_get_functiondef('clearance.resolve_scopes()'::regprocedure)")
        assert BY_INDEX in definition
        library.run("admin", definition.replace(BY_INDEX, "where"))
    with contextlib.closing(database_at(db.url("app"), pool_size=1)) as database, database.reading(me) as session:
        # By the function behind row-level security first, when the transaction began.
        by_function = int(session.scalar(READ, {"tables": ["rule", "rule_grant", "scope"]}) or 0)
        assert len(visible_scopes(session, library.subject(me)).scope_ids) == COLLECTIONS
        read = int(session.scalar(READ, {"tables": ["rule", "rule_grant", "scope"]}) or 0) - by_function
    for count in (by_function, read):
        assert (count > OTHERS) if mutated else (count <= 10 * COLLECTIONS)
