"""The fixture `library`: a fresh database with short ways to fill it."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, library_of


@pytest.fixture
def library(db: Db) -> Iterator[LibraryDb]:
    """A fresh, migrated database and its engines."""
    with library_of(db) as made:
        yield made
