"""Laws say how much they looked at: a line each, past pytest's capture."""

import sys
from collections.abc import Callable, Iterator

import pytest

from app.embedding.hashed import HashedEmbedder
from tests.conftest import Db
from tests.laws.quick import Quick, superuser

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print one line of counts."""

    def line(words: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{words}\n")

    return line


@pytest.fixture
def quick(db: Db) -> Iterator[Quick]:
    """Two worlds at a time, under both walls, with the hashed embedder."""
    made = Quick(superuser(db.url("admin")), HashedEmbedder())
    yield made
    made.engine.dispose()
