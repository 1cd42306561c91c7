"""Passages of a context that contradict each other: nearly the same sentence with another number, date or unit. Pure.

Precise rather than complete: the two must have nearly all content words in common and one fact each of the same kind
and unit, so that nothing else can explain the difference.
"""

from collections.abc import Iterator

from app.grounding.evidence import Evidence, Sentence
from app.grounding.facts import Fact, says_the_same
from app.grounding.report import SourceConflict

MIN_WORDS = 4  # content words that two sentences must share
MIN_SHARED = 0.8  # … and their share of the words of both


def conflicts(evidence: Evidence) -> tuple[SourceConflict, ...]:
    """Each pair of sentences of two passages that say different things about the same, in order."""
    return tuple(_conflicts(evidence))


def _conflicts(evidence: Evidence) -> Iterator[SourceConflict]:
    told = [
        (passage.number, sentence, facts[0])
        for passage in evidence.passages
        for sentence in passage.sentences
        if len(facts := [f for f in sentence.facts if not f.soft and f.kind in {"number", "date", "time"}]) == 1
    ]
    for at, (first, one, fact) in enumerate(told):
        for second, other, another in told[at + 1 :]:
            comparable = first != second and fact.kind == another.kind and fact.unit == another.unit
            if comparable and not says_the_same(fact, another) and _is_same_subject(one, other):
                yield SourceConflict(
                    first,
                    second,
                    _span(one, fact),
                    _span(other, another),
                    "number" if fact.kind == "number" else "date",
                )


def _is_same_subject(one: Sentence, other: Sentence) -> bool:
    first, second = _words(one), _words(other)
    shared = len(first & second)
    return shared >= MIN_WORDS and shared >= MIN_SHARED * len(first | second)


def _words(sentence: Sentence) -> frozenset[str]:
    return frozenset(token.stem for token in sentence.tokens if token.number is None)


def _span(sentence: Sentence, fact: Fact) -> tuple[int, int]:
    return sentence.start + fact.start, sentence.start + fact.end
