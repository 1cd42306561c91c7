"""A fresh database with short ways to fill it, and one with 30,000 passages."""

from collections.abc import Iterator

import pytest

from tests.db.bulk_rows import Stock, stock_in
from tests.support.cluster import Cluster, Db
from tests.support.library_db import LibraryDb, library_of


@pytest.fixture
def library(db: Db) -> Iterator[LibraryDb]:
    """A fresh, migrated database and its engines."""
    with library_of(db) as made:
        yield made


@pytest.fixture(scope="session")
def bulk_rows(cluster: Cluster) -> Iterator[Stock]:
    """30,000 passages, written once for the run: for copies alone."""
    with stock_in(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def stock(bulk_rows: Stock) -> Iterator[Stock]:
    """A copy of them for a module."""
    with bulk_rows.copy() as made:
        yield made
