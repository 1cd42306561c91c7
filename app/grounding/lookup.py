"""How much of a sentence each window of the passages holds, by weight. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.grounding.claim import Claim
from app.grounding.evidence import Evidence, Sentence, Window
from app.grounding.facts import is_supported


def matches(evidence: Evidence, claim: Claim) -> Iterator["WindowMatch"]:
    """Every window, with its share of the claim's words and facts."""
    looked_up = LookedUp(evidence, claim)
    for passage in evidence.passages:
        in_header = looked_up.held_by(passage.header)
        held = [looked_up.held_by(s) for s in passage.sentences]
        for window in passage.windows:
            bits = in_header
            for at in range(window.first, window.last + 1):
                bits |= held[at]
            yield WindowMatch(window, looked_up.share(bits))


@dataclass(frozen=True, slots=True)
class WindowMatch:
    window: Window
    coverage: float


class LookedUp:
    """The words and facts of a claim with their weights; what a text holds of them are the bits of a number."""

    def __init__(self, evidence: Evidence, claim: Claim) -> None:
        self._forms = [evidence.forms(s) for s in claim.content]
        self._facts = claim.checked
        self._weights = [*map(evidence.weight, claim.content), *(evidence.weight("") for _ in self._facts)]
        self._total = sum(self._weights) or 1.0

    def held_by(self, sentence: Sentence) -> int:
        bits = 0
        for at, alike in enumerate(self._forms):
            if not alike.isdisjoint(sentence.stems):
                bits |= 1 << at
        for at, fact in enumerate(self._facts, start=len(self._forms)):
            if is_supported(fact, sentence.facts):
                bits |= 1 << at
        return bits

    def share(self, bits: int) -> float:
        return sum(w for at, w in enumerate(self._weights) if bits >> at & 1) / self._total
