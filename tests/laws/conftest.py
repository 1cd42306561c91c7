"""What several laws use."""

from collections.abc import Iterator

import pytest

from app.embedding.hashed import HashedEmbedder
from tests.laws.worlds.savepoint_worlds import Quick, superuser
from tests.support.cluster import Db


@pytest.fixture
def quick(db: Db) -> Iterator[Quick]:
    """Two worlds at a time, under both walls, with the hashed embedder."""
    made = Quick(superuser(db.url("admin")), HashedEmbedder())
    yield made
    made.engine.dispose()
