"""Many people who ask in the console at once: each piece that they read, and each record of it."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from app.client.api import Client
from benchmarks.console.site import ConsoleSite, question_of
from benchmarks.machine import load
from benchmarks.stats import quantile
from benchmarks.tables import show

ALONE = 5
# Seconds between two words: an answer of some hundred takes as long as one of a model on a good machine.
BETWEEN = 0.08
RECORDED_SECONDS = 30


@dataclass(frozen=True)
class Told:
    """What one person read: `text` as it came, whether the page that is kept has it all, and moments of the clock."""

    person: int
    trail: str
    text: str
    kept: bool
    asked: float
    first: float
    last: float

    @property
    def wait(self) -> float:
        return (self.first - self.asked) * 1_000


def streaming(site: ConsoleSite, people: int) -> None:
    """That many people ask at once, each in a session of their own, and read their answers to the end."""
    sessions = [site.session(f"reader-{number}") for number in range(people)]
    site.model.first, site.model.between = 0.0, BETWEEN
    before = load()
    alone = [_stream(sessions[number], number) for number in range(ALONE)]
    site.model.said.clear()
    with ThreadPoolExecutor(people) as threads:
        begun = time.monotonic()
        told = list(threads.map(_stream, sessions, range(people)))
        seconds = time.monotonic() - begun
    said = {each.person: site.model.said_to(question_of(each.person)) for each in told}
    words = [sum(len(text.split()) for text in texts) for texts in said.values()]
    waits = [each.wait for each in told]
    by_trail = _records(site, {each.trail for each in told})
    rows = [
        ("answers, each asked once of the model", str(sum(len(texts) == 1 for texts in said.values()))),
        ("words that the model said", str(sum(words))),
        ("words that did not come", str(sum(_missing(said[each.person], each.text) for each in told))),
        ("answers that came to the letter", str(sum([each.text] == said[each.person] for each in told))),
        ("answers whole on the page that is kept", str(sum(each.kept for each in told))),
        *((f"answers with one record {kind}", str(number)) for kind, number in by_trail),
        ("streams at the same moment, at most", str(_together(told))),
        ("first words after, ms, alone, p50", str(quantile([each.wait for each in alone], 0.5))),
        (f"first words after, ms, of {people}, p50", str(quantile(waits, 0.5))),
        (f"first words after, ms, of {people}, p95", str(quantile(waits, 0.95))),
        ("all read after, s", f"{seconds:.1f}"),
    ]
    show(f"{people} people streaming at once; before: {before}, after: {load()}", ("", "figure"), rows)


def _stream(session: httpx2.Client, person: int) -> Told:
    """Ask by the form, read the events to their end, and look at the answer that is kept."""
    first_page = session.get("/")
    first_page.raise_for_status()
    token = first_page.text.partition('data-csrf="')[2].partition('"')[0]
    form = {"question": question_of(person), "mode": "generate", "csrf": token}
    asked = time.monotonic()
    turn = session.post("/ask", data=form, headers={"HX-Request": "true"})
    turn.raise_for_status()
    trail = turn.text.partition('id="turn-')[2].partition('"')[0]
    came = list(_pieces(session, trail))
    if not came:
        raise SystemExit(f"Nothing came of answer {trail}.")
    text = "".join(piece for piece, _ in came)
    kept = session.get(f"/answers/{trail}", headers={"HX-Request": "true"})
    kept.raise_for_status()
    whole = all(word in kept.text for word in text.split() if word.isalpha())
    return Told(person, trail, text, whole, asked, came[0][1], came[-1][1])


def _pieces(session: httpx2.Client, trail: str) -> Iterator[tuple[str, float]]:
    """The pieces of text, each with the moment when it came."""
    with session.stream("GET", f"/answers/{trail}/events") as events:
        events.raise_for_status()
        for line in events.iter_lines():
            if line.startswith("data: ") and "text" in (data := json.loads(line[6:])):
                yield data["text"], time.monotonic()


def _missing(said: Sequence[str], came: str) -> int:
    """How many words of what was said are not among those that came."""
    return sum((Counter(" ".join(said).split()) - Counter(came.split())).values())


def _together(told: Sequence[Told]) -> int:
    """How many were between their first and their last piece at the same moment, at most."""
    return max(sum(other.first <= each.first <= other.last for other in told) for each in told)


def _records(site: ConsoleSite, trails: set[str]) -> list[tuple[str, int]]:
    """For each kind of record, of how many of these answers the log has exactly one."""
    with Client(site.url, site.admin_key) as client:
        client.post("/users", {"name": "auditor", "capabilities": ["audit"]})
        key = str(client.post("/keys", {"user": "auditor", "capabilities": ["audit"]})["secret"])
    kinds = ("answer.opened", "answer.closed")
    deadline = time.monotonic() + RECORDED_SECONDS
    with Client(site.url, key) as auditor:
        while True:
            found = [(kind, _once(auditor, kind, trails)) for kind in kinds]
            if time.monotonic() > deadline or all(number == len(trails) for _, number in found):
                return found
            time.sleep(1)


def _once(auditor: Client, kind: str, trails: set[str]) -> int:
    events = auditor.get("/audit/events", kind=kind, limit=1000, newest_first=True)["events"]
    numbers = Counter(event["record"]["trail"] for event in events)
    return sum(numbers[trail] == 1 for trail in trails)
