"""Vectors of parts of a text: pooled from the states of its tokens, or of each part embedded by itself."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.embedding.protocol import SpannedVector, Spans


def pool(states: NDArray[np.float32], tokens: Spans, spans: Spans) -> NDArray[np.float32]:
    """The mean state of the tokens that begin in each span, with length 1: shape (spans, d).

    `states` of shape (n, d) are those of the first n `tokens` of the text: what surrounds a span colours its vector,
    and no run of the model is needed but that of the text. A span without a token among them has the mean of all.
    """
    begins = np.array([start for start, _ in tokens[: len(states)]], np.int64)
    means = np.empty((len(spans), states.shape[1]), np.float64)
    for row, (start, end) in enumerate(spans):
        inside = states[(begins >= start) & (begins < end)]
        means[row] = (inside if len(inside) else states).mean(axis=0, dtype=np.float64)
    unit: NDArray[np.float32] = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    return unit


def embed_separately(
    embed: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[str], spans: Sequence[Spans]
) -> list[SpannedVector]:
    """Each text and each of its spans embedded as a passage: for models whose vectors are no mean of token states."""
    found = []
    for text, inside in zip(texts, spans, strict=True):
        vectors = embed([text, *(text[start:end] for start, end in inside)])
        found.append(SpannedVector(vectors[0], vectors[1:]))
    return found
