"""BM25 over inverted lists, and the best passages without scoring them all. Pure; floats in a fixed order.

The most frequent words score only passages that rarer words have found, once a bound proves that no other can be among
the best, and each of them drops those that it rules out (MaxScore: Turtle and Flood, 1995). The rest is scored in full,
word by word in the order given, so a result is bit for bit that of scoring every passage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.indexing.postings import COUNTS, MAX_LENGTH, chunks_of, codes_of, lengths_of

# How fast repeated terms saturate, and how much length counts: little, since passages have nearly one length.
K1, B = 0.9, 0.4
# Weight of a word in the title, in the headings and in the text.
FIELD_WEIGHTS = (1.0, 1.0, 1.0)
# Relative margin when bounds are compared, far above what rounding can change.
BOUND_MARGIN = 1e-9

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Corpus:
    """What is searched: the number of passages, and of the terms in all of them together."""

    passages: int
    terms: int

    @property
    def mean(self) -> float:
        """The mean length, at least 1."""
        return max(self.terms / self.passages, 1.0) if self.passages else 1.0


@dataclass(frozen=True)
class Best:
    """Passages, best first, ties by number; their scores; and which words stand in each, shape (words, passages)."""

    chunks: Ids
    scores: Floats
    stands: NDArray[np.bool_]


def idf(corpus: Corpus, df: int) -> float:
    """The weight of a word that stands in `df` of the passages."""
    return math.log(1 + (corpus.passages - df + 0.5) / (df + 0.5))


def best(lists: Sequence[Ids], weights: Sequence[float], mean: float, limit: int) -> Best:
    """The `limit` best passages by the packed lists of some words, one list a word, each passage at most once in it.

    `weights`: the idf of each word; `mean`: the mean length of a passage. Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("at least one passage must be asked for")
    scale = _Scale(mean)
    chunks = _candidates(lists, weights, scale, limit)
    scores, stands = _scored(chunks, lists, weights, scale)
    if len(scores) > limit:
        cut = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        over = scores >= cut
        chunks, scores, stands = chunks[over], scores[over], stands[:, over]
    order = np.lexsort((chunks, -scores))[:limit]
    return Best(chunks[order], scores[order], stands[:, order])


def scored(chunks: Ids, lists: Sequence[Ids], weights: Sequence[float], mean: float) -> Best:
    """These passages with their scores, in ascending order of their numbers; 0 for one in none of the lists."""
    chunks = np.unique(chunks)
    scores, stands = _scored(chunks, lists, weights, _Scale(mean))
    return Best(chunks, scores, stands)


def restrict(entries: Ids, *, among: Ids | None = None, without: Ids | None = None) -> Ids:
    """The entries of a list that are of passages `among` these, and of none of those `without`; both ascend.

    None stands for no restriction.
    """
    if among is not None:
        entries = _intersect(among, entries)[1]
    if without is not None and len(without):
        entries = np.setdiff1d(entries, _intersect(without, entries)[1], assume_unique=True)
    return entries


class _Scale:
    """What a word adds to a score, by the code of its counts and the length of the passage."""

    def __init__(self, mean: float) -> None:
        title, headings, body = FIELD_WEIGHTS
        self._tf = COUNTS[0] * title + COUNTS[1] * headings + COUNTS[2] * body
        self._norm = K1 * (1 - B + B * np.arange(MAX_LENGTH + 1) / mean)

    def contributions(self, entries: Ids, weight: float) -> Floats:
        """What the word adds to the score of each passage of its list, in the order of the list."""
        tf = self._tf[codes_of(entries)]
        added: Floats = weight * tf * (K1 + 1) / (tf + self._norm[lengths_of(entries)])
        return added


def _candidates(lists: Sequence[Ids], weights: Sequence[float], scale: _Scale, limit: int) -> Ids:
    """The passages that may be among the best, ascending, and few others."""
    order = sorted(range(len(lists)), key=lambda n: (len(lists[n]), n))
    # A word adds at most weight * (K1 + 1), and rests[i] bounds what the words after the i-th add.
    rests = [sum(weights[m] * (K1 + 1) for m in order[n + 1 :]) for n in range(len(order))]
    # Once closed, words add to the passages found so far and bring no new ones.
    chunks, sums, closed = np.empty(0, np.int64), np.empty(0, np.float64), False
    for n, rest in zip(order, rests, strict=True):
        if closed:
            at, likely = _intersect(chunks, lists[n])
            sums[at] += scale.contributions(likely, weights[n])
        else:
            entries = np.sort(lists[n])
            chunks, sums = _merged(chunks, sums, entries, scale.contributions(entries, weights[n]))
        if len(sums) > limit:
            reached = float(np.partition(sums, len(sums) - limit)[len(sums) - limit])
            closed = closed or rest < reached * (1 - BOUND_MARGIN)
            if closed:
                enough = sums >= reached * (1 - BOUND_MARGIN) - rest
                chunks, sums = chunks[enough], sums[enough]
    return chunks


def _merged(chunks: Ids, sums: Floats, entries: Ids, added: Floats) -> tuple[Ids, Floats]:
    """Passages and their sums with those of one more list added; both ascend, and so does the result."""
    both = np.concatenate([chunks, chunks_of(entries)])
    # Two runs that ascend: a stable sort merges them in one pass.
    order = np.argsort(both, kind="stable")
    both = both[order]
    starts = np.flatnonzero(np.diff(both, prepend=-1))
    if not len(starts):
        return chunks, sums
    return both[starts], np.add.reduceat(np.concatenate([sums, added])[order], starts)


def _scored(
    chunks: Ids, lists: Sequence[Ids], weights: Sequence[float], scale: _Scale
) -> tuple[Floats, NDArray[np.bool_]]:
    """The scores of these passages over all lists in their order, and which words stand in them."""
    scores = np.zeros(len(chunks))
    stands = np.zeros((len(lists), len(chunks)), np.bool_)
    if not len(chunks):
        return scores, stands
    for n, (entries, weight) in enumerate(zip(lists, weights, strict=True)):
        at, common = _intersect(chunks, entries)
        scores[at] += scale.contributions(common, weight)
        stands[n, at] = True
    return scores, stands


def _intersect(chunks: Ids, entries: Ids) -> tuple[Ids, Ids]:
    """The entries of a list that are of these passages, which ascend, and where each stands among them."""
    if not len(chunks):
        return np.empty(0, np.int64), entries[:0]
    # Most entries of a long list are of other passages: a hash table drops them cheaply.
    slots = 1 << max(16, min(22, (8 * len(chunks)).bit_length()))
    table = np.zeros(slots, np.bool_)
    table[chunks & (slots - 1)] = True
    likely = entries[table[chunks_of(entries) & (slots - 1)]]
    numbers = chunks_of(likely)
    at = np.minimum(np.searchsorted(chunks, numbers), len(chunks) - 1)
    same = chunks[at] == numbers
    return at[same], likely[same]
