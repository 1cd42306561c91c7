"""Passages by the million: sentences drawn from a pool, with the terms and the vectors that these have.

The vector of a passage is the direction of the sum of its sentences' hashed vectors, so that it is made by arithmetic;
a question goes through the embedder itself.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.embedding.hashed import HashedEmbedder
from app.indexing.block_vectors import SPAN_DTYPE, encode_vectors
from app.indexing.quantizer import ProductQuantizer
from app.indexing.terms import field_terms
from benchmarks.search.vectors import unit

SENTENCES, WORDS, VOCABULARY = 20_000, 10, 30_000
TOGETHER = 3  # sentences of a passage
PER_DOCUMENT = 11
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "os", "um")]


@dataclass(frozen=True)
class Batch:
    """Passages in a row. `drawn` (n, TOGETHER) are the numbers of their sentences, `rows` (n, d) their vectors."""

    drawn: NDArray[np.int64]
    rows: NDArray[np.float32]
    codes: NDArray[np.uint8]


class Sentences:
    """The pool, the same for the same seed. `terms`, `counts` and `starts` are those of all sentences, one by one."""

    def __init__(self, seed: int = 1) -> None:
        rng = random.Random(seed)
        embedder = HashedEmbedder()
        self._book = ProductQuantizer(embedder.dimensions)
        words = _words(rng)
        self.texts = [_sentence(rng, words) for _ in range(SENTENCES)]
        self.rare = {word: rank for rank, word in enumerate(words)}
        self.vectors = embedder.embed_passages(self.texts)
        found = [field_terms("", (), text) for text in self.texts]
        self.lengths = np.array([each.length for each in found], np.int64)
        self.sizes = np.array([len(each.counts) for each in found], np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.terms = np.array([term for each in found for term in each.counts], np.int64)
        self.counts = np.array([c.body for each in found for c in each.counts.values()], np.int64)

    def batches(self, passages: int, at_once: int) -> Iterator[Batch]:
        """So many passages in all, which are the same whatever is taken at once."""
        for first in range(0, passages, at_once):
            drawn = np.stack([_mixed(first, min(at_once, passages - first), k) for k in range(TOGETHER)], axis=1)
            rows = unit(self.vectors[drawn].sum(axis=1)).astype(np.float16).astype(np.float32)
            yield Batch(drawn, rows, self._book.encode(rows))

    def text(self, drawn: NDArray[np.int64]) -> str:
        return " ".join(self.texts[number] for number in drawn)

    def question(self, number: int) -> str:
        """A question with the rarest words of this passage."""
        drawn = [int(_mixed(number, 1, k)[0]) for k in range(TOGETHER)]
        words = {word.strip(".").lower() for each in drawn for word in self.texts[each].split()}
        return f"What is said of {' '.join(sorted(words, key=self.rare.__getitem__)[-6:])}?"

    def entries(self, batch: Batch, first: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """What the passages, numbered from `first`, add to inverted lists: passage by its place here, term, entry."""
        flat = batch.drawn.reshape(-1)
        sizes = self.sizes[flat]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at = np.repeat(self.starts[flat], sizes) + within
        place = np.repeat(np.repeat(np.arange(len(batch.drawn)), TOGETHER), sizes)
        terms, counts = self.terms[at], self.counts[at]
        order = np.lexsort((terms, place))
        place, terms, counts = place[order], terms[order], counts[order]
        begins = np.flatnonzero(np.r_[True, (place[1:] != place[:-1]) | (terms[1:] != terms[:-1])])
        counts, place, terms = np.add.reduceat(counts, begins), place[begins], terms[begins]
        lengths = self.lengths[batch.drawn].sum(axis=1)
        entries = ((first + place) << 25) | (np.minimum(counts, 127) << 11) | np.minimum(lengths[place], 2047)
        return place, terms, entries


def blocks_of(rows: NDArray[np.float32], texts: list[str]) -> list[bytes]:
    """One block for each passage, all of it, with its vector."""
    spans = np.array([(0, len(text)) for text in texts], SPAN_DTYPE)
    return [span.tobytes() + code for span, code in zip(spans, encode_vectors(rows), strict=True)]


def _mixed(first: int, count: int, salt: int) -> NDArray[np.int64]:
    """Numbers of sentences that look drawn, by the number of the passage alone (SplitMix64)."""
    state = (np.arange(first, first + count, dtype=np.uint64) * np.uint64(TOGETHER) + np.uint64(salt + 1)) * np.uint64(
        0x9E3779B97F4A7C15
    )
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((state ^ (state >> np.uint64(31))) % np.uint64(SENTENCES)).astype(np.int64)


def _words(rng: random.Random) -> list[str]:
    """The vocabulary, the most frequent first; longer words are rarer."""
    words = dict.fromkeys("".join(rng.choices(SYLLABLES, k=3)) for _ in range(VOCABULARY // 4))
    while len(words) < VOCABULARY:
        words["".join(rng.choices(SYLLABLES, k=4))] = None
    return list(words)


def _sentence(rng: random.Random, words: list[str]) -> str:
    """Words that come as in prose: few often, many seldom."""
    ranks = (int(100 * (rng.paretovariate(0.8) - 1)) for _ in range(WORDS))
    return " ".join(words[rank % len(words)] for rank in ranks).capitalize() + "."
