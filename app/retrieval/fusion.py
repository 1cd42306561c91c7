"""Fusion: how meaning and words together order the candidates. A pure function of the candidates' scores.

Linear, on scores that mean the same for every question. What it was compared with: docs/retrieval.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# What words weigh against meaning, which weighs 1. From 1.5 to 2.5 results stay the same within their noise.
LEXICAL = 2.0
# A passage counts this much less for each better one of its document: the reader of the first passages has that one
# already, and the passages next to it come along when a context is made.
AGAIN = 0.8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visible passage with both of its scores, exact whichever search found it: zero is no stand-in for unknown.

    `similarity` is the cosine, from -1 to 1. `share` is BM25 by the most that these words can give over the visible
    passages, from 0 to 1: an absolute measure of how much of the question stands in the passage.
    """

    chunk_id: int
    document_id: int
    similarity: float
    share: float


def combine(candidates: Sequence[Candidate]) -> list[tuple[int, float]]:
    """Chunk ids with their score from 0 to 1, best first, ties by id.

    Cosines lie on another scale for each question (the best is .3 for a vague one, .8 for a precise one), so they are
    divided by the best. Shares are not: where none of the words stands anywhere, meaning decides alone.
    """
    nearest = max((c.similarity for c in candidates), default=0.0)
    scored = [(c, _score(c, nearest)) for c in candidates]
    scored.sort(key=lambda pair: (-pair[1], pair[0].chunk_id))
    before: Counter[int] = Counter()
    spread = []
    for candidate, score in scored:
        spread.append((candidate.chunk_id, score * AGAIN ** before[candidate.document_id]))
        before[candidate.document_id] += 1
    return sorted(spread, key=lambda pair: (-pair[1], pair[0]))


def _score(candidate: Candidate, nearest: float) -> float:
    meaning = max(candidate.similarity, 0.0) / nearest if nearest > 0 else 0.0
    return (meaning + LEXICAL * candidate.share) / (1 + LEXICAL)
