"""Collapses near-copies: the best passage stays, the others are listed with it. Pure.

It looks at the hits of one search alone, so a hidden document can neither hide a passage nor be listed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from app.retrieval.passage import Hit

WORD = re.compile(r"\w+")
# Passages are compared by their shingles of this many words; from this Jaccard index on they are near-copies.
SHINGLE, MIN_JACCARD = 3, 0.9
_Shingles = frozenset[tuple[str, ...]]


def collapse(hits: Sequence[Hit]) -> list[Hit]:
    """The hits without near-copies of a better one, each with its copies, in the order given."""
    kept: list[Hit] = []
    # Kept for this search alone: a cache for all callers would show in the time what others found (promise N3).
    shingles: list[_Shingles] = []
    for hit in hits:
        own = _shingles(hit.passage.text)
        for number, better in enumerate(kept):
            if _near_copies(own, shingles[number]):
                kept[number] = replace(better, copies=(*better.copies, hit.passage))
                break
        else:
            kept.append(hit)
            shingles.append(own)
    return kept


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for a few words."""
    return _near_copies(_shingles(one), _shingles(other))


def _near_copies(one: _Shingles, other: _Shingles) -> bool:
    smaller, larger = (one, other) if len(one) <= len(other) else (other, one)
    if len(smaller) < MIN_JACCARD * len(larger):
        return False
    common = len(smaller & larger)
    return common >= MIN_JACCARD * (len(smaller) + len(larger) - common)


def _shingles(text: str) -> _Shingles:
    words = WORD.findall(text.lower()) if text.isascii() else [word.casefold() for word in WORD.findall(text)]
    if len(words) < SHINGLE:
        return frozenset([tuple(words)])
    return frozenset(zip(*(words[n:] for n in range(SHINGLE)), strict=False))
