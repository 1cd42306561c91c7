"""A primary of these tests' own, a standby of it, and the fixture `pair`."""

import contextlib
from collections.abc import Iterator

import pytest

from app.db.bootstrap import prepare
from app.local.postgres import EmbeddedPostgres
from tests.db.replicas.replicated_db import SETTINGS, Pair, Standby, database_of
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, TEMPLATE, Cluster, Db
from tests.support.library_db import LibraryDb, allow

__all__ = ["cluster", "pair", "standby", "standbys"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A primary whose standbys other tests do not burden."""
    folder = tmp_path_factory.mktemp("primary")
    with EmbeddedPostgres(folder / "data", password="test-superuser", settings=SETTINGS) as server:
        made = Cluster(server, server.url("postgres", "test-superuser", "postgres"))
        prepare(admin_url=made.admin_url, database=TEMPLATE, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


@pytest.fixture(scope="session")
def standbys() -> Iterator[list[Standby]]:
    """The standby that tests use one after another, until one of them stops it or lets it leave its primary."""
    made: list[Standby] = []
    yield made
    for one in made:
        one.server.stop()


@pytest.fixture
def standby(db: Db, standbys: list[Standby], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standby]:
    """A standby that has the database of the test."""
    if not standbys:
        standbys.append(Standby(db.cluster, tmp_path_factory.mktemp("standby") / "pg"))
        standbys[0].server.start()
    standbys[0].catch_up()
    yield standbys[0]
    if not standbys[0].renew():
        standbys.pop().server.stop()


@pytest.fixture
def pair(library: LibraryDb, standby: Standby) -> Iterator[Pair]:
    """With one document on the collection, and no patience with a standby that is behind."""
    ada = library.person("ada")
    collection = library.collection("collection", allow("user", ada))
    library.document(collection, "a.md", "the alder note")
    with contextlib.closing(database_of(library.db.url("app"), standby.url("app", library.db.name))) as database:
        yield Pair(library, standby, database, ada, collection)
