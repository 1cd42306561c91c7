"""The protocols of embedders and token counters.

The law for every implementation: **a vector is a function of its text alone**. The bytes that `embed_passages` gives
for a text do not depend on the texts beside it, on their order or on the number of threads. Otherwise a hidden passage
could change the vectors of visible ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class UnusableWeights(RuntimeError):
    """A model file is absent, or not the one that its pinned SHA-256 names; nothing is embedded with it."""


# Pieces of a text, each [start, end) in characters of it.
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class SpannedVector:
    """The unit vector of a text, shape (d,), and those of spans of it, shape (spans, d), in the order asked for."""

    vector: NDArray[np.float32]
    spans: NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors; safe to call from several threads at once."""

    @property
    def dimensions(self) -> int:
        """Length d of every vector."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages whose meaning the vectors hold, as ISO 639-1 codes; texts in others only get some vector."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides the vectors: weights, graph, tokenizer, pooling, run-time version."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, shape (d,), length 1."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, shape (n, d), each of length 1, in the order of `texts`; (0, d) for no texts."""

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Spans]) -> list[SpannedVector]:
        """The vector of each text as `embed_passages` gives it, and one for each of its `spans`, all of length 1.

        The vector of a span is one that questions compare with as they do with a passage's. It is a function of the
        text and of that span alone, whatever other spans are asked for.
        """


class TokenCounter(Protocol):
    """Counts tokens as the model does, without its special tokens."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token lies in `text`: (start, end) in characters, ascending, end exclusive."""


class EmbeddingModel(Embedder, TokenCounter, Protocol):
    """An embedder together with its own token counter, as `build_embedder` gives it."""

    @property
    def max_tokens(self) -> int:
        """The number of tokens of a text that its vector covers, special tokens not counted; the rest is cut off."""
