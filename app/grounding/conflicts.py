"""Passages of a context that contradict each other: nearly the same sentence with another number or date, or denied.

Pure. Precise rather than complete: the two must have nearly all content words in common, and one fact each of the same
kind and unit, or the same words in the same order but for a negation, so that nothing else can explain the difference.
"""

from collections.abc import Iterator

from app.grounding.evidence import Evidence, Sentence
from app.grounding.facts import Fact, says_the_same
from app.grounding.near_copy import contradiction
from app.grounding.report import ConflictKind, SourceConflict

MIN_WORDS = 4  # content words that two sentences must share
MIN_SHARED = 0.8  # … and their share of the words of both


def conflicts(evidence: Evidence) -> tuple[SourceConflict, ...]:
    """Each pair of sentences of two passages that say different things about the same, in order."""
    return tuple(_conflicts(evidence))


def _conflicts(evidence: Evidence) -> Iterator[SourceConflict]:
    told = [(p.number, s, _words(s)) for p in evidence.passages for s in p.sentences]
    told = [(number, sentence, words) for number, sentence, words in told if len(words) >= MIN_WORDS]
    for at, (first, one, words) in enumerate(told):
        for second, other, others in told[at + 1 :]:
            if first != second and _is_same_subject(words, others) and (kind := _conflict(one, other)) is not None:
                yield SourceConflict(first, second, (one.start, one.end), (other.start, other.end), kind)


def _conflict(one: Sentence, other: Sentence) -> ConflictKind | None:
    first, second = _told(one), _told(other)
    if len(first) == len(second) == 1:
        fact, another = first[0], second[0]
        comparable = fact.kind == another.kind and fact.unit == another.unit
        if comparable and not says_the_same(fact, another):
            return "number" if fact.kind == "number" else "date"
    return "negation" if contradiction(one, other) == contradiction(other, one) == "negation" else None


def _told(sentence: Sentence) -> list[Fact]:
    """The facts that can be compared."""
    return [f for f in sentence.facts if not f.soft and f.kind in {"number", "date", "time"}]


def _is_same_subject(words: frozenset[str], others: frozenset[str]) -> bool:
    shared = len(words & others)
    return shared >= MIN_WORDS and shared >= MIN_SHARED * len(words | others)


def _words(sentence: Sentence) -> frozenset[str]:
    return frozenset(token.stem for token in sentence.tokens if token.number is None)
