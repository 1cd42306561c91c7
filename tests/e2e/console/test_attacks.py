"""Whatever somebody calls a document, a file or a person, writes into it, asks, or makes the model say: on a page it is
text. Nothing runs, nothing is loaded from elsewhere, and nothing is sent to elsewhere.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.e2e.browser_site import Site, follow
from tests.e2e.console.attacks import (
    MARKDOWN,
    MARKUP,
    WORDS,
    alive,
    html_at_work,
    left,
    poison,
    requests_of,
    seen_after_the_end,
)
from tests.e2e.console.speaker import Speaker

pytestmark = pytest.mark.real


@pytest.fixture
def requests(context: BrowserContext, site: Site) -> Iterator[list[Request]]:
    """All that the browser asked for; nothing may go elsewhere."""
    made = requests_of(context)
    yield made
    assert left(made, site) == []


@pytest.fixture
def poisoned(site: Site) -> Site:
    """A document whose name, title, headings and text are attacks."""
    poison(site)
    return site


def test_nothing_of_it_runs_or_leaves(poisoned: Site, page: Page, speaker: Speaker, requests: list[Request]) -> None:
    speaker.pieces = [f"{WORDS} [1]. {MARKUP} {MARKDOWN}"]
    follow(page, poisoned.link("ada"), "ada")
    with poisoned.administrator as client:
        client.patch("/users/ada", {"display_name": MARKUP[:100]})
    for mode in ("quote", "generate"):
        page.goto(poisoned.url)
        page.locator("form#ask details summary").click()
        page.locator(f"form#ask input[value={mode}]").check()
        page.get_by_label("Your question").fill(f"What does the zebra protocol say? {MARKUP}")
        page.locator("form#ask").get_by_role("button", name="Ask").click()
        expect(page.locator(".turn .sources")).to_be_visible()
        assert alive(page) == []
        page.get_by_label("Source 1").first.click()
        expect(page.locator("#beside .passage").first).to_be_visible()
        assert alive(page) == []
        page.reload()
        assert alive(page) == []
    page.goto(f"{poisoned.url}/search?q=zebra+{MARKUP.replace('&', '%26').replace('#', '%23')}")
    assert alive(page) == []
    page.goto(f"{poisoned.url}/search?q=zebra+protocol")
    page.locator("#hits a").first.click()
    page.get_by_role("link", name="Open the whole document").click()
    expect(page.locator(".passage").first).to_be_visible()
    assert alive(page) == []
    for path in ("/documents", "/conversations", "/me", "/me?notice=<script>window.hacked=1</script>"):
        page.goto(poisoned.url + path)
        assert alive(page) == []
    assert re.search("zebra", page.content(), re.I) is None
    poisoned.complaints[:] = [line for line in poisoned.complaints if "404" not in line]


def test_our_own_walls_hold_when_a_page_holds_html_of_somebody(site: Site, page: Page, requests: list[Request]) -> None:
    """What the browser parses out of it is inert all the same."""
    assert html_at_work(site, page) == []
    assert "script-src" in " ".join(site.complaints)
    site.complaints.clear()


def test_nothing_is_kept_for_who_goes_back_after_the_session_has_ended(site: Site, page: Page) -> None:
    assert seen_after_the_end(site, page) == []
