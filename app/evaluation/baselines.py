"""What people would pick instead: bm25s over whole documents, one index for each role, of what that role may read."""

import importlib.util
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

from app.evaluation.datasets import Page
from app.indexing.terms import words

NAME = "bm25s"
MISSING = "not installed: pip install bm25s"


class Ranker(Protocol):
    """An index over documents."""

    def rank(self, text: str, limit: int) -> list[str]:
        """Ids of the `limit` best documents, best first."""


def installed() -> bool:
    """Whether the outside baseline is there; it is no dependency of the product."""
    return importlib.util.find_spec(NAME) is not None


class OutsideIndex:
    """bm25s with its own constants and our words and stems: ranking is compared, and not analysis."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._ids = [p.id for p in pages]
        self._index: Any = _library().BM25()
        self._index.index([words(p.plain) or [""] for p in pages], show_progress=False)

    def rank(self, text: str, limit: int) -> list[str]:
        """Ids of the documents, best first; those without any word of the question are left out."""
        asked = words(text)
        if not asked:
            return []
        numbers, scores = self._index.retrieve([asked], k=min(limit, len(self._ids)), show_progress=False)
        return [self._ids[n] for n, score in zip(numbers[0].tolist(), scores[0].tolist(), strict=True) if score > 0]


def _library() -> ModuleType:
    return importlib.import_module(NAME)
