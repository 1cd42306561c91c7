"""The console in a real browser, over the small company with its documents."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browser_site import Site, opened, served
from tests.e2e.console.speaker import Speaker
from tests.support.company import Company


@pytest.fixture
def speaker() -> Speaker:
    """The model: says what a test lets it say, when it lets it."""
    return Speaker()


@pytest.fixture
def site(stocked_company: Company, speaker: Speaker) -> Iterator[Site]:
    with served(stocked_company, chat=speaker) as made:
        yield made


@pytest.fixture
def context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    with opened(chromium, site, viewport={"width": 1280, "height": 860}) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page
