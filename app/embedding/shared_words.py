"""The reranker for tests: counts the words that question and passage share. It knows no meaning."""

import hashlib
import re
from collections.abc import Sequence

WORD = re.compile(r"\w+")
RECIPE = f"shared-words-1 {WORD.pattern}"


class SharedWords:
    """The share of the question's words that the passage has, minus the share of its other words."""

    name = "shared-words"
    digest = hashlib.sha256(RECIPE.encode()).hexdigest()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """From -1 to 1, in the order of `passages`."""
        wanted = _words(question)
        return [_score(wanted, _words(passage)) for passage in passages]


def _score(wanted: frozenset[str], words: frozenset[str]) -> float:
    other = len(words - wanted) / len(words) if words else 1.0
    return len(wanted & words) / len(wanted) - other if wanted else -other


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()))
