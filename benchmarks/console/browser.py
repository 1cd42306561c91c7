"""What somebody in front of Chromium waits for."""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
from playwright.sync_api import Browser, Page, Request, sync_playwright

from benchmarks.console.site import QUESTION, ConsoleSite
from benchmarks.machine import load
from benchmarks.stats import quantile
from benchmarks.tables import show

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# Notes by the clock when the first words of the answer are in the document, and how long the page's script took to put
# them there.
WATCH = """() => {
  window.shown = window.came = null;
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(url) {
      super(url);
      this.addEventListener("delta", () => { window.came ??= performance.now(); });
    }
  };
  const written = "[data-text]:not(.answer__waiting)";
  const look = () => {
    if (document.querySelector(written)?.textContent.trim()) window.shown ??= performance.now();
  };
  const all = { childList: true, subtree: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.getElementById("turns"), all);
}"""

# Types a word, and gives the milliseconds from when the request leaves until the hits are on the page. The page's
# policy lets no text run as a script, so it is one call and no waiting for an expression.
TYPED = """([field, word]) => new Promise((done) => {
  let sent = null;
  document.addEventListener("htmx:before:request", () => { sent = performance.now(); }, { once: true });
  document.addEventListener("htmx:after:swap", () => done(performance.now() - sent), { once: true });
  field.value = word;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
})"""
WORDS = ("training", "travel", "parking", "laptops", "visitors", "kitchen", "security", "holidays")
ROUNDS = 12
# Seconds before the model's first word, in which everybody has time to listen, and between two words.
FIRST, BETWEEN = 1.0, 0.01


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """The browser of the system's packages."""
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


def in_a_browser(site: ConsoleSite) -> None:
    with launched() as chromium:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(site.link("reader-1").replace("127.0.0.1", "localhost"))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#question")
        rows = [
            ("cold", *_loaded(site, page, cold=True)),
            ("warm", *_loaded(site, page, cold=False)),
        ]
        show("the first page", ("", "requests", "KB over the wire", "of another origin"), rows)
        typed = _typing(site, page)
        site.model.first, site.model.between = FIRST, BETWEEN
        beside = site.session("reader-1")
        first = [_first_words(site, page, beside) for _ in range(ROUNDS)]
        figures = [
            ("a word in the search field: its request to its hits on the page", typed),
            ("first words: the server's event to the page", [since_server for since_server, _ in first]),
            ("... of it, in the page's script", [in_script for _, in_script in first]),
        ]
        waits = [(name, str(quantile(of, 0.5)), str(quantile(of, 0.95))) for name, of in figures]
        show(f"in the browser, ms; {load()}", ("", "p50", "p95"), waits)


def _loaded(site: ConsoleSite, page: Page, *, cold: bool) -> tuple[str, str, str]:
    made: list[Request] = []

    def note(request: Request) -> None:
        made.append(request)

    if cold:
        session = page.context.new_cdp_session(page)
        session.send("Network.clearBrowserCache")
    page.on("requestfinished", note)
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/")
    page.wait_for_timeout(600)
    fetched = [r for r in made if not (r.response() and r.response().from_service_worker) and _size(r)]  # type: ignore[union-attr]
    elsewhere = [r for r in made if "localhost" not in r.url]
    return str(len(fetched)), f"{sum(_size(r) for r in fetched) / 1_000:.1f}", str(len(elsewhere))


def _size(request: Request) -> int:
    """What came over the wire; 0 for what the browser had."""
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"] if sizes["responseBodySize"] else 0


def _typing(site: ConsoleSite, page: Page) -> list[float]:
    """From when the request leaves the browser until the hits are on the page."""
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/search")
    field = page.get_by_role("searchbox", name="Words").element_handle()
    return [float(page.evaluate(TYPED, [field, word])) for word in WORDS * 5]


def _first_words(site: ConsoleSite, page: Page, beside: httpx2.Client) -> tuple[float, float]:
    """Milliseconds from the first words of an answer to their being in the page: from when a bare client of the same
    person has them from the server, and from when the page's own script has.

    Both listen before the model says anything.
    """
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/")
    page.evaluate(WATCH)
    page.locator("form#ask details summary").click()
    page.locator("form#ask input[value=generate]").check()
    page.get_by_label("Your question").fill(QUESTION)
    with ThreadPoolExecutor(1) as thread, page.expect_request("**/answers/*/events") as listening:
        page.locator("form#ask").get_by_role("button", name="Ask").click()
        server = thread.submit(_first_event, beside, urlsplit(listening.value.url).path)
    page.wait_for_selector(".turn .sources", timeout=60_000)
    came, shown, origin = page.evaluate("[window.came, window.shown, performance.timeOrigin]")
    if came is None or shown is None:
        raise SystemExit("The page has shown no words of an answer before all of it was there.")
    return origin + shown - server.result(), shown - came


def _first_event(beside: httpx2.Client, path: str) -> float:
    """When the server's first words of this answer are there, in milliseconds of the clock."""
    with beside.stream("GET", path) as events:
        for line in events.iter_lines():
            if line.startswith("data: ") and "text" in json.loads(line[6:]):
                return time.time() * 1_000
    raise SystemExit("An answer had no words.")
