"""How fast the console is: `python -m benchmarks.console` (needs the system's Chromium for the figures of the browser).

It starts a service with a small company of its own, and a model that says true sentences word by word. It prints:

- pages and the API calls that they stand on, 40 of each in turn: the ratio is to be at most 1.5. A person's own page
  also lists keys, sessions and passkeys, for which the API has calls of their own;
- requests, weight and other origins of the first page, cold and warm;
- from the request of a word in the search field, which leaves 200 ms after the last letter, to its hits on the page: at
  most 100 ms;
- from an answer's first words, as a bare client of the same person has them from the server, to their being in the
  page: at most 50 ms, and below 0 where the page had them first;
- 32 people, each in a session of their own and all behind one address, who ask by the page's form at once and read the
  events: every word that the model said has to come, and of every answer one record that it was opened and one that it
  was closed. The first words wait for the end of a sentence, which grounding judges: one person alone waits so too.
"""

import time
from collections.abc import Callable

import httpx2

from app.client.api import Client
from benchmarks.console.browser import in_a_browser
from benchmarks.console.site import QUESTION, ConsoleSite, console_site
from benchmarks.console.streaming import streaming
from benchmarks.machine import load
from benchmarks.stats import quantile
from benchmarks.tables import show

ROUNDS = 40
# What the page of oneself shows: four calls of the API.
MINE = ("/users/me", "/keys", "/sessions", "/passkeys")
PEOPLE = 32


def timed(call: Callable[[], httpx2.Response]) -> float:
    begun = time.perf_counter()
    answer = call()
    if answer.status_code >= httpx2.codes.BAD_REQUEST:
        raise SystemExit(f"{answer.request.url} answers {answer.status_code}: {answer.text[:300]}")
    return (time.perf_counter() - begun) * 1_000


Pairs = list[tuple[str, Callable[[], httpx2.Response], Callable[[], httpx2.Response]]]


def _of_the_others(site: ConsoleSite) -> Pairs:
    """Pages of who curates, administers and audits, each with the call that it stands on."""
    with Client(site.url, site.admin_key) as admin:
        admin.post("/users", {"name": "warden", "capabilities": ["curate", "administer", "audit"]})
        admin.put("/collections/handbook/curators/warden")
        key = admin.post("/keys", {"user": "warden", "capabilities": ["curate", "administer", "audit"]})["secret"]
    browser = site.session("warden")
    api = httpx2.Client(base_url=f"{site.url}/api/v1", trust_env=False, timeout=60)
    api.headers["Authorization"] = f"Bearer {key}"
    looks = "newest_first=true&opened=false&limit=50"
    return [
        ("a collection", lambda: browser.get("/collections/handbook"),
         lambda: [api.get(f"/collections/handbook/{part}") for part in ("tree", "documents?limit=50")][-1]),
        ("people", lambda: browser.get("/people"), lambda: api.get("/users?limit=50")),
        ("the log", lambda: browser.get("/log"), lambda: api.get(f"/audit/events?{looks}")),
        ("a record", lambda: browser.get("/log/7"), lambda: api.get("/audit/events/7?opened=false")),
    ]  # fmt: skip


def against_the_api(site: ConsoleSite) -> None:
    """Each page and the API call that it stands on, one after the other in turn."""
    browser = site.session("reader-0")
    api = httpx2.Client(base_url=f"{site.url}/api/v1", trust_env=False, timeout=60)
    api.headers["Authorization"] = f"Bearer {site.reader_key}"
    document = api.get("/documents").json()[0]["id"]
    conversation = api.post("/conversations", json={}).json()["id"]
    api.post("/ask", json={"question": QUESTION, "mode": "quote", "conversation": conversation})
    pairs: Pairs = [
        ("search", lambda: browser.get("/search", params={"q": QUESTION}, headers={"HX-Request": "true"}),
         lambda: api.post("/search", json={"query": QUESTION, "limit": 20})),
        ("documents", lambda: browser.get("/documents"), lambda: api.get("/documents?limit=50")),
        ("a document", lambda: browser.get(f"/documents/{document}"), lambda: api.get(f"/documents/{document}")),
        ("conversations", lambda: browser.get("/conversations"), lambda: api.get("/conversations?limit=50")),
        ("a conversation", lambda: browser.get(f"/conversations/{conversation}"),
         lambda: api.get(f"/conversations/{conversation}?limit=20")),
        ("who I am, with its lists", lambda: browser.get("/me"), lambda: [api.get(path) for path in MINE][-1]),
        ("... against the first alone", lambda: browser.get("/me"), lambda: api.get(MINE[0])),
    ]  # fmt: skip
    pairs += _of_the_others(site)
    rows = []
    for name, page, call in pairs:
        page(), call()
        both = [(timed(page), timed(call)) for _ in range(ROUNDS)]
        figures = [[p for p, _ in both], [c for _, c in both], [p / c for p, c in both]]
        rows.append((name, *(str(quantile(of, 0.5)) for of in figures)))
    title = f"a page against its API call, ms at the median, and their ratio; {load()}"
    show(title, ("page", "page", "API", "ratio"), rows)


if __name__ == "__main__":
    with console_site(PEOPLE) as site:
        against_the_api(site)
        in_a_browser(site)
        streaming(site, PEOPLE)
