"""Whether an answer's sentences stand in the passages, by words and numbers alone: a judge that knows no checker. Pure.

It is not the product's grounding and shares nothing with it, so that one can be held against the other. It is blind to
what words and numbers do not show: who did what, and whether it is denied.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.indexing.analysis.sentences import sentences
from app.indexing.terms import words

# Of a sentence's distinct content words, those that a passage must hold. Of 956 supported sentences of people half hold
# .88 of their word weight in three sentences of their source (docs/answers.md).
MIN_COVERED = 0.6
_CITATION = re.compile(r"\s*\[(\d+)\]")
# The numbers of a sentence stand before its full stop, or behind it.
_BEHIND = re.compile(r"([.!?])((?:\s*\[\d+\])+)")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True)
class Faithfulness:
    """Counts of one answer: sentences with content, those that some passage supports, citations, those whose passage
    supports their sentence, and sentences with such a citation.
    """

    sentences: int
    supported: int
    citations: int
    right_citations: int
    cited: int

    @property
    def faithful(self) -> float | None:
        """The share of supported sentences; None if the answer says nothing."""
        return self.supported / self.sentences if self.sentences else None

    @property
    def citation_precision(self) -> float | None:
        return self.right_citations / self.citations if self.citations else None

    @property
    def citation_recall(self) -> float | None:
        return self.cited / self.sentences if self.sentences else None


def judge_answer(answer: str, passages: Mapping[int, str]) -> Faithfulness:
    """Judge an answer against the passages that it was made from, by the numbers that cite them."""
    counts = [0, 0, 0, 0, 0]
    for sentence in sentences(_BEHIND.sub(r"\2\1", answer)):
        claim = _CITATION.sub("", sentence)
        if not words(claim):
            continue
        numbers = [int(n) for n in dict.fromkeys(_CITATION.findall(sentence))]
        right = [n for n in numbers if supports(passages.get(n, ""), claim)]
        any_right = bool(right) or any(supports(text, claim) for text in passages.values())
        for place, value in enumerate((1, any_right, len(numbers), len(right), bool(right))):
            counts[place] += value
    return Faithfulness(*counts)


def supports(passage: str, claim: str) -> bool:
    """Whether a passage holds most of a sentence's words, and each of its numbers."""
    said, held = set(words(claim)), set(words(passage))
    numbers = set(_NUMBER.findall(claim)) <= set(_NUMBER.findall(passage))
    return bool(said) and numbers and len(said & held) >= MIN_COVERED * len(said)


def gold_coverage(answer: str, gold: Sequence[str]) -> float | None:
    """The share of an answer's distinct content words that stand in what answers; None if it has no words."""
    said, held = set(words(_CITATION.sub("", answer))), set().union(*(words(text) for text in gold))
    return len(said & held) / len(said) if said else None
