"""Collapses near-copies: the best passage stays, the others are listed with it. Pure.

It looks at the hits of one search alone, so a hidden document can neither hide a passage nor be listed.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

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
    small, large = sorted((one, other), key=len)
    smaller, larger = len(small), len(large)
    if smaller < MIN_JACCARD * larger:
        return False
    # So many of the smaller may be missing from the other. Most pairs have not one of that many in common.
    missing = smaller - MIN_JACCARD * (smaller + larger) / (1 + MIN_JACCARD)
    if large.isdisjoint(islice(small, int(missing) + 2)):
        return False
    common = len(small & large)
    return common >= MIN_JACCARD * (smaller + larger - common)


def _shingles(text: str) -> _Shingles:
    words = WORD.findall(text.lower()) if text.isascii() else [word.casefold() for word in WORD.findall(text)]
    return frozenset(zip(*(words[n:] for n in range(SHINGLE)), strict=False)) or frozenset({tuple(words)})
