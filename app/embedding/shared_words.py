"""The reranker for tests: how many of the question's words stand in the passage. It knows no meaning."""

import hashlib
import re
from collections.abc import Sequence

WORD = re.compile(r"\w+")
RECIPE = f"shared-words-1 {WORD.pattern}"


class SharedWords:
    """The share of the question's different words that the passage has, less a little for each word beside them."""

    name = "shared-words"
    digest = hashlib.sha256(RECIPE.encode()).hexdigest()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """From -1 to 1, in the order of `passages`."""
        asked = _words(question)
        return [_score(asked, _words(passage)) for passage in passages]


def _score(asked: frozenset[str], words: frozenset[str]) -> float:
    beside = len(words - asked) / len(words) if words else 1.0
    return len(asked & words) / len(asked) - beside if asked else -beside


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()))
