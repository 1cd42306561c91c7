"""What was heard on each surface by each person, and what is wrong with it."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from app.leak_test.canaries import Finder
from app.leak_test.cast import PEOPLE, Canary
from app.leak_test.requests import Answer

Verdict = Literal["holds", "fails", "refused", "not asked"]
# The answers that say no more than that the caller may not do this.
_REFUSED = frozenset({401, 403})
Place = tuple[str, str]  # a surface and a person


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong. It never holds what was found: only of which kind it is, and where it stood.

    `leak`: a canary came to somebody who may not see it; `told apart`: hidden and absent are answered otherwise;
    `missing`: what must be shown is not; `broken`: the service failed; `not tried`: the kit cannot ask this route.
    """

    surface: str
    person: str
    wrong: Literal["leak", "told apart", "missing", "broken", "not tried"]
    canary: str
    where: str


@dataclass
class Tally:
    """Filled by many threads; read when all have ended."""

    canaries: Iterable[Canary] = ()
    failures: list[Failure] = field(default_factory=list)
    surfaces: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        self.know(self.canaries)
        self._lock = threading.Lock()
        self._found: dict[Place, set[Canary]] = defaultdict(set)
        self._heard: dict[Place, set[int]] = defaultdict(set)
        self._seen: set[Failure] = set()
        self._excused: set[Place] = set()

    def know(self, canaries: Iterable[Canary]) -> None:
        """From now on these are looked for, all of them; before anybody else asks."""
        self._finder = Finder(canaries)

    def hear(self, surface: str, person: str, answer: Answer, *, sent: Iterable[str] = ()) -> set[Canary]:
        """Look through an answer. What the request itself named may come back in it. Gives all that was found."""
        found = self._finder.find(answer)
        said = "\n".join(sent).lower()
        with self._lock:
            self.requests += 1
            if surface not in self.surfaces:
                self.surfaces.append(surface)
            self._heard[surface, person].add(answer.status)
            self._found[surface, person] |= found.keys()
        for canary, where in found.items():
            if person not in canary.knowers and canary.word.lower() not in said:
                self.fail(surface, person, "leak", f"{canary.kind} of {canary.of}", where)
        if answer.status >= 500 and answer.status != 503:
            self.fail(surface, person, "broken", "–", f"status {answer.status}")
        return set(found)

    def fail(
        self,
        surface: str,
        person: str,
        wrong: Literal["leak", "told apart", "missing", "broken", "not tried"],
        canary: str,
        where: str,
    ) -> None:
        """Note what is wrong, once."""
        failure = Failure(surface, person, wrong, canary, where)
        with self._lock:
            if surface not in self.surfaces:
                self.surfaces.append(surface)
            if failure not in self._seen:
                self._seen.add(failure)
                self.failures.append(failure)

    def require(self, surface: str, person: str, wanted: Iterable[Canary], *, all_of: bool = True) -> None:
        """What must have been shown on a surface: a service that shows nothing keeps no promise."""
        wanted = list(wanted)
        if (surface, person) in self._excused:
            return
        lacking = [canary for canary in wanted if canary not in self._found[surface, person]]
        if lacking and (all_of or len(lacking) == len(wanted)):
            first = lacking[0]
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            statuses = ", ".join(map(str, sorted(self._heard[surface, person]))) or "not asked"
            self.fail(surface, person, "missing", f"{first.kind} of {first.of}{more}", f"status {statuses}")

    def excuse(self, surface: str, person: str) -> None:
        """Nothing has to be shown here: the service says why it may not, and that is so for all they may read."""
        with self._lock:
            self._excused.add((surface, person))

    def verdict(self, surface: str, person: str) -> Verdict:
        """How a surface stands for a person."""
        if any(f.surface == surface and f.person in {person, ""} for f in self.failures):
            return "fails"
        heard = self._heard.get((surface, person))
        if not heard:
            return "not asked"
        return "refused" if heard <= _REFUSED else "holds"

    def matrix(self) -> list[tuple[str, dict[str, Verdict]]]:
        """All surfaces in order, with a verdict for each person."""
        return [(s, {person: self.verdict(s, person) for person in PEOPLE}) for s in sorted(self.surfaces, key=_order)]


def _order(surface: str) -> tuple[int, str, str]:
    """Questions first, then what is read, then what would change something, then the commands."""
    method, _, path = surface.partition(" ")
    if path.startswith(("/ask", "/search")):
        return 0, path, method
    return {"GET": 1, "clearance": 3}.get(method, 2), path, method
