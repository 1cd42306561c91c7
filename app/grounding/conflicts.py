"""Passages of a context that contradict each other: nearly the same sentence with another number or date, or denied.

Pure. Precise rather than complete: the two must have nearly all content words in common, and facts of the same kinds
and units of which one differs, or the same words in the same order but for a negation. Two sections of one document may
say different things, since their headings say of what.
"""

import re
from collections.abc import Iterator
from itertools import islice

from app.grounding.evidence import Evidence, Sentence
from app.grounding.facts import Fact, says_the_same
from app.grounding.near_copy import contradiction
from app.grounding.report import ConflictKind, SourceConflict

ITEM_NUMBER = re.compile(r"\W*(?:\w+\s+)?\d{1,3}\s*[.):]\W*\s")  # "3. ", "Step 3: "
MAX_CONFLICTS = 5  # more of them are the rows of tables
MIN_WORDS = 4  # content words that two sentences must share
MIN_SHARED = 0.8  # … and their share of the words of both


def conflicts(evidence: Evidence) -> tuple[SourceConflict, ...]:
    """The first MAX_CONFLICTS pairs of sentences of two passages that say different things about the same, in order."""
    return tuple(islice(_conflicts(evidence), MAX_CONFLICTS))


def _conflicts(evidence: Evidence) -> Iterator[SourceConflict]:
    told = [(p, s, _words(s)) for p in evidence.passages for s in p.sentences]
    told = [(passage, sentence, words) for passage, sentence, words in told if len(words) >= MIN_WORDS]
    for at, (first, one, words) in enumerate(told):
        for second, other, others in told[at + 1 :]:
            if first.number == second.number or not _is_same_subject(words, others) or first.is_section_beside(second):
                continue
            if (kind := _conflict(one, other)) is not None:
                spans = (one.start, one.end), (other.start, other.end)
                yield SourceConflict(first.number, second.number, *spans, kind)


def _conflict(one: Sentence, other: Sentence) -> ConflictKind | None:
    first, second = _told(one), _told(other)
    if [(f.kind, f.unit) for f in first] == [(f.kind, f.unit) for f in second]:
        differing = [f for f, another in zip(first, second, strict=True) if not says_the_same(f, another)]
        if len(differing) == 1:
            return "number" if differing[0].kind == "number" else "date"
    return "negation" if contradiction(one, other) == contradiction(other, one) == "negation" else None


def _told(sentence: Sentence) -> list[Fact]:
    """The facts that can be compared: no number of a step or a list item."""
    mark = ITEM_NUMBER.match(sentence.text)
    begin = mark.end() if mark else 0
    return [f for f in sentence.facts if f.start >= begin and not f.soft and f.kind in {"number", "date", "time"}]


def _is_same_subject(words: frozenset[str], others: frozenset[str]) -> bool:
    if min(len(words), len(others)) < MIN_SHARED * max(len(words), len(others)):
        return False
    shared = len(words & others)
    return shared >= MIN_WORDS and shared >= MIN_SHARED * len(words | others)


def _words(sentence: Sentence) -> frozenset[str]:
    return frozenset(token.stem for token in sentence.tokens if token.number is None)
