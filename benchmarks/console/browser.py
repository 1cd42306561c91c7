"""What somebody in front of Chromium waits for."""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, Request, sync_playwright

from benchmarks.console.site import QUESTION, ConsoleSite
from benchmarks.stats import quantile
from benchmarks.tables import show

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# Notes when the first piece reaches the page's script, and when words of it are in the document.
WATCH = """() => {
  window.shown = null; window.came = null;
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(url) {
      super(url);
      this.addEventListener("delta", () => { window.came ??= performance.now(); });
    }
  };
  const written = "[data-text]:not(.answer__waiting), .turn .answer__text--html, .turn .quote";
  const look = () => {
    if (document.querySelector(written)?.textContent.trim()) window.shown ??= performance.now();
  };
  const all = { childList: true, subtree: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.getElementById("turns"), all);
}"""

TYPED = """() => {
  document.addEventListener("htmx:before:request", () => { window.sent = performance.now(); });
  document.addEventListener("htmx:after:swap", () => { window.swapped = performance.now(); });
}"""


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
            ("first page, cold", *_loaded(site, page, cold=True)),
            ("first page, warm", *_loaded(site, page, cold=False)),
        ]
        show("the first page", ("", "requests", "KB over the wire", "of another origin"), rows)
        waits = [("typing to hits", str(quantile(_typing(site, page), 0.5)), str(quantile(_typing(site, page), 0.95)))]
        first = [_first_words(site, page) for _ in range(12)]
        waits.append(("server's first words to the page", str(quantile(first, 0.5)), str(quantile(first, 0.95))))
        show("in the browser, ms", ("", "p50", "p95"), waits)


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
    page.evaluate(TYPED)
    times = []
    for word in ("training", "travel", "parking", "laptops", "visitors", "kitchen", "security", "holidays") * 3:
        page.evaluate("window.sent = window.swapped = null")
        page.get_by_role("searchbox", name="Words").fill(word)
        page.wait_for_function("window.swapped !== null", timeout=30_000)
        times.append(float(page.evaluate("window.swapped - window.sent")))
    return times


def _first_words(site: ConsoleSite, page: Page) -> float:
    """From the moment when the event reaches the browser's network to the words in the page."""
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/")
    page.evaluate(WATCH)
    page.locator("form#ask details summary").click()
    page.locator("form#ask input[value=generate]").check()
    page.get_by_label("Your question").fill(QUESTION)
    page.locator("form#ask").get_by_role("button", name="Ask").click()
    page.wait_for_selector(".turn .sources", timeout=60_000)
    came, shown = page.evaluate("[window.came, window.shown]")
    return float(shown - came) if came is not None else 0.0
