"""Chooses the blocks to show: the best by score, no two alike, as much as fits a screen, in reading order. Pure."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.answer.events import AnswerOutcome, Confidence
from app.answer.quotes.candidates import QuotePage, list_candidates
from app.answer.quotes.compose import MAX_WORDS, QuoteBlock, compose
from app.answer.quotes.material import Material
from app.answer.quotes.weights import REPEATED, WEIGHTS, scores
from app.answer.support import ASK_BACK_BELOW, answerable, best_support, block_odds, confidence, gather
from app.retrieval.duplicates import WORD, alike
from app.retrieval.passage import Passage

MAX_BLOCKS = 3
# Of all blocks together, and of each but the first.
MAX_WORDS_SHOWN, MAX_WORDS_FURTHER = 120, 50
# Candidates tried, best first, before what is found so far is all.
TRIED = 40
# A further block that is not sure is left out if it scores so much less than the best one.
FAR_BEHIND = 3.0
# How far a block of the same document counts as one of the same passage.
SAME_DOCUMENT = 0.4


@dataclass(frozen=True)
class ChosenBlock:
    """A block to show, the logarithm of the odds that it is from the section that answers, and its score, which
    compares with no other question's.
    """

    block: QuoteBlock
    page: QuotePage
    odds: float
    score: float

    @property
    def confidence(self) -> Confidence:
        """How sure it is that it answers."""
        return confidence(self.odds)


class QuoteSelector:
    """The quotes of one question: whether there are any, and which. Made for one request."""

    def __init__(self, material: Material, weights: Mapping[str, float] = WEIGHTS) -> None:
        self.material = material
        self.table = list_candidates(material)
        self._scores = scores(self.table.features, weights)
        self.support = gather(material.hits, self._scores)
        # Earlier turns add words, of which an answer need not have many: the odds were set for questions without them.
        followed = material.follows_up and best_support(material.hits) >= ASK_BACK_BELOW
        self.answerable = followed or answerable(self.support)

    def outcome(self, chosen: Sequence[ChosenBlock]) -> AnswerOutcome:
        """What showing these blocks is: an answer where one of them surely is."""
        if not chosen or not self.answerable:
            return "nothing"
        return "may_help" if all(block.confidence == "low" for block in chosen) else "quoted"

    @cached_property
    def chosen(self) -> tuple[ChosenBlock, ...]:
        """The blocks to show, of all passages."""
        return self.choose()

    def chosen_within(self, context: Collection[uuid.UUID]) -> tuple[ChosenBlock, ...]:
        """Those of the blocks to show whose passages the context had room for."""
        return tuple(block for block in self.chosen if block.page.passage.chunk in context)

    def choose(self, among: Collection[uuid.UUID] | None = None) -> tuple[ChosenBlock, ...]:
        """At most MAX_BLOCKS blocks of MAX_WORDS_SHOWN words together, only of the passages `among`.

        The best one leads, the others follow in reading order.
        """
        best = self._best(among, MAX_BLOCKS)
        return (*best[:1], *in_reading_order(best[1:]))

    def best_of(self, passage: Passage) -> str:
        """The text of a passage's best block, or of its first one if it was not looked at; "" for one that has none."""
        if best := self._best({passage.chunk}, 1):
            return best[0].block.text
        page = QuotePage.of(passage)
        shown = (compose(0, page, n, "other") for n in range(len(page.spans)) if page.answers[n])
        return next((block.text for block in shown if block is not None), "")

    def _best(self, among: Collection[uuid.UUID] | None, limit: int) -> list[ChosenBlock]:
        """The blocks, best first."""
        table, left = self.table, self._scores.copy()
        if among is not None:
            inside = [n for n, page in enumerate(table.pages) if page.passage.chunk in among]
            left[~np.isin(self._pages, inside)] = -np.inf
        chosen: list[ChosenBlock] = []
        words = MAX_WORDS_SHOWN
        for _ in range(min(TRIED, len(left))):
            best = int(left.argmax())
            if np.isneginf(left[best]):
                break
            candidate = table.candidates[best]
            page = table.pages[candidate.page]
            most = min(words, MAX_WORDS if not chosen else MAX_WORDS_FURTHER)
            made = compose(candidate.page, page, candidate.span, self.material.kind, max_words=most)
            left[best] = -np.inf
            if made is None or any(_says_the_same(made, c.block) for c in chosen):
                continue
            odds = block_odds(self.support, self._scores, best)
            if chosen and confidence(odds) == "low" and self._scores[best] < self._scores.max() - FAR_BEHIND:
                break
            chosen.append(ChosenBlock(made, page, odds, float(self._scores[best])))
            if len(chosen) == limit:
                break
            words -= made.words
            left -= REPEATED * self._near(candidate.page)[self._pages]
        return chosen

    @cached_property
    def _pages(self) -> NDArray[np.intp]:
        """The page of each candidate."""
        return np.array([candidate.page for candidate in self.table.candidates], np.intp)

    def _near(self, page: int) -> NDArray[np.float64]:
        """How much of the same each page has to say as this one: 1 for itself, less for those of its document."""
        pages = self.table.pages
        document = pages[page].passage.document
        near = np.array([SAME_DOCUMENT * (other.passage.document == document) for other in pages])
        near[page] = 1.0
        return near


def _says_the_same(one: QuoteBlock, other: QuoteBlock) -> bool:
    """Whether two blocks show the same text, nearly the same, or a line that is the same but for its marks."""
    return one.overlaps(other) or alike(one.text, other.text) or not _lines(one).isdisjoint(_lines(other))


def _lines(block: QuoteBlock) -> frozenset[str]:
    return frozenset(" ".join(WORD.findall(line.casefold())) for line in block.text.split("\n"))


def in_reading_order(chosen: Sequence[ChosenBlock]) -> tuple[ChosenBlock, ...]:
    """By section, that of the best block first; within one as in its document."""
    places: dict[tuple[uuid.UUID, tuple[str, ...]], int] = {}
    for block in chosen:
        passage = block.page.passage
        places.setdefault((passage.document, passage.heading_path), len(places))

    def place(block: ChosenBlock) -> tuple[int, int, int]:
        passage = block.page.passage
        return places[passage.document, passage.heading_path], passage.ordinal, block.block.pieces[0].start

    return tuple(sorted(chosen, key=place))
