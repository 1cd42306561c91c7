"""What several laws use."""

from collections.abc import Iterator

import pytest

from app.embedding.hashed import HashedEmbedder
from tests.laws.worlds.savepoint_worlds import Quick, superuser
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, library_of


@pytest.fixture
def library(db: Db) -> Iterator[LibraryDb]:
    """A fresh database with short ways to fill it."""
    with library_of(db) as made:
        yield made


@pytest.fixture
def quick(db: Db) -> Iterator[Quick]:
    """Two worlds at a time, under both filters, with the hashed embedder."""
    made = Quick(superuser(db.url("admin")), HashedEmbedder())
    yield made
    made.engine.dispose()
