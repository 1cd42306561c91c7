"""What quotes are chosen from: the hits of one search, the passages beside them, and the weight of each word."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.answer.quotes.question_kinds import QuestionKind, question_kind
from app.indexing.terms import Word, may_hold, words_in
from app.retrieval.highlight import word_spans, words_of
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
    """Which of a question's words stand in a text. Made for one question.

    `runs` are the runs of characters without white space of the texts that it was made for, so that one that many
    passages have is cut into its pieces once; `holding` are those with words, and the numbers of these.
    """

    words: tuple[Word, ...]
    weights: tuple[float, ...]
    runs: frozenset[str] = field(repr=False)
    holding: Mapping[str, frozenset[int]] = field(repr=False)

    @classmethod
    def of(cls, weights: Sequence[tuple[Word, float]], texts: Iterable[str]) -> "WordFinder":
        """Fast for these texts and parts of them, right for all."""
        words = tuple(word for word, _ in weights)
        runs = frozenset().union(*(text.split() for text in texts))
        return cls(words, tuple(weight for _, weight in weights), runs, numbers_in(runs, words))

    def found(self, text: str) -> frozenset[int]:
        """The numbers of the words that stand in a text."""
        runs = set(text.split())
        new = runs - self.runs
        holding = {**self.holding, **numbers_in(new, self.words)} if new else self.holding
        return frozenset().union(*(holding[run] for run in runs if run in holding))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand, [start, end) in characters."""
        meant = words_in(words_of(text), self.words)
        return [(start, end) for start, end in word_spans(text) if text[start:end] in meant]

    def share(self, found: Iterable[int]) -> float:
        """The share of the question's weight that these words have, from 0 to 1; 0 for a question without words."""
        return math.fsum(self.weights[n] for n in found) / self._total if self._total else 0.0

    @cached_property
    def _total(self) -> float:
        return math.fsum(self.weights)


def numbers_in(runs: Iterable[str], words: Sequence[Word]) -> dict[str, frozenset[int]]:
    """Those of these runs of characters without white space that hold words, with the numbers of these."""
    likely = may_hold(words)
    pieces = {run: words_of(run) for run in runs if likely(run)}
    table = words_in({piece for found in pieces.values() for piece in found}, words)
    holding = {run: [table[piece] for piece in found if piece in table] for run, found in pieces.items()}
    return {run: frozenset().union(*found) for run, found in holding.items() if found}
