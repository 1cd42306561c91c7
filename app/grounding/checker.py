"""The verdict on one sentence of an answer: what its passages support, change, contradict or do not hold. Pure.

A window supports a sentence if it has all its facts and names, does not say the opposite, and holds enough of its
words, weighted. A sentence that no window supports is judged by the one that is closest to it: if that one is about the
same thing and has another fact in its place, or the fact stands in no passage at all, the sentence is wrong; if nothing
is close, it is not found.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from app.grounding.claim import Claim
from app.grounding.evidence import Evidence, PassageEvidence, Sentence, Window
from app.grounding.facts import Fact, is_supported
from app.grounding.names import Name, holds_name
from app.grounding.near_copy import difference
from app.grounding.phrases import OPENING, UNKNOWN
from app.grounding.polarity import Negation, has_opposite
from app.grounding.substitution import is_substituted
from app.indexing.terms import text_language

# How the thresholds were set, and what they cost on each side: docs/answers.md.
MIN_COVERAGE = 0.45  # share of a sentence's weight that a window must hold to support it
SAME_SUBJECT = 0.5  # … to be about the same thing, so that another fact in it contradicts

MISSING_COSTS = 0.5  # what a fact or name that no passage has takes from the support of a sentence
MIN_SHARED = 0.5  # share of a clause that a sentence must hold to be read as its affirmation or denial

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

    def __init__(self, evidence: Evidence, question: str) -> None:
        self._evidence = evidence
        self._asked = Sentence(question, text_language(question), 0, 0)

    def check(self, text: str, cited: Collection[int] = ()) -> Verdict:
        """The verdict on a sentence; the passages it cites come first among those that support it."""
        claim = Claim.of(text)
        if (changed := difference(claim, self._evidence)) is not None:
            return Verdict("wrong", changed, (), 1.0)
        if self._is_glue(claim):
            return GLUE
        matches = sorted(self._matches(claim), key=lambda m: -m.coverage)
        if not matches:
            return Verdict("not_found", "words")
        best = matches[0]
        supporting: dict[int, float] = {}
        for match in matches:
            if match.coverage < MIN_COVERAGE:
                break
            number = match.window.passage.number
            if number not in supporting and self._differs(claim, match.window) is None:
                supporting[number] = match.coverage
        if best.coverage >= SAME_SUBJECT and (reason := self._contradicts(claim)) is not None:
            return Verdict("wrong", reason, (), best.coverage)
        if supporting:
            return Verdict("supported", None, _best(supporting, cited), max(supporting.values()))
        return self._unsupported(claim, best)

    def premises(self, text: str, first: Collection[int], limit: int) -> list[Premise]:
        """The closest window of each of `limit` passages, those with the numbers `first` before the others."""
        claim = Claim.of(text)
        closest = {p.number: _Match(p.whole, 0.0) for p in self._evidence.passages if p.sentences}
        for match in self._matches(claim):
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
        coverage = max((match.coverage for match in self._matches(claim)), default=0.0)
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
        return holds_name(name.form, self._asked.surface, "") or any(_holds(p, name) for p in self._evidence.passages)

    def _matches(self, claim: Claim) -> Iterable["_Match"]:
        looked_up = _LookedUp(self._evidence, claim)
        for passage in self._evidence.passages:
            in_header = looked_up.held_by(passage.header)
            held = [looked_up.held_by(s) for s in passage.sentences]
            for window in passage.windows:
                bits = in_header
                for at in range(window.first, window.last + 1):
                    bits |= held[at]
                yield _Match(window, looked_up.share(bits))

    def _differs(self, claim: Claim, window: Window) -> Reason | None:
        """Which facts or names a window that has enough of the words does not hold; "words" if it has a number of
        something else, which contradicts nothing.
        """
        given = [f for s in window.sentences for f in s.facts] + window.passage.header.facts
        for fact in claim.checked:
            if not is_supported(fact, given):
                return _reason(fact)
        for name in claim.named:
            if name.sure and not _holds(window.passage, name) and not self._is_given(claim, name):
                return "name"
        return "words" if any(self._counts_else(claim, fact, window) for fact in claim.checked) else None

    def _counts_else(self, claim: Claim, fact: Fact, window: Window) -> bool:
        """Whether nothing in a window that has a number names what it counts."""
        counted = [self._evidence.forms(stem) for stem in claim.counted(fact)]
        given = (*window.sentences, window.passage.header)
        return bool(counted) and not any(forms & s.stems for s in given for forms in counted)

    def _is_given(self, claim: Claim, name: Name) -> bool:
        """Whether a name comes from the question, or abbreviates the words right before it."""
        before = "".join(w[0] for w in re.findall(r"[^\W_]+", claim.text[: name.start].casefold()))
        return holds_name(name.form, self._asked.surface, "") or (len(name.form) > 1 and before.endswith(name.form))

    def _contradicts(self, claim: Claim) -> Reason | None:
        """Whether the closest sentences have another name or number in the same place, or say the opposite."""
        close = self._close(claim.stems, 0.15)
        source = [(s.tokens, s.initials) for s in close]
        for at, token in enumerate(claim.tokens):
            if (token.is_name or token.number) and is_substituted(claim.tokens, at, source):
                return "name" if token.is_name else "number"
        if any(self._is_denied(negation, claim) for negation in claim.polarity.negations):
            return "negation"
        close = self._close(claim.stems, 0.05)
        return "negation" if close and all(self._is_reversed(claim, s) for s in close) else None

    def _close(self, stems: frozenset[str], slack: float) -> list[Sentence]:
        """The sentences of all passages that hold the most of these words, if that is enough."""
        total = self._weight(stems)
        shares = (
            [(self._weight(stems & s.stems) / total, s) for p in self._evidence.passages for s in p.sentences]
            if total
            else []
        )
        most = max((share for share, _ in shares), default=0.0)
        return [s for share, s in shares if share >= max(most - slack, MIN_SHARED)]

    def _is_denied(self, negation: Negation, claim: Claim) -> bool:
        """Whether the closest sentences affirm what a negation of the claim denies."""
        close = self._close(negation.clause & claim.stems, 0.1)
        if not close or not any(s.stems & set(negation.governed[:2]) for s in close):
            return False
        return not any(s.polarity.weak or any(map(negation.is_answered_by, s.polarity.negations)) for s in close)

    def _is_reversed(self, claim: Claim, sentence: Sentence) -> bool:
        """Whether a sentence denies what the claim affirms, or has the opposite of one of its words."""
        if has_opposite(claim.polarity, sentence.polarity):
            return True
        for negation in sentence.polarity.negations:
            shared = [s for s in negation.governed if s in claim.stems]
            if not set(shared) & set(negation.governed[:2]) or len(shared) * 2 < len(negation.governed):
                continue
            if not claim.polarity.weak and not any(map(negation.is_answered_by, claim.polarity.negations)):
                return True
        return False

    def _weight(self, stems: Iterable[str]) -> float:
        return sum(self._evidence.weight(s) for s in sorted(stems))

    def _unsupported(self, claim: Claim, best: "_Match") -> Verdict:
        everywhere = [f for p in self._evidence.passages for s in (*p.sentences, p.header) for f in s.facts]
        for fact in claim.checked:
            if not is_supported(fact, everywhere):
                return Verdict("wrong", _reason(fact), (), best.coverage)
        reason = self._differs(claim, best.window) or "number"
        if best.coverage >= SAME_SUBJECT and reason != "words":
            return Verdict("wrong", reason, (), best.coverage)
        return Verdict("not_found", "words", (), best.coverage)


@dataclass(frozen=True, slots=True)
class _Match:
    window: Window
    coverage: float


class _LookedUp:
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


def _reason(fact: Fact) -> Reason:
    return "number" if fact.kind in {"number", "code"} else "date"


def _holds(passage: PassageEvidence, name: Name) -> bool:
    return any(holds_name(name.form, s.surface, s.initials) for s in (*passage.sentences, passage.header))


def _best(supporting: dict[int, float], cited: Collection[int]) -> tuple[int, ...]:
    named = [n for n in supporting if n in cited]
    return tuple(named or [max(supporting, key=lambda n: (supporting[n], -n))])
