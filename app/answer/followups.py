"""Makes a question whole with the earlier turns that it leans on: weighted words, and a weighted sum of vectors. Pure.

Earlier questions are the asker's own words. An earlier answer is given here only while everything that it was made
from is the asker's to read (`conversation_store`), so the search is a function of what they may read now (promise N2).
How the weights were set and what they bring: docs/answers.md.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.answer.events import AddedWords, Searched, TurnPart
from app.answer.leaning import leans
from app.answer.prompt import CITATION
from app.answer.replies import REPLIES
from app.guardrail.active_content import make_inert
from app.guardrail.check import PLACEHOLDER
from app.indexing.terms import MAX_WORDS, Word, query_terms

# How many of the last turns a question can lean on.
MAX_TURNS = 4
# What the last question weighs beside the new one; each one before it, that much less again.
WORDS_DECAY, MEANING_DECAY = 0.5, 0.2
# The last answer: little by its words, which are many.
ANSWER_WORDS, ANSWER_MEANING = 0.1, 0.3
# All of that where a question shows no mark of leaning.
STANDING_ALONE = 0.3
# A question without such a mark, without a word of the earlier turns and with no higher cosine to any of them is about
# something else: then they count nothing.
SAME_TOPIC = 0.15

# What stands before quotes, in every language.
OWN_WORDS = tuple(texts[key] for texts in REPLIES.values() for key in ("may_help", "ungrounded"))

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class RecentTurn:
    """An earlier turn as a search may use it. `answer` is None unless it was an answer and is wholly visible now. A
    vector is None where it was not kept, or is of another embedder.
    """

    turn: uuid.UUID
    question: str
    vector: Vector | None = field(default=None, repr=False)
    answer: str | None = None
    answer_vector: Vector | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Weights:
    """What one earlier text weighs, beside 1 for the question itself: its words, and its vector."""

    words: float
    meaning: float

    def __mul__(self, factor: float) -> "Weights":
        return Weights(self.words * factor, self.meaning * factor)


@dataclass(frozen=True)
class Leaning:
    """An earlier text that a search leaned on."""

    turn: uuid.UUID
    part: TurnPart
    weights: Weights


@dataclass(frozen=True)
class WholeQuestion:
    """A question as it is searched for: by `words`, or by those of its own text where they are None, and by `vector`;
    `before` goes before the text where a model reads it. `leans`: it has a mark of leaning on the earlier turns.
    `searched` is None where there was no earlier turn.
    """

    vector: Vector
    words: tuple[Word, ...] | None = None
    before: str = ""
    leans: bool = False
    searched: Searched | None = None
    leanings: tuple[Leaning, ...] = ()

    @property
    def topic_changed(self) -> bool:
        """Whether there were earlier turns, and they were left out."""
        return self.searched is not None and self.searched.topic_changed


@dataclass(frozen=True, eq=False)
class _Text:
    """A text of an earlier turn with its words and weights."""

    turn: RecentTurn
    part: TurnPart
    text: str
    words: tuple[Word, ...]
    vector: Vector
    weights: Weights


def make_whole(
    question: str,
    vector: Vector,
    earlier: Sequence[RecentTurn],
    *,
    embed: Callable[[str], Vector],
    redact: Callable[[str], str],
) -> WholeQuestion:
    """A question with what it leans on among earlier turns, latest first; alone if there are none.

    `redact` is applied to earlier texts before their words are taken, so that what is searched can be shown;
    `embed` makes the vectors that were not kept.
    """
    if not earlier:
        return WholeQuestion(vector)
    texts, leaning = _texts(earlier[:MAX_TURNS], embed, redact), leans(question)
    own = query_terms(question)
    shown = _shown(own, question, redact)
    if not leaning and _is_elsewhere(vector, own, texts):
        return WholeQuestion(vector, searched=Searched(shown, (), topic_changed=True))
    if not leaning:
        texts = [replace(text, weights=text.weights * STANDING_ALONE) for text in texts]
    words, added = _merged(own, texts, leaning=leaning)
    return WholeQuestion(
        _sum(vector, texts),
        words,
        texts[0].text if leaning else "",
        leaning,
        Searched(shown, tuple(AddedWords(t.turn.turn, t.part, _shown(new, t.text)) for t, new in added if new)),
        tuple(Leaning(t.turn.turn, t.part, t.weights) for t in texts),
    )


def without_citations(answer: str) -> str:
    """An answer as it is searched with: without what the product said by itself, too."""
    for text in OWN_WORDS:
        answer = answer.replace(text, " ")
    return CITATION.sub("", answer)


def _texts(earlier: Sequence[RecentTurn], embed: Callable[[str], Vector], redact: Callable[[str], str]) -> list[_Text]:
    """The questions, latest first, and the answer to the latest of them."""

    def made(turn: RecentTurn, part: TurnPart, text: str, vector: Vector | None, weights: Weights) -> _Text:
        # Without what the guardrail takes out, and without the words that it puts there.
        clean = PLACEHOLDER.sub(" ", redact(text))
        return _Text(turn, part, clean, query_terms(clean), embed(text) if vector is None else vector, weights)

    found = [
        made(turn, "question", turn.question, turn.vector, Weights(WORDS_DECAY**back, MEANING_DECAY**back))
        for back, turn in enumerate(earlier, start=1)
    ]
    last = earlier[0]
    if last.answer is not None:
        weights = Weights(ANSWER_WORDS, ANSWER_MEANING)
        found.append(made(last, "answer", without_citations(last.answer), last.answer_vector, weights))
    return found


def _is_elsewhere(vector: Vector, own: Sequence[Word], texts: Sequence[_Text]) -> bool:
    """Whether none of the earlier texts has a word of the question or comes near it."""
    asked = {word.forms for word in own}
    return all(
        asked.isdisjoint(word.forms for word in text.words) and float(vector @ text.vector) < SAME_TOPIC
        for text in texts
    )


def _merged(
    own: Sequence[Word], texts: Sequence[_Text], *, leaning: bool
) -> tuple[tuple[Word, ...], list[tuple[_Text, list[Word]]]]:
    """All words, each once with its highest weight, in the order of their terms; and which each text added.

    The question's own words are all there, and at most MAX_WORDS others. Whether a passage supports an answer is judged
    by the question: the earlier questions' words count for coverage where it leans on them, an answer's words never.
    """
    found = {word.forms: word for word in own}
    added: list[tuple[_Text, list[Word]]] = []
    for text in sorted(texts, key=lambda text: -text.weights.words):
        new = [word for word in _in_order(text.words, text.text) if word.forms not in found]
        new = new[: max(len(own) + MAX_WORDS - len(found), 0)]
        extra = text.part == "answer" or not leaning
        found |= {w.forms: replace(w, weight=text.weights.words, extra=w.extra or extra) for w in new}
        added.append((text, new))
    return tuple(sorted(found.values(), key=lambda word: word.forms)), added


def _sum(own: Vector, texts: Sequence[_Text]) -> Vector:
    """The unit vector of the weighted sum; in double precision and in a fixed order, so the same bytes each time."""
    total = own.astype(np.float64)
    for text in texts:
        total += text.weights.meaning * text.vector.astype(np.float64)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 0 else own


def _in_order(words: Sequence[Word], text: str) -> list[Word]:
    """The words in the order in which they stand in their text."""
    folded = text.casefold()
    return sorted(words, key=lambda word: (folded.find(word.form) % (len(folded) + 1), word.forms))


def _shown(words: Sequence[Word], text: str, redact: Callable[[str], str] | None = None) -> tuple[str, ...]:
    """The words as they are shown: those that stand in the redacted text, inert."""
    if redact is not None:
        kept = {word.forms for word in query_terms(PLACEHOLDER.sub(" ", redact(text)))}
        words = [word for word in words if word.forms in kept]
    return tuple(dict.fromkeys(make_inert(word.form) for word in _in_order(words, text) if not word.extra))
