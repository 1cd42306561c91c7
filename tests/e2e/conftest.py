"""The sample company, loaded once for all tests that ask it; and what `clearance init` needs."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from psycopg import sql

from app.cli.database_setup import ADMIN_URL, BACKUP_PASSWORD, OWNER_PASSWORD
from tests.e2e.browser_site import Site, launched, opened, served
from tests.e2e.command_runs import Run, runner
from tests.e2e.sample_site import SampleSite, sample_site
from tests.support.cluster import PASSWORDS, TEMPLATE, Cluster, Db, copied
from tests.support.company import Company, found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one module: while a browser runs, so does its event loop, in which others could start none."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def small_company(cluster: Cluster) -> Iterator[Company]:
    """The people of the small company, without its documents."""
    with copied(cluster, TEMPLATE) as db:
        yield found(db, stocked=False)


@pytest.fixture(scope="session")
def stocked_company(cluster: Cluster) -> Iterator[Company]:
    """The small company with its documents."""
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


@pytest.fixture
def site(small_company: Company) -> Iterator[Site]:
    with served(small_company) as made:
        yield made


@pytest.fixture
def context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    with opened(chromium, site) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.fixture(scope="session")
def sample(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleSite]:
    """The running sample company. Tests leave its people and documents as they are."""
    home = tmp_path_factory.mktemp("sample")
    home.chmod(0o700)
    with sample_site(cluster, home) as site:
        yield site


@pytest.fixture
def run(sample: SampleSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `clearance …` in this process, on a screen of 80 columns."""
    return runner(sample, monkeypatch, capsys, tmp_path)


@pytest.fixture
def installation(cluster: Cluster) -> Iterator[dict[str, str]]:
    """Settings for `clearance init` on a database that is not there yet.

    Roles are the whole server's, so their passwords stay those of the run.
    """
    db = Db(cluster, f"t_{uuid.uuid4().hex[:12]}")
    yield {
        ADMIN_URL: db.url("admin"),
        OWNER_PASSWORD: PASSWORDS["clearance_owner"],
        BACKUP_PASSWORD: PASSWORDS["clearance_backup"],
        **{
            f"CLEARANCE_DATABASE__{role.upper()}_URL": db.url(role)
            for role in ("app", "ingest", "sequencer", "search", "delivery")
        },
    }
    cluster.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(db.name)))
