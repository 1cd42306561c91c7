"""The usual alternative: bm25s over whole documents, one index for each role, of what that role may read."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from app.evaluation.datasets import CorpusPage
from app.indexing.terms import words

NAME = "bm25s"
MISSING = "not installed: pip install bm25s"


def installed() -> bool:
    """Whether bm25s is installed; it is no dependency of the product."""
    return importlib.util.find_spec(NAME) is not None


class Bm25sIndex:
    """bm25s with its own constants and our stems, so that ranking is compared and not text analysis."""

    def __init__(self, pages: Sequence[CorpusPage]) -> None:
        self._ids = [p.id for p in pages]
        self._index: Any = importlib.import_module(NAME).BM25()
        self._index.index([words(p.plain) or [""] for p in pages], show_progress=False)

    def rank(self, text: str, limit: int) -> list[str]:
        """Ids of the `limit` best documents, best first, without those that have no word of the question."""
        stems = words(text)
        if not stems:
            return []
        numbers, scores = self._index.retrieve([stems], k=min(limit, len(self._ids)), show_progress=False)
        return [self._ids[n] for n, score in zip(numbers[0].tolist(), scores[0].tolist(), strict=True) if score > 0]
