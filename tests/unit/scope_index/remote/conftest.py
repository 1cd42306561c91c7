"""A search process on a Unix socket and one on TCP: what holds for the one holds for the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.scope_index.remote import server
from tests.unit.scope_index.remote.search_server import Running, pause, running_at


@pytest.fixture(autouse=True)
def said() -> Iterator[list[EventDict]]:
    """What the log is told."""
    with capture_logs() as told:
        yield told


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given up for being slow, and a search process may be tried again at once, unless a test says so."""
    monkeypatch.setattr(server, "SECONDS", 60.0)
    pause(monkeypatch, 0.0)


@pytest.fixture(params=["unix", "tcp"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address to listen on."""
    return str(tmp_path / "private" / "search.sock") if request.param == "unix" else "127.0.0.1:0"


@pytest.fixture
def running(where: str) -> Iterator[Running]:
    """On either."""
    with running_at(where) as made:
        yield made


@pytest.fixture
def on_tcp() -> Iterator[Running]:
    with running_at("127.0.0.1:0") as made:
        yield made
