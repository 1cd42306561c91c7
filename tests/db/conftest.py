"""A fresh database with short ways to fill it, for each test or for a module."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import TEMPLATE, Cluster, Db, copied
from tests.support.library_db import LibraryDb, library_of


@pytest.fixture
def library(db: Db) -> Iterator[LibraryDb]:
    with library_of(db) as made:
        yield made


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[LibraryDb]:
    """One database for tests of a module that leave nothing behind which another of them would see."""
    with copied(cluster, TEMPLATE) as db, library_of(db) as made:
        yield made
