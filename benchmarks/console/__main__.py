"""How fast the console is: `python -m benchmarks.console` (needs the system's Chromium for the figures of the browser).

Pages against their API calls (alternately, in one run), weight and requests of the first page cold and warm, search
while somebody types, the first words of an answer on the page against the server's event, and 32 people who stream at
once: no piece and no record lost.
"""

import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from app.client.api import Client
from benchmarks.console.browser import in_a_browser
from benchmarks.console.site import QUESTION, ConsoleSite, console_site
from benchmarks.stats import quantile
from benchmarks.tables import show

ROUNDS = 40
PEOPLE = 32


def timed(call: Callable[[], httpx2.Response]) -> float:
    begun = time.perf_counter()
    answer = call()
    if answer.status_code >= httpx2.codes.BAD_REQUEST:
        raise SystemExit(f"{answer.request.url} answers {answer.status_code}: {answer.text[:300]}")
    return (time.perf_counter() - begun) * 1_000


def against_the_api(site: ConsoleSite) -> None:
    """Each page and the API call that it stands on, one after the other in turn."""
    browser = site.session("reader-0")
    api = httpx2.Client(base_url=f"{site.url}/api/v1", trust_env=False, timeout=60)
    api.headers["Authorization"] = f"Bearer {site.reader_key}"
    document = api.get("/documents").json()[0]["id"]
    conversation = api.post("/conversations", json={}).json()["id"]
    api.post("/ask", json={"question": QUESTION, "mode": "quote", "conversation": conversation})
    pairs: list[tuple[str, Callable[[], httpx2.Response], Callable[[], httpx2.Response]]] = [
        ("search", lambda: browser.get("/search", params={"q": QUESTION}, headers={"HX-Request": "true"}),
         lambda: api.post("/search", json={"query": QUESTION, "limit": 20})),
        ("documents", lambda: browser.get("/documents"), lambda: api.get("/documents?limit=50")),
        ("a document", lambda: browser.get(f"/documents/{document}"), lambda: api.get(f"/documents/{document}")),
        ("conversations", lambda: browser.get("/conversations"), lambda: api.get("/conversations?limit=50")),
        ("a conversation", lambda: browser.get(f"/conversations/{conversation}"),
         lambda: api.get(f"/conversations/{conversation}?limit=20")),
        ("who I am", lambda: browser.get("/me"), lambda: api.get("/users/me")),
    ]  # fmt: skip
    rows = []
    for name, page, call in pairs:
        page(), call()
        both = [(timed(page), timed(call)) for _ in range(ROUNDS)]
        ratio = statistics.median(p / c for p, c in both)
        rows.append(
            (name, str(quantile([p for p, _ in both], 0.5)), str(quantile([c for _, c in both], 0.5)), f"{ratio:.2f}")
        )
    show("a page against its API call, ms at the median, and their ratio", ("page", "page", "API", "ratio"), rows)


def streaming(site: ConsoleSite) -> None:
    """32 people ask at once, each in a session of their own, and read their answers to the end."""
    with ThreadPoolExecutor(PEOPLE) as threads:
        sessions = list(threads.map(site.session, [f"reader-{n}" for n in range(PEOPLE)]))
        begun = time.perf_counter()
        told = list(threads.map(_stream, sessions))
        seconds = time.perf_counter() - begun
    lost = sum(not whole for whole, _, _ in told)
    with Client(site.url, site.admin_key) as client:
        client.post("/users", {"name": "auditor", "capabilities": ["audit"]})
        key = str(client.post("/keys", {"user": "auditor", "capabilities": ["audit"]})["secret"])
    time.sleep(3)
    with Client(site.url, key) as auditor:
        trails = {trail for _, trail, _ in told}
        kinds = {
            kind: sum(
                event["record"]["trail"] in trails
                for page in [auditor.get("/audit/events", kind=kind, limit=1000, newest_first=True)]
                for event in page["events"]
            )
            for kind in ("answer.opened", "answer.closed")
        }
    waits = [first for _, _, first in told]
    show(
        f"{PEOPLE} people streaming at once",
        ("", "figure"),
        [
            ("answers that were not whole", str(lost)),
            ("records of opened answers", str(kinds["answer.opened"])),
            ("records of closed answers", str(kinds["answer.closed"])),
            ("first words after, ms, p50", str(quantile(waits, 0.5))),
            ("first words after, ms, p95", str(quantile(waits, 0.95))),
            ("all read after, s", f"{seconds:.1f}"),
        ],
    )


def _stream(session: httpx2.Client) -> tuple[bool, str, float]:
    """Whether the pieces are the answer that is kept; its trail; milliseconds until the first words."""
    page = session.get("/").text
    token = page.partition('data-csrf="')[2].partition('"')[0]
    form = {"question": QUESTION, "mode": "generate", "csrf": token}
    begun = time.perf_counter()
    turn = session.post("/ask", data=form, headers={"HX-Request": "true"})
    turn.raise_for_status()
    trail = turn.text.partition('id="turn-')[2].partition('"')[0]
    pieces, first = [], 0.0
    with session.stream("GET", f"/answers/{trail}/events") as events:
        for line in events.iter_lines():
            if line.startswith("data: ") and "text" in (data := json.loads(line[6:])):
                first = first or (time.perf_counter() - begun) * 1_000
                pieces.append(data["text"])
    kept = session.get(f"/answers/{trail}", headers={"HX-Request": "true"}).text
    words = [word for word in "".join(pieces).split() if word.isalpha()]
    return bool(words) and all(word in kept for word in words), trail, first


if __name__ == "__main__":
    with console_site(PEOPLE) as site:
        against_the_api(site)
        in_a_browser(site)
        streaming(site)
