"""Paths have one normal form: the database refuses any other, and takes whatever the code accepts."""

import contextlib
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.errors import InvalidInput
from app.paths import normal_path
from tests.support.library_db import LibraryDb
from tests.support.path_text import ANYTHING

# Written past the code that normalises.
FOLDER = "insert into folder (collection_id, path, own_rule) values (:shelf, :path, '{}')"
DOCUMENT = (
    "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
    " values (:shelf, :scope, :path, 'text/plain', 1, sha256(''), 1)"
)


@pytest.fixture(scope="module")
def shelf(shared: LibraryDb) -> uuid.UUID:
    return shared.collection("shelf")


@pytest.mark.parametrize("path", ["bu\u0308ro/a", "a\u00a0b", "a /b", "/a", "a/", "a//b", "a/../b", ".", "a\u200fb",
                                  "a\u2028b", "a\x07b", "a\\b", "a\ufe0f", "x" * 1001, "の" * 900, ""])  # fmt: skip
def test_the_database_refuses_what_is_not_normal(shared: LibraryDb, shelf: uuid.UUID, path: str) -> None:
    """From whatever role, and whatever the code above it does."""
    shared.check_refused("folder_path_check", "owner", FOLDER, shelf=shelf, path=path)
    shared.check_refused("document_path_check", "owner", DOCUMENT, shelf=shelf, scope=shared.scope(shelf), path=path)
    with pytest.raises(DBAPIError, match="ingest_job_path_check"):
        shared.document(shelf, path, "the alder note")


@settings(max_examples=300)
@given(st.lists(ANYTHING, min_size=20, max_size=20))
def test_the_database_takes_whatever_the_code_accepts(shared: LibraryDb, texts: list[str]) -> None:
    """A check that is stricter than the code would be an error of ours in the middle of an upload."""
    accepted = []
    for written in texts:
        with contextlib.suppress(InvalidInput):
            accepted.append(normal_path(written))
    refused = text("select p from unnest(cast(:paths as text[])) as p where not clearance.is_normal_path(p)")
    with shared.session("app") as session:
        assert session.scalars(refused, {"paths": accepted}).all() == []
