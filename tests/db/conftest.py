"""The fixture `house`: a fresh database with short ways to fill it."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Db
from tests.support.library_db import House, house_of


@pytest.fixture
def house(db: Db) -> Iterator[House]:
    """A fresh, migrated database and its engines."""
    with house_of(db) as made:
        yield made
