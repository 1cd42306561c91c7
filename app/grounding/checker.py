"""The verdict on one sentence of an answer: what its passages support, change, contradict or do not hold. Pure.

A window supports a sentence if it has all its facts and names, does not say the opposite, and holds enough of its
words, weighted. A sentence that no window supports is judged by the one that is closest to it: if that one is about the
same thing and has another fact in its place, or the fact stands in no passage at all, the sentence is wrong; if nothing
is close, it is not found.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.grounding.claim import Claim
from app.grounding.contradiction import Contradictions
from app.grounding.evidence import Evidence, Sentence, Window
from app.grounding.facts import Fact, is_supported
from app.grounding.lookup import WindowMatch, matches
from app.grounding.names import Name
from app.grounding.near_copy import difference
from app.grounding.phrases import OPENING, UNKNOWN
from app.indexing.terms import text_language

# How the thresholds were set, and what they cost on each side: docs/answers.md.
MIN_COVERAGE = 0.42  # share of a sentence's weight that a window must hold to support it
SAME_SUBJECT = 0.5  # … to be about the same thing, so that another fact in it contradicts

MISSING_COSTS = 0.5  # what a fact or name that no passage has takes from the support of a sentence

Kind = Literal["supported", "wrong", "not_found", "glue"]
Reason = Literal["number", "date", "name", "negation", "words", "entailment"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passages` support the sentence, best first, by their numbers in the context; `reason` says why none does."""

    kind: Kind
    reason: Reason | None = None
    passages: tuple[int, ...] = ()
    coverage: float = 0.0


GLUE = Verdict("glue")


@dataclass(frozen=True, slots=True)
class Premise:
    """The window of a passage that is closest to a sentence, or all of a passage that shares no word with it, under
    title and headings; `is_complete` if it has all the sentence's facts and names.
    """

    passage: int
    text: str
    is_complete: bool


def declines(text: str) -> bool:
    """Whether a sentence says that the passages do not answer."""
    return UNKNOWN.search(text) is not None


class SentenceChecker(Protocol):
    """What judges the sentences of an answer."""

    def check(self, text: str, cited: Collection[int] = ()) -> Verdict:
        """The verdict on a sentence that cites these passages."""


