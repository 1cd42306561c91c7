"""Revision 0012: what was stored before there was a normal form comes into it, and rules that never applied apply."""

import json
import unicodedata
import uuid
from collections.abc import Iterator

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.acl.rules import Grant, OwnRule
from app.db.backfill import BackFillTouchedNothing
from app.db.bootstrap import alembic_config, migrate
from app.errors import InvalidInput
from app.identity.subject import Label, Principal
from app.paths import normal_path
from migrations.normal_paths import numbered
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow, library_of
from tests.support.path_text import ANYTHING

BEFORE = "0011"
DENIED = OwnRule(inherits=False)


@pytest.fixture
def old(db: Db) -> Iterator[LibraryDb]:
    """A database before the revision, with a shelf that everybody reads."""
    command.downgrade(alembic_config(db.url("owner")), BEFORE)
    with library_of(db) as library:
        yield library


def shelf_of(library: LibraryDb) -> uuid.UUID:
    return library.collection("shelf", Grant("allow", Principal("everyone")))


def folder(library: LibraryDb, shelf: uuid.UUID, path: str, own: OwnRule = DENIED) -> None:
    """A folder's rule as 686199e took it: as it is spelled, and about nothing."""
    statement = "insert into folder (collection_id, path, own_rule) values (:shelf, :path, cast(:own as jsonb))"
    with library.session("owner") as session:
        values = {"shelf": shelf, "path": path, "own": json.dumps(own.to_json())}
        session.execute(text(statement), values)


def rules(library: LibraryDb) -> dict[str, tuple[int, int]]:
    """By path of a document: the number of its rule's grants, and its label."""
    with library.session("owner") as session:
        rows = session.execute(text(
            "select d.path, r.label, (select count(*) from rule_grant g"
            " where g.rule_id in (coalesce(r.own_id, r.id), r.above_id)) as grants"
            " from document d join scope s on s.id = d.scope_id join rule r on r.id = s.rule_id"
            " join collection c on c.id = d.collection_id where c.name = 'shelf'")).all()  # fmt: skip
    return {row.path: (row.grants, row.label) for row in rows}


def test_a_rule_that_never_applied_applies(old: LibraryDb) -> None:
    """In NFD, with blanks, with a mark of direction; the documents below it, and those further below, move."""
    shelf = shelf_of(old)
    for path in ("büro/a.md", "büro/2026/b.md", "pay/c.md", "kasse/d.md", "top.md"):
        old.document(shelf, path, "the alder note")
    for spelled in ("bu\u0308ro", " pay", "kas\u200fse"):
        folder(old, shelf, spelled)
    assert set(rules(old).values()) == {(1, Label.INTERNAL)}
    migrate(old.db.url("owner"))
    assert rules(old) == {
        "top.md": (1, Label.INTERNAL),
        **dict.fromkeys(("büro/a.md", "büro/2026/b.md", "pay/c.md", "kasse/d.md"), (0, Label.INTERNAL)),
    }
    astray = "select count(*) from chunk c join document d on d.id = c.document_id where c.scope_id <> d.scope_id"
    assert old.value("admin", astray) == 0


def test_two_rules_for_one_folder_close_it(old: LibraryDb) -> None:
    """Neither is taken for both: nobody reads until somebody rules it anew."""
    shelf = shelf_of(old)
    old.document(shelf, "büro/a.md", "the alder note")
    folder(old, shelf, "büro", OwnRule(frozenset({allow("role", old.role("hr"))})))
    folder(old, shelf, "bu\u0308ro", OwnRule(frozenset({allow("role", old.role("staff"))})))
    migrate(old.db.url("owner"))
    assert rules(old) == {"büro/a.md": (0, Label.RESTRICTED)}
    assert old.value("admin", "select count(*) from folder") == 1


def test_two_documents_at_one_path_both_stay(old: LibraryDb) -> None:
    """The later one under another name, in the same folder and under its rule; derived rows with it."""
    shelf = shelf_of(old)
    folder(old, shelf, "pay")
    for path in ("pay/a.md", "pay\u00a0/a.md", "pay\u3000/a.md"):
        old.document(shelf, path, f"the text of {path}")
    migrate(old.db.url("owner"))
    assert rules(old) == dict.fromkeys(("pay/a.md", "pay/a (2).md", "pay/a (3).md"), (0, Label.INTERNAL))
    assert old.value("admin", "select count(distinct document_id) from chunk c join document d on d.id = c.document_id"
                              " where d.path like 'pay/%'") == 3  # fmt: skip


def test_rows_that_cannot_be_seen_stop_it(old: LibraryDb) -> None:
    old.run("owner", "drop policy owner_all on folder")
    with pytest.raises(BackFillTouchedNothing, match="folder"):
        migrate(old.db.url("owner"))
    assert old.text("select version_num from alembic_version") == BEFORE


@pytest.mark.parametrize("path", ["bu\u0308ro/a", "a\u00a0b", "a /b", "/a", "a/", "a//b", "a/../b", ".", "a\u200fb",
                                  "a\u2028b", "a\x07b", "a\\b", "a\ufe0f", "x" * 1001, "の" * 900, ""])  # fmt: skip
def test_the_database_refuses_what_is_not_normal(library: LibraryDb, path: str) -> None:
    """From whatever role, and whatever the code above it does."""
    shelf = library.collection("shelf")
    with pytest.raises(DBAPIError, match="folder_path_check"):
        folder(library, shelf, path)
    with pytest.raises(DBAPIError, match="ingest_job_path_check"):
        library.document(shelf, path, "the alder note")
    insert = (
        "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
        " values (:shelf, :scope, :path, 'text/plain', 1, sha256(''), 1)"
    )
    with pytest.raises(DBAPIError, match="document_path_check"):
        library.run("owner", insert, shelf=shelf, scope=library.scope(shelf), path=path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.lists(ANYTHING, min_size=20, max_size=20))
def test_the_database_takes_whatever_the_code_accepts(library: LibraryDb, texts: list[str]) -> None:
    """A check that is stricter than the code would be an error of ours in the middle of an upload."""
    accepted = []
    for written in texts:
        try:
            accepted.append(normal_path(written))
        except InvalidInput:
            continue
    with library.session("app") as session:
        refused = session.scalars(
            text("select p from unnest(cast(:paths as text[])) as p where not clearance.is_normal_path(p)"),
            {"paths": accepted},
        ).all()
    assert refused == []


def test_a_numbered_name_is_no_longer_than_it_may_be() -> None:
    long = numbered("a/" + "の" * 250 + ".md", 12)
    assert long.endswith("の (12).md")
    assert normal_path(long) == long == unicodedata.normalize("NFC", long)
    assert numbered("a/.env", 2) == "a/.env (2)"
