"""A primary of these tests' own, a standby of it, and the fixture `pair`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from tests.db.replicas.replicated_db import Pair, pair_of
from tests.db.replicas.standby import SETTINGS, Standby
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, TEMPLATE, Cluster, Db
from tests.support.library_db import LibraryDb

__all__ = ["cluster", "pair", "standby"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A primary whose standbys other tests do not burden."""
    folder = tmp_path_factory.mktemp("primary")
    with EmbeddedPostgres(folder / "data", password="test-superuser", settings=SETTINGS) as server:
        made = Cluster(server, server.url("postgres", "test-superuser", "postgres"))
        prepare(admin_url=made.admin_url, database=TEMPLATE, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


@pytest.fixture
def standby(db: Db, tmp_path: Path) -> Iterator[Standby]:
    """A standby that has the database of the test."""
    with Standby(db.cluster, tmp_path / "standby") as made:
        made.catch_up()
        yield made


@pytest.fixture
def pair(library: LibraryDb, standby: Standby) -> Iterator[Pair]:
    """With one document on the collection, and no patience with a standby that is behind."""
    with pair_of(library, standby) as made:
        yield made
