"""Paths have one normal form: the database refuses any other, and takes whatever the code accepts."""

import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.acl.rules import OwnRule
from app.errors import InvalidInput
from app.paths import normal_path
from tests.support.library_db import LibraryDb
from tests.support.path_text import ANYTHING


def folder(library: LibraryDb, shelf: uuid.UUID, path: str) -> None:
    """A folder's rule, written past the code that normalises."""
    statement = "insert into folder (collection_id, path, own_rule) values (:shelf, :path, cast(:own as jsonb))"
    with library.session("owner") as session:
        values = {"shelf": shelf, "path": path, "own": json.dumps(OwnRule(inherits=False).to_json())}
        session.execute(text(statement), values)


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
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
