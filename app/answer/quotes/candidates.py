"""What could be shown: every line of the passages, or part of a long one, with what speaks for it. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.answer.quotes.material import Material
from app.answer.quotes.question_kinds import YES_NO, holds_evidence
from app.indexing.analysis.tokens import DENSE_RUN
from app.indexing.block_vectors import PassageBlock, directions
from app.indexing.blocks import BlockSpan, PassageLine, block_spans, lines
from app.retrieval.passage import Passage

FEATURES = (
    "meaning", "meaning behind", "words", "words with headings", "words in passage", "document score", "hit score",
    "evidence", "yes or no", "row", "item", "question heading",
)  # fmt: skip
# Template markup, a heading's marks, a rule of a table, an address or a bullet alone: nothing that anybody says.
MARKUP = re.compile(
    r"#{1,6}\s[^.!?]*|\{[{%#].*|.*[%}]\}|!?\[[^\]]*\]\([^)]*\)\W*|https?://\S+|<[^>]+>|[^\w]*", re.DOTALL
)
_TWO_WORDS = re.compile(r"\w\W+\w")
# Without spaces between words, so many characters are some.
_SOME_WORDS = 6


@dataclass(frozen=True)
class QuotePage:
    """A passage with its lines and spans, as quotes look at it."""

    passage: Passage
    lines: tuple[PassageLine, ...]
    spans: tuple[BlockSpan, ...]

    @classmethod
    def of(cls, passage: Passage) -> "QuotePage":
        return cls(passage, tuple(lines(passage.text)), tuple(block_spans(passage.text)))

    def text(self, start: int, end: int) -> str:
        return self.passage.text[start:end]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of each span."""
        return tuple(self.text(span.start, span.end) for span in self.spans)

    @cached_property
    def answers(self) -> tuple[bool, ...]:
        """Of each span, whether it can be shown at all: no question, no markup, no word alone, no lead-in alone."""
        found: list[bool] = []
        for text in reversed(self.texts):
            shown = not text.endswith(("?", "？")) and not MARKUP.fullmatch(text) and _has_words(text)
            found.append(shown and (not leads(text) or (bool(found) and found[-1])))
        return tuple(reversed(found))

    def vectors(self, dimensions: int) -> NDArray[np.float32]:
        """The unit vector of each span, shape (spans, dimensions): zero where the index has none."""
        known = {(b.start, b.end): b for b in self.passage.blocks}
        made = np.zeros((len(self.spans), dimensions), np.float32)
        stored: list[tuple[int, PassageBlock]] = [
            (row, known[span.start, span.end]) for row, span in enumerate(self.spans) if (span.start, span.end) in known
        ]
        if stored:
            made[[row for row, _ in stored]] = directions([block for _, block in stored])
        return made


@dataclass(frozen=True)
class QuoteCandidate:
    """A span that may be shown: the number of its page and its own number there."""

    page: int
    span: int


@dataclass(frozen=True)
class CandidateTable:
    """The candidates of one question, with a row of `features` for each, shape (candidates, len(FEATURES))."""

    pages: tuple[QuotePage, ...]
    candidates: tuple[QuoteCandidate, ...]
    features: NDArray[np.float64]


def list_candidates(material: Material) -> CandidateTable:
    """Every span that is an answer by its form, with its features."""
    pages = tuple(QuotePage.of(p) for p in material.passages)
    places = _FoundPlaces(material)
    found: list[QuoteCandidate] = []
    rows: list[list[float]] = []
    for number, page in enumerate(pages):
        for span, row in _rows(page, material, places):
            found.append(QuoteCandidate(number, span))
            rows.append(row)
    features = np.array(rows, np.float64).reshape(len(rows), len(FEATURES))
    return CandidateTable(pages, tuple(found), features)


class _FoundPlaces:
    """How well documents and passages were found."""

    def __init__(self, material: Material) -> None:
        hits = material.hits
        top = max((hit.score for hit in hits), default=0.0) or 1.0
        self._scores = {hit.passage.chunk: hit.score / top for hit in hits}
        self._similarities = {hit.passage.chunk: hit.similarity for hit in hits}
        self._by_place = {(hit.passage.document, hit.passage.ordinal): hit.score / top for hit in reversed(hits)}
        sums = dict.fromkeys((hit.passage.document for hit in hits), 0.0)
        for rank, hit in enumerate(hits, start=1):
            sums[hit.passage.document] += 1 / (rank + 2)
        most = max(sums.values(), default=1.0)
        self._sums = {document: value / most for document, value in sums.items()}

    def similarity(self, passage: Passage) -> float:
        """The cosine of a passage that was found; 0 for one that only stands beside."""
        return self._similarities.get(passage.chunk, 0.0)

    def features(self, passage: Passage) -> tuple[float, float]:
        """The hits that its document has, weighed by their ranks; the score of the passage, or of the best one beside
        it. Both as shares of the best of this search.
        """
        beside = (self._by_place.get((passage.document, passage.ordinal + step), 0.0) for step in (-1, 1))
        score = self._scores.get(passage.chunk) or max(beside)
        return self._sums.get(passage.document, 0.0), score


def _rows(page: QuotePage, material: Material, places: _FoundPlaces) -> Iterator[tuple[int, list[float]]]:
    words, passage = material.words, page.passage
    similarities = page.vectors(len(material.vector)) @ material.vector
    if not passage.blocks:  # written without vectors: the passage's own stands for each
        similarities = np.full(len(page.spans), places.similarity(passage), np.float32)
    found = [words.found(text) for text in page.texts]
    headings = frozenset().union(*map(words.found, (passage.title, *passage.heading_path)))
    everywhere = words.share(headings.union(*found))
    under_question = float(bool(passage.heading_path) and passage.heading_path[-1].rstrip().endswith(("?", "？")))
    of_document = places.features(passage)
    for number, text in enumerate(page.texts):
        line = page.lines[page.spans[number].line]
        if not page.answers[number]:
            continue
        lead = lead_of(page, number)
        own = found[number] | (found[lead] if lead is not None else frozenset())
        behind = min(number + 1, len(similarities) - 1)
        is_part = line.kind in ("item", "step")
        yield (
            number,
            [
                float(similarities[number]),
                float(similarities[behind]),
                words.share(own),
                words.share(own | headings),
                everywhere,
                *of_document,
                float(holds_evidence(material.kind, text)),
                float(material.kind == "permission" and YES_NO.match(text) is not None),
                float(line.kind == "row"),
                float(is_part and material.kind != "steps"),
                under_question,
            ],
        )


def _has_words(text: str) -> bool:
    """Whether a text is more than one word."""
    return bool(_TWO_WORDS.search(text)) or any(len(run) >= _SOME_WORDS for run in DENSE_RUN.findall(text))


def leads(text: str) -> bool:
    """Whether a text only introduces what comes after it."""
    return text.endswith((":", "："))


def lead_of(page: QuotePage, number: int) -> int | None:
    """The span that introduces this one: the line before a list that ends in a colon, or the item that holds it."""
    line = page.lines[page.spans[number].line]
    for before in range(number - 1, -1, -1):
        other = page.lines[page.spans[before].line]
        if line.kind in ("item", "step") and other.kind in ("item", "step") and other.indent >= line.indent:
            continue
        return before if leads(page.texts[before]) else None
    return None


def spans_of_line(spans: Sequence[BlockSpan], line: int) -> list[int]:
    """The numbers of the spans of one line."""
    return [number for number, span in enumerate(spans) if span.line == line]
