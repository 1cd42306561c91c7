"""Passages to vectors and terms: what search needs of them. A function of each passage's text alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.embedding.protocol import Embedder
from app.embedding.terms import terms
from ingest.document import Passage


@dataclass(frozen=True)
class Indexed:
    """A passage as it is written: its unit vector of shape (dimensions,) and its terms with their counts."""

    passage: Passage
    vector: NDArray[np.float32]
    terms: Counter[int]


def vectorize(passages: Sequence[Passage], embedder: Embedder) -> list[Indexed]:
    """Embed each passage under its headline, and count its terms there too."""
    vectors = embedder.embed_passages([p.embedded for p in passages])
    return [Indexed(p, v, terms(p.embedded)) for p, v in zip(passages, vectors, strict=True)]
