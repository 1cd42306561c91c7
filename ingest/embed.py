"""Passages to vectors and terms: what search needs of them. A function of the document's text alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.embedding.protocol import Embedder
from app.indexing.analysis.headings import distinct_headings
from app.indexing.quantizer import quantizer_for
from app.indexing.terms import PassageTerms, field_terms
from ingest.contextual_vectors import contextualize
from ingest.document import DocumentPassage


@dataclass(frozen=True)
class IndexedPassage:
    """A passage as it is written: its unit vector of shape (dimensions,), the code of it, its terms by field.

    `code` is None where vectors of this length have none.
    """

    passage: DocumentPassage
    vector: NDArray[np.float32]
    code: bytes | None
    terms: PassageTerms


def index_passages(passages: Sequence[DocumentPassage], embedder: Embedder) -> list[IndexedPassage]:
    """Embed each passage of a document under its headline and in its place; count its terms by field."""
    vectors = contextualize(embedder.embed_passages([p.embedded for p in passages]))
    codes = codes_of(vectors, embedder.dimensions)
    return [IndexedPassage(p, v, c, terms_of(p)) for p, v, c in zip(passages, vectors, codes, strict=True)]


def terms_of(passage: DocumentPassage) -> PassageTerms:
    """The terms of a passage by field, those of a title that is the first heading too counted once."""
    return field_terms(passage.title, distinct_headings(passage.title, passage.heading_path), passage.text)


def codes_of(vectors: NDArray[np.float32], dimensions: int) -> list[bytes | None]:
    """The codes of vectors of shape (n, dimensions), as they are stored: in half precision."""
    book = quantizer_for(dimensions)
    if book is None:
        return [None] * len(vectors)
    return [code.tobytes() for code in book.encode(vectors.astype(np.float16).astype(np.float32))]
