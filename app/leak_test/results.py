"""What each caller was shown on each surface, and what is wrong with it."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.leak_test.canaries import Canary, CanaryFinder, difference
from app.leak_test.http import RawAnswer

Verdict = Literal["holds", "fails", "refused", "not asked"]
Wrong = Literal["leak", "told apart", "missing", "broken", "not tried", "unexpected"]
# The answers that say no more than that the caller may not do this.
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong. It never holds the canary that was found: only its kind, and where it stood.

    `leak`: a canary came to somebody who may not see it; `told apart`: hidden and absent are answered differently;
    `missing`: what must be shown is not; `broken`: the service failed; `not tried`: no request is known for this route;
    `unexpected`: another answer than an oracle gives (the route matrix of the tests has one, a running instance none).
    """

    surface: str
    person: str
    wrong: Wrong
    canary: str
    where: str


@dataclass
class ProbeResults:
    """Filled by many threads; read when all have ended. `pairs` counts hidden answers compared with absent ones."""

    canaries: Iterable[Canary] = ()
    failures: list[Failure] = field(default_factory=list)
    surfaces: list[str] = field(default_factory=list)
    requests: int = 0
    pairs: int = 0

    def __post_init__(self) -> None:
        self.look_for(self.canaries)
        self._lock = threading.Lock()
        self._shown: dict[tuple[str, str], set[Canary]] = defaultdict(set)
        self._statuses: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._seen: set[Failure] = set()
        self._waived: set[tuple[str, str]] = set()

    def look_for(self, canaries: Iterable[Canary]) -> None:
        """Replace the canaries that are looked for. Not while answers are inspected."""
        self._finder = CanaryFinder(canaries)

    def inspect(self, surface: str, person: str, answer: RawAnswer, *, sent: Iterable[str] = ()) -> None:
        """Look through an answer. Words that the request itself held (`sent`) may come back in it."""
        with self._lock:
            self.requests += 1
            if surface not in self.surfaces:
                self.surfaces.append(surface)
            self._statuses[surface, person].add(answer.status)
        self.find_leaks(surface, person, answer, sent=sent)
        if answer.status >= 500 and answer.status != 503:
            self.add_failure(surface, person, "broken", "–", f"status {answer.status}")

    def find_leaks(self, surface: str, person: str, answer: RawAnswer, *, sent: Iterable[str] = ()) -> None:
        """Note the canaries of an answer, and as leaks those that the person may not be shown."""
        found = self._finder.find(answer)
        said = "\n".join(sent).lower()
        with self._lock:
            self._shown[surface, person] |= found.keys()
        for canary, where in found.items():
            if person not in canary.knowers and canary.word.lower() not in said:
                self.add_failure(surface, person, "leak", f"{canary.kind} of {canary.of}", where)

    def compare(
        self,
        surface: str,
        person: str,
        of: str,
        answers: tuple[RawAnswer, RawAnswer],
        sent: Mapping[str, str],
        *,
        exact: bool = False,
    ) -> None:
        """Hold the answer for something hidden (`of`) against the one for something absent; see `difference`."""
        with self._lock:
            self.pairs += 1
        if found := difference(*answers, sent, exact=exact):
            self.add_failure(surface, person, "told apart", of, found)

    def add_failure(self, surface: str, person: str, wrong: Wrong, canary: str, where: str) -> None:
        """Note what is wrong, once."""
        failure = Failure(surface, person, wrong, canary, where)
        with self._lock:
            if surface not in self.surfaces:
                self.surfaces.append(surface)
            if failure not in self._seen:
                self._seen.add(failure)
                self.failures.append(failure)

    def require_shown(self, surface: str, person: str, wanted: Iterable[Canary], *, all_of: bool = True) -> None:
        """Note as missing what should have been shown on a surface and was not: all, or at least one of `wanted`."""
        wanted = list(wanted)
        if (surface, person) in self._waived:
            return
        lacking = [canary for canary in wanted if canary not in self._shown[surface, person]]
        if lacking and (all_of or len(lacking) == len(wanted)):
            first = lacking[0]
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            statuses = ", ".join(map(str, sorted(self._statuses[surface, person]))) or "not asked"
            self.add_failure(surface, person, "missing", f"{first.kind} of {first.of}{more}", f"status {statuses}")

    def waive(self, surface: str, person: str) -> None:
        """Require nothing here: the service says why it may not show this to anybody."""
        with self._lock:
            self._waived.add((surface, person))

    def verdict(self, surface: str, person: str) -> Verdict:
        if any(f.surface == surface and f.person in {person, ""} for f in self.failures):
            return "fails"
        statuses = self._statuses.get((surface, person))
        if not statuses:
            return "not asked"
        return "refused" if statuses <= _REFUSED else "holds"

    def matrix(self, people: Iterable[str]) -> list[tuple[str, dict[str, Verdict]]]:
        """All surfaces in order, with a verdict for each person."""
        people = list(people)
        return [(s, {person: self.verdict(s, person) for person in people}) for s in sorted(self.surfaces, key=_order)]


def _order(surface: str) -> tuple[int, str, str]:
    """Questions first, then what is read, then what would change something, then the commands."""
    method, _, path = surface.partition(" ")
    if path.startswith(("/ask", "/search")):
        return 0, path, method
    return {"GET": 1, "page": 1, "clearance": 3}.get(method, 2), path, method
