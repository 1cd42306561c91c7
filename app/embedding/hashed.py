"""The embedder for tests: a hashed bag of words. It sees shared words and word parts, and knows no meaning."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 384
# Each feature adds to this many signed places, so that two features rarely fall on each other entirely.
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

    The same in every process: hashes are BLAKE2b, sums are in float64 and in an order that the text decides.
    """

    dimensions = DIMENSIONS
    # As the default model, so that text is split alike; a hashed vector itself sees all of its text.
    max_tokens = 254

    @property
    def digest(self) -> str:
        """SHA-256 over the recipe."""
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
        places, weights = zip(*(_scaled(word, times) for word, times in features), strict=True)
        total = np.bincount(np.concatenate(places), np.concatenate(weights), minlength=DIMENSIONS)
        unit: NDArray[np.float32] = (total / math.sqrt(math.fsum(total * total))).astype(np.float32)
        return unit

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `texts`, shape (n, 384), each of length 1."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.embed_query(text)
        return vectors


def _scaled(word: str, times: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places and weights of a word that occurs `times` times; repetition counts by its logarithm."""
    places, weights = _features(word)
    return places, weights * (1.0 + math.log(times))


@lru_cache(maxsize=50_000)
def _features(word: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places in the vector and their weights for one word: itself and, unless it is a stop word, its trigrams."""
    if word in STOP_WORDS:
        return _places(word, STOP_WEIGHT)
    framed = f"<{word}>"
    trigrams = [framed[i : i + 3] for i in range(len(framed) - 2)]
    parts = [_places(word, 1.0), *(_places(f"#{trigram}", TRIGRAM_WEIGHT) for trigram in trigrams)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _places(feature: str, weight: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`PLACES` places, each with the weight and a sign, all from one hash of the feature."""
    key = hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=4 * PLACES).digest()
    numbers = np.frombuffer(key, "<u4").astype(np.int64)
    return (numbers >> 1) % DIMENSIONS, np.where(numbers & 1, weight, -weight)
