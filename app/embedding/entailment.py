"""The protocol of entailment models, which say whether a sentence follows from a text.

The law for every implementation: **a verdict is a function of the two texts alone**. Its bits do not depend on the
pairs beside it, on their order or on the number of threads, as with embedders and cross-encoders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entailment:
    """How probable it is that a text entails a sentence, and that it contradicts it; what is left is neither.

    Each from 0 to 1, together at most 1. A model that does not tell contradiction from the rest gives 0 for it.
    """

    entailed: float
    contradicted: float


class EntailmentModel(Protocol):
    """Text and sentence to probabilities; safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """The model's name from the settings."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides the verdicts: weights, tokenizer, length, run-time version."""

    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        """One for each text, in their order."""
