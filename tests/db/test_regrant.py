"""A re-grant takes as many statements as it takes, however many scopes there are: what no other test counts."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from app.acl.rule_changes import drop_folder, rule_collection, rule_folder
from app.acl.rules import OwnRule
from app.admin.changes import RuleStep
from app.admin.plans import preview
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection
from app.identity.subject import Capability, Label, Subject
from tests.support.library_db import LibraryDb, allow

Act = Callable[[WriteSession, Collection], object]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def seen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", seen)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", seen)


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
    root = library.person("root", may=list(Capability), clearance=Label.PUBLIC)
    sent: dict[str, list[int]] = {}
    for size in (3, 25):
        collection = library.collection(f"collection-{size}", allow("role", library.role(f"first-{size}")))
        for n in range(size):
            own = OwnRule(frozenset({allow("role", library.role(f"own-{size}-{n}"))}))
            library.document(collection, f"f/{n}.md", f"text {n}", own=own)
        for what, act in acts(library, library.subject(root), f"new-{size}").items():
            with database.writing(root) as session, counted(database.engine) as statements:
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
