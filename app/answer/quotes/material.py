"""What quotes are chosen from: the hits of one search, the passages beside them, and the weight of each word."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.answer.quotes.question_kinds import QuestionKind, question_kind
from app.indexing.terms import Word, words_in
from app.retrieval.highlight import WORD
from app.retrieval.passage import Hit, Passage

# So many hits are looked at, and the passages beside them.
LOOKED_AT = 16


@dataclass(frozen=True)
class Material:
    """All that one question found; every part is a function of the question and of what the asker may read.

    `vector` is the question's. `around` are passages beside the best hits, in the same documents. `weights` are the
    question's words with their idf over the visible passages. `follows_up`: the question was made whole with earlier
    ones, whose words are among them.
    """

    question: str
    vector: NDArray[np.float32]
    hits: Sequence[Hit]
    around: Sequence[Passage] = ()
    weights: Sequence[tuple[Word, float]] = ()
    follows_up: bool = False

    @cached_property
    def kind(self) -> QuestionKind:
        """What the question asks for."""
        return question_kind(self.question)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The passages that are looked at: of the best hits, best first, then those beside them."""
        found = {p.chunk: p for p in [*(hit.passage for hit in self.hits[:LOOKED_AT]), *self.around]}
        return tuple(found.values())

    @cached_property
    def words(self) -> "WordFinder":
        """Finds the question's words in the passages, their titles and headings."""
        texts = [part for p in self.passages for part in (p.title, *p.heading_path, p.text)]
        return WordFinder.of(self.weights, texts)


@dataclass(frozen=True)
class WordFinder:
    """Which of a question's words stand in a text, by a table of all pieces that have one. Made for one question."""

    weights: tuple[float, ...]
    table: Mapping[str, frozenset[int]] = field(repr=False)

    @classmethod
    def of(cls, weights: Sequence[tuple[Word, float]], texts: Iterable[str]) -> "WordFinder":
        """For texts whose pieces are all in these."""
        pieces = set().union(*(WORD.findall(text) for text in texts))
        return cls(tuple(weight for _, weight in weights), words_in(pieces, [word for word, _ in weights]))

    def found(self, text: str) -> frozenset[int]:
        """The numbers of the words that stand in a text."""
        return frozenset().union(*(self.table[piece] for piece in self.table.keys() & set(WORD.findall(text))))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand, [start, end) in characters."""
        return [match.span() for match in WORD.finditer(text) if match.group() in self.table]

    def share(self, found: Iterable[int]) -> float:
        """The share of the question's weight that these words have, from 0 to 1; 0 for a question without words."""
        total = math.fsum(self.weights)
        return math.fsum(self.weights[n] for n in sorted(found)) / total if total else 0.0
