"""A race between one who revokes and many who read: when each change was committed, when each look began and ended, and
what it showed.

All moments are of one clock, which is the database's too: `time.time()` of this machine. A look that began after the
COMMIT of a revocation had returned, and ended before the next grant began, must show nothing; between grant and
revocation it must show the document, or nothing was tried. What lies across a change is counted and not judged.
"""

import bisect
import contextlib
import http.client
import json
import math
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TRAIL = re.compile(rb'"trail":"([0-9a-f-]{36})"')
ANSWERS = {200, 401, 403, 404}
# Longest that all readers may take for one look each.
PATIENCE = 120.0
# How many looks a reader begins after each revocation.
LATER = 3


@dataclass(frozen=True)
class Change:
    """A revocation or a grant: before its transaction began, and after its COMMIT returned."""

    what: str
    visible: bool
    began: float
    committed: float


@dataclass(frozen=True)
class Surface:
    """One way to see the document: a request, and what counts as having seen it."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None
    shows: Callable[[int, bytes], bool]


@dataclass(frozen=True)
class Look:
    """One request of one reader, and whether it showed the document."""

    reader: int
    surface: str
    began: float
    ended: float
    status: int
    shown: bool
    trail: str | None


# One transaction, or one moment of the clock: when it began, and when it was sure.
Act = Callable[[], tuple[float, float]]


@dataclass(frozen=True)
class Revocation:
    """Takes the document away from the reader, and gives it back."""

    name: str
    revoke: Act
    grant: Act


@dataclass
class Score:
    """What a race looked at. A pair is a revocation, and a request begun after it and ended before the next grant.

    `late`: surface, revocation, and how many seconds after it a request began that showed the document.
    `trails`: of answers that were begun after a revocation.
    """

    revocations: int
    requests: int
    after: Counter[tuple[str, str]] = field(default_factory=Counter)
    across: int = 0
    late: list[tuple[str, str, float]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    trails: list[str] = field(default_factory=list)

    @property
    def pairs(self) -> int:
        return self.after.total()

    def __str__(self) -> str:
        kinds, surfaces = ({pair[n] for pair in self.after} for n in (0, 1))
        return (
            f"{self.revocations} revocations of {len(kinds)} kinds raced by {self.requests} requests on "
            f"{len(surfaces)} surfaces: {self.pairs} pairs, {self.across} requests across a commit, "
            f"{len(self.late)} late sightings {self.late[:1]}"
        )


class Readers:
    """Threads that each send one request after another. After a revocation each ends LATER looks that it began since,
    and waits for the grant: so each revocation is raced by all of them, and no time goes on looking at nothing.
    """

    def __init__(self, url: str, headers: Mapping[str, str], surfaces: Sequence[Surface], *, count: int) -> None:
        self.looks: list[Look] = []
        self.failed: list[BaseException] = []
        self.count = count
        self._url, self._headers, self._surfaces = url, {**headers, "Content-Type": "application/json"}, surfaces
        self._stop, self._news = threading.Event(), threading.Condition()
        self._revoked_at, self._granted_at, self._ended = math.inf, -math.inf, 0
        self._since, self._later = Counter[int](), Counter[int]()
        self._threads = [threading.Thread(target=self._guarded, args=(n,), daemon=True) for n in range(count)]

    @contextlib.contextmanager
    def running(self) -> Iterator["Readers"]:
        """Started at the beginning, ended at the end; what broke a reader is raised here."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self.granted(math.inf)
            for thread in self._threads:
                thread.join(PATIENCE)
        if self.failed:
            raise self.failed[0]

    def granted(self, committed: float) -> None:
        with self._news:
            self._revoked_at, self._granted_at, self._ended = math.inf, committed, 0
            self._since.clear()
            self._later.clear()
            self._news.notify_all()

    def await_looks(self, number: int) -> None:
        """Until so many looks have ended since the grant."""
        self._await(lambda: self._ended >= number)

    def await_one_each(self) -> None:
        """Until each reader has ended a look that it began since the grant, however long that one takes."""
        self._await(lambda: len(self._since) == self.count)

    def await_all_after(self, committed: float) -> None:
        """Until each reader has ended LATER looks that it began at this moment or later."""
        with self._news:
            self._revoked_at = committed
        self._await(lambda: sum(n >= LATER for n in self._later.values()) == self.count)

    def _await(self, held: Callable[[], bool]) -> None:
        with self._news:
            done = self._news.wait_for(lambda: bool(self.failed) or held(), PATIENCE)
        if self.failed:
            raise self.failed[0]
        assert done, "the readers stand still"

    def _guarded(self, number: int) -> None:
        try:
            self._read(number)
        except BaseException as error:  # noqa: BLE001  # raised again where the race is run
            with self._news:
                self.failed.append(error)
                self._news.notify_all()

    def _read(self, number: int) -> None:
        dice = random.Random(number)
        with contextlib.closing(http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=PATIENCE)) as line:
            while not self._stop.is_set():
                for surface in dice.sample(self._surfaces, len(self._surfaces)):
                    look = self._look(line, number, surface)
                    self._report(look)
                    if self._stop.is_set():
                        return

    def _report(self, look: Look) -> None:
        with self._news:
            self.looks.append(look)
            self._ended += 1
            if look.began >= self._granted_at:
                self._since[look.reader] += 1
            self._later[look.reader] += look.began >= self._revoked_at
            self._news.notify_all()
            if self._later[look.reader] >= LATER:
                self._news.wait_for(lambda: self._revoked_at == math.inf or self._stop.is_set())

    def _look(self, line: http.client.HTTPConnection, number: int, surface: Surface) -> Look:
        body = None if surface.body is None else json.dumps(surface.body)
        began = time.time()
        line.request(surface.method, surface.path, body, dict(self._headers))
        answer = line.getresponse()
        content = answer.read()
        ended = time.time()
        assert answer.status in ANSWERS, f"{surface.name}: {answer.status} {content[:300]!r}"
        trail = TRAIL.search(content)
        shown = surface.shows(answer.status, content)
        return Look(number, surface.name, began, ended, answer.status, shown, trail and trail[1].decode())


