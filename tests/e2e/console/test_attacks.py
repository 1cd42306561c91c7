"""Whatever somebody calls a document, a file or a person, writes into it, asks, or makes the model say: on a page it is
text. Nothing runs, nothing is loaded from elsewhere, and nothing is sent to elsewhere.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.e2e.browser_site import Site, follow
from tests.e2e.console.speaker import Speaker
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

pytestmark = pytest.mark.real
MARKUP = (
    '"><script>window.hacked=1</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1>'
    "<a href=javascript:window.hacked=1>x</a><div hx-get=/me hx-trigger=load hx-nonce=x>y</div>"
    '<iframe src="https://evil.example/"></iframe><form action="https://evil.example/"><button>z</button></form>'
    "<style>@import 'https://evil.example/a.css';</style><meta http-equiv=refresh content='0;url=https://evil.example'>"
    "{{ 7*7 }}${7*7}<base href=https://evil.example/><link rel=stylesheet href=https://evil.example/b.css>"
)
MARKDOWN = "![x](https://evil.example/p.png) [x](javascript:window.hacked=1) [x](https://evil.example/?q=1) <https://evil.example>"
WORDS = "The zebra protocol of the company says that every zebra is counted twice."
NAME = "a'onmouseover='window.hacked=1.md"


@pytest.fixture
def requests(context: BrowserContext, site: Site) -> Iterator[list[Request]]:
    """All that the browser asked for; nothing may go elsewhere."""
    made: list[Request] = []

    def note(request: Request) -> None:
        made.append(request)

    context.on("request", note)
    yield made
    host = urlsplit(site.url).netloc
    elsewhere = [r for r in made if urlsplit(r.url).netloc != host and urlsplit(r.url).scheme != "data"]
    assert [r.url for r in elsewhere if r.failure != "csp"] == []


@pytest.fixture
def poisoned(site: Site) -> Site:
    """A document whose name, title, headings and text are attacks."""
    with client_of(parts_of(site.company.db)) as client:
        _poison(client, site)
    return site


def _poison(client: TestClient, site: Site) -> None:
    text = f"# Zebra {MARKUP}\n\n## Protocol {MARKUP}\n\n{WORDS}\n\n{MARKUP} {MARKDOWN} zebra"
    answer = client.post(
        "/api/v1/collections/handbook/documents",
        headers=site.company.headers("cleo"),
        files={"file": (NAME, text.encode())},
        data={"path": f"<img src=x onerror=window.hacked=1>/{NAME}", "roles": ["everyone"]},
    )
    assert answer.status_code == 202, answer.text
    work_queued(site.company.db)


def check(page: Page) -> None:
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main iframe, main style, main base, main meta, main img").count() == 0


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
        check(page)
        page.get_by_label("Source 1").first.click()
        expect(page.locator("#beside .passage").first).to_be_visible()
        check(page)
        page.reload()
        check(page)
    page.goto(f"{poisoned.url}/search?q=zebra+{MARKUP.replace('&', '%26').replace('#', '%23')}")
    check(page)
    page.goto(f"{poisoned.url}/search?q=zebra+protocol")
    page.locator("#hits a").first.click()
    page.get_by_role("link", name="Open the whole document").click()
    expect(page.locator(".passage").first).to_be_visible()
    check(page)
    for path in ("/documents", "/conversations", "/me", "/me?notice=<script>window.hacked=1</script>"):
        page.goto(poisoned.url + path)
        check(page)
    assert re.search("zebra", page.content(), re.I) is None
    poisoned.complaints[:] = [line for line in poisoned.complaints if "404" not in line]


def test_our_own_walls_hold_when_a_page_holds_html_of_somebody(site: Site, page: Page, requests: list[Request]) -> None:
    """As if a template forgot to escape: what the browser parses out of it is inert all the same.

    But for one thing, which no policy can forbid: that a page refreshes itself to another address.
    """
    inert = MARKUP.replace("http-equiv=refresh", "") + MARKDOWN
    follow(page, site.link("ada"), "ada")
    page.route(
        "**/search*",
        lambda route: route.fulfill(
            response=(got := route.fetch()), body=got.text().replace("<main", f"<div>{inert}</div><main", 1)
        ),
    )
    page.goto(f"{site.url}/search")
    page.wait_for_timeout(700)
    assert page.evaluate("window.hacked") is None
    assert page.url == f"{site.url}/search"
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    broken = " ".join(site.complaints)
    assert "script-src" in broken
    site.complaints.clear()
