"""Passages that say the same: the best stays, the others are named with it. Pure.

Only among what a search found, so what may not be seen can neither hide a passage nor be named.
"""

import re
from collections.abc import Sequence

from app.retrieval.passage import Hit

WORD = re.compile(r"\w+")
# Words in a row that are compared, and how many of both passages' rows must be the same ones (Jaccard index).
ROW, SAME = 3, 0.9
_Rows = frozenset[tuple[str, ...]]


def collapse(hits: Sequence[Hit]) -> list[Hit]:
    """The hits without near-copies of a better one, each with its copies, in the order given."""
    kept: list[Hit] = []
    # For this search alone: what was compared for others would show in the time that it takes.
    rows: list[_Rows] = []
    for hit in hits:
        here = _rows(hit.passage.text)
        for number, better in enumerate(kept):
            if _alike(here, rows[number]):
                kept[number] = better.with_copy(hit.passage)
                break
        else:
            kept.append(hit)
            rows.append(here)
    return kept


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for a few words."""
    return _alike(_rows(one), _rows(other))


def _alike(rows: _Rows, others: _Rows) -> bool:
    smaller, larger = sorted((len(rows), len(others)))
    if smaller < SAME * larger:
        return False
    common = len(rows & others)
    return common >= SAME * (smaller + larger - common)


def _rows(text: str) -> _Rows:
    words = [word.casefold() for word in WORD.findall(text)]
    return frozenset(tuple(words[n : n + ROW]) for n in range(max(len(words) - ROW + 1, 1)))