class Checker:
    """Checks the sentences of one answer against its passages."""

    def __init__(self, evidence: Evidence, question: str, *, min_coverage: float = MIN_COVERAGE) -> None:
        self._evidence = evidence
        self._min_coverage = min_coverage
        self._asked = Sentence(question, text_language(question), 0, 0)
        self._contradictions = Contradictions(evidence, self._asked)

    def check(self, text: str, cited: Collection[int] = ()) -> Verdict:
        """The verdict on a sentence; the passages it cites come first among those that support it."""
        claim = Claim.of(text)
        if (changed := difference(claim, self._evidence)) is not None:
            return Verdict("wrong", changed, (), 1.0)
        if self._is_glue(claim):
            return GLUE
        found = sorted(matches(self._evidence, claim), key=lambda m: -m.coverage)
        return self._judged(claim, found, cited) if found else Verdict("not_found", "words")

    def _judged(self, claim: Claim, found: Sequence[WindowMatch], cited: Collection[int]) -> Verdict:
        """The verdict by the windows, those that hold most before the others."""
        best = found[0]
        supporting: dict[int, float] = {}
        for match in found:
            if match.coverage < self._min_coverage:
                break
            number = match.window.passage.number
            if number not in supporting and self._differs(claim, match.window) is None:
                supporting[number] = match.coverage
        if best.coverage >= SAME_SUBJECT and (reason := self._contradictions.find(claim)) is not None:
            return Verdict("wrong", reason, (), best.coverage)
        if not supporting:
            return self._unsupported(claim, best)
        if self._contradictions.has_other_name(claim):
            return Verdict("not_found", "name", (), best.coverage)
        return Verdict("supported", None, _best(supporting, cited), max(supporting.values()))

    def premises(self, text: str, first: Collection[int], limit: int) -> list[Premise]:
        """The closest window of each of `limit` passages, those with the numbers `first` before the others."""
        claim = Claim.of(text)
        closest = {p.number: WindowMatch(p.whole, 0.0) for p in self._evidence.passages if p.sentences}
        for match in matches(self._evidence, claim):
            number = match.window.passage.number
            if match.coverage > closest[number].coverage:
                closest[number] = match
        ordered = sorted(closest, key=lambda n: (n not in first, -closest[n].coverage, n))
        return [
            Premise(n, closest[n].window.text, self._differs(claim, closest[n].window) is None) for n in ordered[:limit]
        ]

    def support(self, text: str) -> float:
        """How well a single window supports a sentence: its share of the words, less for each name and fact not held.

        From 1 (it has all) to below 0; for ranking sentences, no verdict.
        """
        claim = Claim.of(text)
        coverage = max((match.coverage for match in matches(self._evidence, claim)), default=0.0)
        given = [f for p in self._evidence.passages for s in (*p.sentences, p.header) for f in s.facts]
        missing = sum(not is_supported(fact, given) for fact in claim.checked)
        strange = sum(name.sure and not self._known(name) for name in claim.named)
        return coverage - MISSING_COSTS * (min(missing, 3) + min(strange, 3))

    def _is_glue(self, claim: Claim) -> bool:
        if declines(claim.text) and not claim.checked:
            return True
        if claim.checked:
            return False
        strange = [n for n in claim.named if n.sure and not self._known(n)]
        if strange:
            return False
        if any(negation.governed for negation in claim.polarity.negations):
            return False
        return len(claim.content) < 2 or (len(claim.content) <= 6 and OPENING.match(claim.text) is not None)

    def _known(self, name: Name) -> bool:
        return self._asked.has_name(name) or any(p.has_name(name) for p in self._evidence.passages)

    def _differs(self, claim: Claim, window: Window) -> Reason | None:
        """Which facts or names a window that has enough of the words does not hold; "words" if it has a number of
        something else, or a name stands elsewhere in its passage, which contradicts nothing.
        """
        given = [f for s in window.sentences for f in s.facts] + window.passage.header.facts
        for fact in claim.checked:
            if not is_supported(fact, given):
                return _reason(fact)
        strange = [n for n in claim.named if n.sure and not any(s.has_name(n) for s in window.around)]
        strange = [n for n in strange if not self._contradictions.is_given(claim, n)]
        if not all(window.passage.has_name(name) for name in strange):
            return "name"
        return "words" if strange or any(self._counts_else(claim, fact, window) for fact in claim.checked) else None

    def _counts_else(self, claim: Claim, fact: Fact, window: Window) -> bool:
        """Whether nothing in a window that has a number names what it counts."""
        counted = [self._evidence.forms(stem) for stem in claim.counted(fact)]
        given = (*window.sentences, window.passage.header)
        return bool(counted) and not any(forms & s.stems for s in given for forms in counted)

    def _unsupported(self, claim: Claim, best: WindowMatch) -> Verdict:
        everywhere = [f for p in self._evidence.passages for s in (*p.sentences, p.header) for f in s.facts]
        for fact in claim.checked:
            if not is_supported(fact, everywhere):
                return Verdict("wrong", _reason(fact), (), best.coverage)
        reason = self._differs(claim, best.window) or "number"
        if best.coverage >= SAME_SUBJECT and reason != "words":
            return Verdict("wrong", reason, (), best.coverage)
        return Verdict("not_found", "words", (), best.coverage)


def _reason(fact: Fact) -> Reason:
    return "number" if fact.kind in {"number", "code"} else "date"


def _best(supporting: dict[int, float], cited: Collection[int]) -> tuple[int, ...]:
    named = [n for n in supporting if n in cited]
    return tuple(named or [max(supporting, key=lambda n: (supporting[n], -n))])
