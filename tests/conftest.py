"""One embedded PostgreSQL for each process of the run; a fresh, migrated database for each test that asks for one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from app.db.bootstrap import prepare
from app.db.engine import connect
from app.db.session import Database, Signer
from app.local.postgres import EmbeddedPostgres
from tests.support.cluster import FAST, IDENTITY_KEY, PASSWORDS, TEMPLATE, Cluster, Db, copied
from tests.support.environment import Report
from tests.support.sealing import SEALER

FIGURES = "figures"
MEMORY = Path("/dev/shm")
MIN_FREE = 4 * 1024**3
UNIT = Path(__file__).parent / "unit"

# Laws are about what holds, not about how fast: no busy machine makes one red.
hypothesis.settings.register_profile("laws", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("laws")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of `make check`."""
    for item in items:
        if UNIT in item.path.parents and not any(item.iter_markers("slow")) and not any(item.iter_markers("alone")):
            item.add_marker("quick")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that lives as long as the run; without durability, since its data is thrown away."""
    with (
        folder_in_memory(tmp_path_factory) as folder,
        EmbeddedPostgres(folder / "data", password="test-superuser", settings=FAST) as server,
    ):
        made = Cluster(server, server.url("postgres", "test-superuser", "postgres"))
        prepare(admin_url=made.admin_url, database=TEMPLATE, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


@contextlib.contextmanager
def folder_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of this run where files are not written to a disk, if there is such a place with room: a database is
    copied there in a twentieth of the time, and most tests begin with that.
    """
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MIN_FREE):
        yield tmp_path_factory.mktemp("pg")
        return
    with tempfile.TemporaryDirectory(prefix="clearance-test-", dir=MEMORY) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
        yield Path(folder)


@pytest.fixture
def db(cluster: Cluster) -> Iterator[Db]:
    """A fresh copy of the migrated template."""
    with copied(cluster, TEMPLATE) as made:
        yield made


@pytest.fixture
def database(db: Db) -> Iterator[Database]:
    """The API's way to that database."""
    made = Database(
        connect(db.url("app"), pool_size=4),
        Signer(IDENTITY_KEY, seconds=60),
        statement_timeout_ms=15_000,
        sealer=SEALER,
    )
    yield made
    made.engine.dispose()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Takes a line of counts, which says how much a test looked at; all of them stand at the end of the run."""
    return lambda words: record_property(FIGURES, words)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The lines that `report` took, from all workers."""
    ended = [test for tests in terminalreporter.stats.values() for test in tests if isinstance(test, pytest.TestReport)]
    lines = [words for test in ended for name, words in test.user_properties if name == FIGURES and test.when == "call"]
    if lines:
        terminalreporter.section("how much was looked at")
        for line in lines:
            terminalreporter.write_line(str(line))
