"""BM25 over inverted lists, and the best passages without scoring them all. Pure; floats in a fixed order.

Passages are put into blocks by their numbers, and what the words add is summed by block, rounded: a bound for each
passage of the block. The passages of the highest blocks are scored, which tells what the best reach at least. Those of
all blocks that reach as far are scored word by word in the order given, so a result is bit for bit that of scoring
every passage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.indexing.postings import COUNTS, MAX_LENGTH, chunks_of, codes_of, lengths_of

# How fast repeated terms saturate, and how much length counts: little, since passages have nearly one length.
K1, B = 0.9, 0.4
# Weight of a word in the title, in the headings and in the text.
FIELD_WEIGHTS = (1.0, 1.0, 1.0)
# Bounds are sums of float32, at most a word of a question each: their relative error stays far below this.
BOUND_MARGIN = 1e-4
# So many blocks for each entry, as a power of two: more of them make closer bounds, and fall out of a core's cache.
MIN_BLOCKS, MAX_BLOCKS, BLOCKS_PER_ENTRY = 1 << 12, 1 << 22, 2
# With at most so many entries for each passage that is looked for, all of them are compared.
FEW_ENTRIES = 4
# Odd numbers that mix the numbers of passages, each in another way.
MIXES = (2654435769, 2246822507)

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
NONE: Ids = np.empty(0, np.int64)
# How often a term stands in a passage, weighted by field, by the code of its counts.
FREQUENCY: Floats = np.tensordot(FIELD_WEIGHTS, COUNTS, 1)
ROUNDED_FREQUENCY = FREQUENCY.astype(np.float32)


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


class InvertedList:
    """The packed entries of one word, in any order, each passage at most once."""

    def __init__(self, entries: Ids) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def chunks(self) -> Ids:
        """The passage of each entry."""
        return chunks_of(self.entries)

    def among(self, chunks: Ids) -> tuple[Ids, Ids]:
        """The entries that are of these passages, which ascend, and where each stands among them."""
        if not len(chunks) or not len(self):
            return NONE, NONE
        likely = self
        if len(self) > FEW_ENTRIES * len(chunks):
            # Most entries of a long list are of other passages: a hash table drops them cheaply.
            table = np.zeros(_power_of_two(8 * len(chunks)), np.bool_)
            table[chunks & (len(table) - 1)] = True
            likely = InvertedList(self.entries[np.flatnonzero(table.take(self.chunks & (len(table) - 1)))])
        numbers = likely.chunks
        at = np.minimum(np.searchsorted(chunks, numbers), len(chunks) - 1)
        same = chunks[at] == numbers
        return likely.entries[same], at[same]


def best(lists: Sequence[InvertedList], weights: Sequence[float], mean: float, limit: int) -> Best:
    """The `limit` best passages by the lists of some words.

    `weights`: the idf of each word; `mean`: the mean length of a passage. Raises ValueError for a limit below 1, or for
    one of MIN_BLOCKS or more.
    """
    if not 1 <= limit < MIN_BLOCKS:
        raise ValueError(f"at least one passage must be asked for, and fewer than {MIN_BLOCKS}")
    scale = _Scale(mean)
    reached, few = 0.0, lists
    for mix in MIXES:
        reached, few = _pruned(few, weights, scale, limit, reached, mix)
    found = _scored_all(few, weights, scale)
    order = np.lexsort((found.chunks, -found.scores))[:limit]
    return Best(found.chunks[order], found.scores[order], found.stands[:, order])


def scored(chunks: Ids, lists: Sequence[InvertedList], weights: Sequence[float], mean: float) -> Best:
    """These passages with their scores, in ascending order of their numbers; 0 for one in none of the lists."""
    chunks = np.unique(chunks)
    scores, stands = _scored(chunks, lists, weights, _Scale(mean))
    return Best(chunks, scores, stands)


def restrict(entries: Ids, *, among: Ids | None = None, without: Ids | None = None) -> Ids:
    """The entries of a list that are of passages `among` these, and of none of those `without`; both ascend.

    None stands for no restriction.
    """
    if among is not None:
        entries = InvertedList(entries).among(among)[0]
    if without is not None and len(without):
        entries = np.setdiff1d(entries, InvertedList(entries).among(without)[0], assume_unique=True)
    return entries


class _Scale:
    """What a word adds to a score, by the code of its counts and the length of the passage."""

    def __init__(self, mean: float) -> None:
        self._norm = K1 * (1 - B + B * np.arange(MAX_LENGTH + 1) / mean)
        self._rounded_norm = self._norm.astype(np.float32)

    def contributions(self, entries: Ids, weight: float) -> Floats:
        """What the word adds to the score of each passage of its list, in the order of the list."""
        tf = FREQUENCY[codes_of(entries)]
        added: Floats = weight * tf * (K1 + 1) / (tf + self._norm[lengths_of(entries)])
        return added

    def rounded(self, entries: Ids, weight: float) -> NDArray[np.float32]:
        """The same, rounded: half the bytes, and no more is needed to drop what is far below."""
        added: NDArray[np.float32] = ROUNDED_FREQUENCY.take(codes_of(entries))
        added /= added + self._rounded_norm.take(lengths_of(entries))
        added *= np.float32(weight * (K1 + 1))
        return added


def _pruned(
    lists: Sequence[InvertedList], weights: Sequence[float], scale: _Scale, limit: int, reached: float, mix: int
) -> tuple[float, Sequence[InvertedList]]:
    """What the best reach at least, and the lists without blocks that do not; `reached`: what is known of it so far."""
    entries = sum(map(len, lists))
    size = min(max(_power_of_two(BLOCKS_PER_ENTRY * entries), MIN_BLOCKS), MAX_BLOCKS)
    bounds = np.zeros(size, np.float32)
    blocks = [_blocks(one.entries, size, mix) for one in lists]
    for one, block, weight in zip(lists, blocks, weights, strict=True):
        np.add.at(bounds, block, scale.rounded(one.entries, weight))

    def reaching(least: float) -> list[InvertedList]:
        kept = bounds >= least
        return [InvertedList(one.entries[np.flatnonzero(kept.take(at))]) for one, at in zip(lists, blocks, strict=True)]

    # The highest of MIN_BLOCKS groups of blocks: as good as the highest blocks, and quickly found.
    cut = _reached(bounds.reshape(-1, MIN_BLOCKS).max(axis=0), limit)
    if cut <= 0:
        return reached, lists
    leading = _scored_all(reaching(cut), weights, scale)
    reached = max(reached, _reached(leading.scores, limit) * (1 - BOUND_MARGIN))
    return reached, reaching(reached)


def _blocks(entries: Ids, size: int, mix: int) -> NDArray[np.intp]:
    """The block of each entry's passage, below `size`, a power of two.

    Who shares one must not follow from how near each other the numbers of passages are, since between them stand those
    of hidden ones. Sixteen neighbours lie beside each other, which saves looks at memory.
    """
    mixed = (entries >> 29).astype(np.uint32)
    mixed *= np.uint32(mix)
    mixed ^= mixed >> 15
    mixed *= np.uint32(mix)
    mixed >>= 33 - (size >> 4).bit_length()
    return (mixed.astype(np.intp) << 4) | (entries >> 25 & 15)


def _reached(scores: NDArray[np.floating], limit: int) -> float:
    """What the `limit` best of at least as many scores reach."""
    return float(np.partition(scores, len(scores) - limit)[len(scores) - limit])


def _scored_all(lists: Sequence[InvertedList], weights: Sequence[float], scale: _Scale) -> Best:
    """All passages of these lists, ascending, with their scores."""
    chunks = np.sort(np.concatenate([NONE, *(one.chunks for one in lists)]))
    chunks = chunks[np.flatnonzero(np.diff(chunks, prepend=-1))]
    return Best(chunks, *_scored(chunks, lists, weights, scale))


def _scored(
    chunks: Ids, lists: Sequence[InvertedList], weights: Sequence[float], scale: _Scale
) -> tuple[Floats, NDArray[np.bool_]]:
    """The scores of these passages over all lists in their order, and which words stand in them."""
    scores = np.zeros(len(chunks))
    stands = np.zeros((len(lists), len(chunks)), np.bool_)
    for n, (one, weight) in enumerate(zip(lists, weights, strict=True)):
        common, at = one.among(chunks)
        scores[at] += scale.contributions(common, weight)
        stands[n, at] = True
    return scores, stands


def _power_of_two(number: int) -> int:
    """The least power of two that is as large."""
    return 1 << max(number - 1, 0).bit_length()
