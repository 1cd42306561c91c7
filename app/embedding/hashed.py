"""The embedder for tests: a hashed bag of words. It sees shared words and word parts, and knows no meaning."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.embedding.protocol import SpannedVector, Spans
from app.embedding.spans import embed_separately
from app.indexing.analysis.language import QUESTION_LANGUAGES

DIMENSIONS = 384
# Each feature adds to this many signed dimensions, so that two features rarely collide in all of them.
PLACES = 8
STOP_WEIGHT = 0.1
TRIGRAM_WEIGHT = 0.3
STOP_TEXT = (
    "a about an and any are as at be been but by can could did do does for from had has have he her his how i if in is"
    " it its may me more most must my no not of on or our she should so some such than that the their them then there"
    " these they this those to was we were what when where which who why will with would you your"
)
STOP_WORDS = frozenset(STOP_TEXT.split())
TOKEN = re.compile(r"\w+|[^\w\s]")


class HashedEmbedder:
    """384 dimensions from word and trigram hashes: no weights, thousands of texts a second, any number of threads.

    The same in every process, and nothing is cached: hashes are BLAKE2b, sums are in float64 and in an order that
    follows from the text.
    """

    dimensions = DIMENSIONS
    # It sees words, which any language has.
    languages = QUESTION_LANGUAGES
    # As the default model, so that text is split alike; a hashed vector covers all of its text.
    max_tokens = 254

    @property
    def digest(self) -> str:
        """SHA-256 over the constants above."""
        recipe = f"hashed-1 {DIMENSIONS} {PLACES} {STOP_WEIGHT} {TRIGRAM_WEIGHT} {TOKEN.pattern} {sorted(STOP_WORDS)}"
        return hashlib.sha256(recipe.encode()).hexdigest()

    def count(self, text: str) -> int:
        """Number of words and punctuation marks in `text`."""
        return sum(1 for _ in TOKEN.finditer(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each word and punctuation mark in characters of `text`, ascending."""
        return [match.span() for match in TOKEN.finditer(text)]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of `text`, shape (384,), length 1; the same bytes as it has as a passage."""
        words = Counter(match.group() for match in TOKEN.finditer(text.lower()))
        # A text without words still needs a direction: that of the empty feature.
        features = sorted(words.items()) or [("", 1)]
        places, weights = _places([(feature, weight * (1.0 + math.log(times))) for word, times in features
                                   for feature, weight in _features(word)])  # fmt: skip
        total = np.bincount(places, weights, minlength=DIMENSIONS)
        unit: NDArray[np.float32] = (total / math.sqrt(math.fsum(total * total))).astype(np.float32)
        return unit

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.embed_query(text)
        return vectors

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Spans]) -> list[SpannedVector]:
        """The vector of a span is that of its words."""
        return embed_separately(self.embed_passages, texts, spans)


def _features(word: str) -> list[tuple[str, float]]:
    """The features of one word and their weights: itself and, unless it is a stop word, its trigrams."""
    if word in STOP_WORDS:
        return [(word, STOP_WEIGHT)]
    framed = f"<{word}>"
    return [(word, 1.0), *((f"#{framed[i : i + 3]}", TRIGRAM_WEIGHT) for i in range(len(framed) - 2))]


def _places(features: Sequence[tuple[str, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`PLACES` dimensions for each feature, with its weight and a sign, all from one hash of the feature."""
    keys = (hashlib.blake2b(f.encode("utf-8", "replace"), digest_size=4 * PLACES).digest() for f, _ in features)
    numbers = np.frombuffer(b"".join(keys), "<u4").astype(np.int64)
    weights = np.repeat(np.array([weight for _, weight in features]), PLACES)
    return (numbers >> 1) % DIMENSIONS, np.where(numbers & 1, weights, -weights)
