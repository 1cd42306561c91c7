"""The founded company for the matrix and for its mutants."""

import dataclasses
from collections.abc import Iterator

import pytest

from tests.api.matrix.world import World, build_world
from tests.support.cluster import TEMPLATE, Cluster, copied


@pytest.fixture(scope="session")
def founded(cluster: Cluster) -> Iterator[World]:
    with copied(cluster, TEMPLATE) as db:
        yield build_world(db)


@pytest.fixture
def world(cluster: Cluster, founded: World) -> Iterator[World]:
    with copied(cluster, founded.db.name) as db:
        yield dataclasses.replace(founded, db=db)
