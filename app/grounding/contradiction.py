"""Whether a sentence contradicts what the closest sentences of its passages say: another number or name in the same
place, or the opposite. Pure.
"""

import re
from collections.abc import Iterable
from typing import Literal

from app.grounding.claim import Claim
from app.grounding.evidence import Evidence, Sentence
from app.grounding.names import Name, names
from app.grounding.polarity import Negation, has_opposite
from app.grounding.substitution import is_substituted

MIN_SHARED = 0.5  # share of a clause that a sentence must hold to be read as its affirmation or denial


class Contradictions:
    """Finds them in the passages of one answer to a question."""

    def __init__(self, evidence: Evidence, asked: Sentence) -> None:
        self._evidence = evidence
        self._asked = asked

    def find(self, claim: Claim) -> Literal["number", "name", "negation"] | None:
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

    def has_other_name(self, claim: Claim) -> bool:
        """Whether none of the closest sentences has a name of the claim, and one has a name that it has not."""
        close = self._close(claim.stems, 0.1)
        missing = [n for n in claim.named if n.sure and not any(s.has_name(n) for s in close)]
        missing = [n for n in missing if not self.is_given(claim, n)]
        if not missing:
            return False
        return any(n.sure and not claim.has_name(n) for s in close for n in names(s.text, s.language))

    def is_given(self, claim: Claim, name: Name) -> bool:
        """Whether a name comes from the question, or abbreviates the words right before it."""
        before = "".join(w[0] for w in re.findall(r"[^\W_]+", claim.text[: name.start].casefold()))
        return self._asked.has_name(name) or (len(name.form) > 1 and before.endswith(name.form))

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
