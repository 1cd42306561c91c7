"""The protocol of cross-encoders, which read a question and a passage together and score how well they fit.

The law for every implementation: **a score is a function of the question and the passage alone**. Its bits do not
depend on the passages beside it, on their order or on the number of threads. Otherwise the candidates of a search
would change each other's scores, and the same question could give another order the next time.
"""

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """Question and passage to a score; safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """The model's name from the settings."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides the scores: weights, tokenizer, length, run-time version."""

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """One finite number for each passage, in the order of `passages`: the higher, the better it answers.

        They have no unit and no bounds, and compare for one question alone.
        """
