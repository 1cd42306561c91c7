"""Fusion: orders candidates by meaning and words together. A pure function of the candidates' scores.

Linear, on scores that mean the same for every question; compared with other fusions in docs/retrieval.md.
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

# Weight of words against meaning, which weighs 1. Between 1.5 and 2.5 results differ only within their noise.
LEXICAL_WEIGHT = 2.0
# The same where the model does not know the language of the question: its cosines are then half noise. From 6 to 12
# results differ only within their noise.
FOREIGN_LEXICAL_WEIGHT = 10.0
# A passage's score is multiplied by this for each better one of its document: whoever reads that one has the document
# already, and its neighbors come along when a prompt is built.
REPEAT_FACTOR = 0.8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visible passage with both of its scores, exact whichever leg found it.

    `similarity` is the cosine, from -1 to 1. `share` is BM25 divided by the highest score that these words can give,
    from 0 to 1: an absolute measure of how much of the question stands in the passage.
    """

    chunk_id: int
    document_id: int
    similarity: float
    share: float


def lexical_weight(language: str, known: AbstractSet[str]) -> float:
    """The weight of words for a question in this language, by the languages that the embedding model knows."""
    return LEXICAL_WEIGHT if language in known else FOREIGN_LEXICAL_WEIGHT


def combine(candidates: Sequence[Candidate], words: float = LEXICAL_WEIGHT) -> list[tuple[int, float]]:
    """Chunk ids with their score from 0 to 1, best first, ties by id. `words` is what words weigh beside meaning.

    Cosines lie on another scale for each question (the best is .3 for a vague one, .8 for a precise one), so they are
    divided by the best. Shares are not: where none of the words stands anywhere, meaning decides alone.
    """
    nearest = max((c.similarity for c in candidates), default=0.0)
    scored = [(c, _score(c, nearest, words)) for c in candidates]
    scored.sort(key=lambda pair: (-pair[1], pair[0].chunk_id))
    better: Counter[int] = Counter()
    diversified = []
    for candidate, score in scored:
        diversified.append((candidate.chunk_id, score * REPEAT_FACTOR ** better[candidate.document_id]))
        better[candidate.document_id] += 1
    return sorted(diversified, key=lambda pair: (-pair[1], pair[0]))


def _score(candidate: Candidate, nearest: float, words: float) -> float:
    meaning = max(candidate.similarity, 0.0) / nearest if nearest > 0 else 0.0
    return (meaning + words * candidate.share) / (1 + words)
