"""Attacks on the console by what somebody writes, as functions that say what came of them: nothing, while its walls
stand. Tests of attacks demand nothing, and those of mutants, where a wall is down, something.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Error, Page, Request, expect

from tests.e2e.browser_site import Site, follow
from tests.support.company import LEAVE
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

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
ELEMENTS = "main script, main iframe, main style, main base, main meta, main img"


def poison(site: Site) -> str:
    """Upload a document whose name, title, headings and text are attacks; returns its page."""
    text = f"# Zebra {MARKUP}\n\n## Protocol {MARKUP}\n\n{WORDS}\n\n{MARKUP} {MARKDOWN} zebra"
    with client_of(parts_of(site.company.db)) as client:
        answer = client.post(
            "/api/v1/collections/handbook/documents",
            headers=site.company.headers("cleo"),
            files={"file": (NAME, text.encode())},
            data={"path": f"<img src=x onerror=window.hacked=1>/{NAME}", "roles": ["everyone"]},
        )
        assert answer.status_code == 202, answer.text
        work_queued(site.company.db)
    [row] = site.company.rows("select public_id from document where starts_with(path, '<img')")
    return f"{site.url}/documents/{row['public_id']}"


def alive(page: Page) -> list[str]:
    """What of MARKUP is more than text on this page: elements that stand there, and a script that ran."""
    page.wait_for_timeout(300)
    names: list[str] = page.locator(ELEMENTS).evaluate_all("found => found.map(each => each.localName)")
    return [f"<{name}> stands in the page" for name in names] + ran(page)


def ran(page: Page) -> list[str]:
    """That a script of somebody ran."""
    return [] if page.evaluate("window.hacked") is None else ["a script ran"]


def requests_of(context: BrowserContext) -> list[Request]:
    """All that the browser asks for from now on, as it asks."""
    made: list[Request] = []

    def note(request: Request) -> None:
        made.append(request)

    context.on("request", note)
    return made


def left(requests: Sequence[Request], site: Site) -> list[str]:
    """What the browser asked others for. What the policy stopped went nowhere."""
    own = urlsplit(site.url).netloc
    elsewhere = [r for r in requests if urlsplit(r.url).netloc != own and urlsplit(r.url).scheme != "data"]
    return [f"asked for {r.url}" for r in elsewhere if r.failure != "csp"]


def html_at_work(site: Site, page: Page) -> list[str]:
    """What comes of HTML of somebody that is in a page of ours, as if a template had forgotten to escape.

    But for one thing, which no policy can forbid: that a page refreshes itself to another address.
    """
    planted = MARKUP.replace("http-equiv=refresh", "") + MARKDOWN
    follow(page, site.link("ada"), "ada")
    page.route(
        "**/search*",
        lambda route: route.fulfill(
            response=(got := route.fetch()), body=got.text().replace("<main", f"<div>{planted}</div><main", 1)
        ),
    )
    page.goto(f"{site.url}/search")
    page.wait_for_timeout(700)
    found = ran(page) + ([] if page.url == f"{site.url}/search" else [f"went to {page.url}"])
    try:
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    except Error as error:
        if "TrustedHTML" not in str(error):
            raise
        return found
    return [*found, "a string became HTML"]


def seen_after_the_end(site: Site, page: Page) -> list[str]:
    """What somebody finds who goes back, at a desk that was left, to a page whose session has ended since."""
    follow(page, site.link("ada"), "ada")
    page.goto(f"{site.url}/documents/{site.company.documents['handbook', 'leave.md']}")
    expect(page.get_by_text(LEAVE)).to_be_visible()
    page.goto(f"{site.url}/me")
    with site.administrator as root:
        root.delete("/users/ada/sessions")
    page.go_back()
    return ["a document is shown after the session's end"] if LEAVE in page.content() else []