def race(readers: Readers, revocations: Sequence[Revocation], *, rounds: int) -> list[Change]:
    """Revoke and grant `rounds` times: at a moment when some readers have seen the document since the last grant and
    others are about to. In every other round, by chance, each reader has seen it: else what takes longest, as an answer
    does, is hardly ever seen, and to hide it would prove nothing.
    """
    dice = random.Random(rounds)
    changes = [Change("beginning", True, time.time(), time.time())]
    for number in range(rounds):
        taken = revocations[number % len(revocations)]
        if dice.random() < 0.5:
            readers.await_looks(dice.randint(1, 2 * readers.count))
        else:
            readers.await_one_each()
        changes.append(Change(taken.name, False, *taken.revoke()))
        readers.await_all_after(changes[-1].committed)
        changes.append(Change(taken.name, True, *taken.grant()))
        readers.granted(changes[-1].committed)
    return changes


def judge(changes: Sequence[Change], looks: Sequence[Look]) -> Score:
    score = Score(revocations=sum(not c.visible for c in changes), requests=len(looks))
    committed = [c.committed for c in changes]
    for look in looks:
        place = bisect.bisect_right(committed, look.began) - 1
        if place < 0 or (place + 1 < len(changes) and look.ended > changes[place + 1].began):
            score.across += place >= 0
            continue
        change = changes[place]
        if change.visible:
            score.seen[look.surface] += look.shown
            if not look.shown:
                score.missed.append(f"{look.surface} after {change.what}: {look.status}")
            continue
        score.after[change.what, look.surface] += 1
        if look.shown:
            score.late.append((look.surface, change.what, look.began - change.committed))
        elif look.trail is not None:
            score.trails.append(look.trail)
    return score
