"""Conversations and their turns as values: as they are kept, listed and read back."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.answer.events import AnswerBlock, Done, Refusal, Searched, ShownConflict, Source, cited_documents
from app.grounding.report import GroundingReport
from app.identity.feedback_tokens import WHOLE_ANSWER
from app.identity.subject import Label


@dataclass(frozen=True)
class ConversationSummary:
    """A conversation as a list shows it: its first question, which stands for it unless it has a title, and when the
    last one was answered.
    """

    id: uuid.UUID
    created_at: dt.datetime
    title: str | None
    first_question: str | None
    last_at: dt.datetime | None
    turns: int


@dataclass(frozen=True)
class AnswerDetails:
    """What an answer has beside its text and its sources: as `Done` gives it, and as a turn keeps it."""

    fallback: str | None = None
    blocks: tuple[AnswerBlock, ...] = ()
    searched: Searched | None = None
    grounding: GroundingReport | None = None
    conflicts: tuple[ShownConflict, ...] = ()
    # Whether the company's policy had its asker see values that are hidden otherwise, and the documents that these
    # stand in; a null one for values that stood in no passage.
    shows_values: bool = False
    values_in: tuple[uuid.UUID | None, ...] = ()
    refusal: Refusal | None = None

    def to_keep(self) -> Self:
        """What a conversation keeps: without tokens, which are issued at each reading, and without the words that an
        earlier answer added to the search, since they stand in documents that this answer was not made from.
        """
        blocks = tuple(replace(block, feedback="") for block in self.blocks)
        return replace(self, blocks=blocks, searched=without_answer_words(self.searched))


@dataclass(frozen=True)
class AnswerView:
    """An answer as its asker sees it, whether it has just ended or is read back in its conversation."""

    trail: uuid.UUID
    mode: str
    outcome: str
    text: str
    sources: tuple[Source, ...]
    redactions: Mapping[str, int]
    conversation: uuid.UUID | None
    details: AnswerDetails
    feedback: str = ""

    @classmethod
    def of(cls, done: Done, text: str) -> Self:
        """An answer that has ended, with the text of all its pieces."""
        return cls(
            trail=done.trail,
            mode=done.mode,
            outcome=done.outcome,
            text=text,
            sources=done.sources,
            redactions=done.redactions,
            conversation=done.conversation,
            details=details_of(done),
            feedback=done.feedback,
        )

    def with_feedback(self, issue: Callable[[uuid.UUID, int, Iterable[uuid.UUID]], str]) -> Self:
        """With new tokens for itself and each block; `issue` makes one from the trail, the number and the documents."""
        blocks = tuple(
            replace(block, feedback=issue(self.trail, block.number, [block.document])) for block in self.details.blocks
        )
        whole = issue(self.trail, WHOLE_ANSWER, cited_documents(self.sources))
        return replace(self, details=replace(self.details, blocks=blocks), feedback=whole)

    def redacted(self, clean: Callable[[str], str]) -> Self:
        """With `clean` of all its texts; a block whose text that changes is shown without its marks and cells."""
        return replace(
            self,
            text=clean(self.text),
            sources=tuple(_clean_source(source, clean) for source in self.sources),
            details=replace(
                self.details,
                blocks=tuple(_clean_block(block, clean) for block in self.details.blocks),
                conflicts=tuple(
                    replace(each, first_text=clean(each.first_text), second_text=clean(each.second_text))
                    for each in self.details.conflicts
                ),
            ),
        )


def _clean_source(source: Source, clean: Callable[[str], str]) -> Source:
    return replace(
        source,
        path=clean(source.path),
        title=clean(source.title),
        heading=tuple(map(clean, source.heading)),
        quote=clean(source.quote),
    )


def _clean_block(block: AnswerBlock, clean: Callable[[str], str]) -> AnswerBlock:
    named = replace(block, title=clean(block.title), heading=tuple(map(clean, block.heading)))
    text = clean(block.text)
    return named if text == block.text else replace(named, text=text, highlights=(), cells=())


def without_answer_words(searched: Searched | None) -> Searched | None:
    """What was searched for without the words of earlier answers, which are text of documents."""
    if searched is None:
        return None
    added = tuple(replace(more, words=()) if more.part == "answer" else more for more in searched.added)
    return replace(searched, added=added)


def details_of(done: Done) -> AnswerDetails:
    """What came with the end of an answer, beside its sources."""
    return AnswerDetails(
        done.fallback, done.blocks, done.searched, done.grounding, done.conflicts, refusal=done.refusal
    )


@dataclass(frozen=True)
class TurnView:
    """A turn as its asker sees it now. No answer: something it was made from is no longer theirs to read.

    `label` is the highest that the documents carry now whose values its answer shows, if it shows any that are hidden
    otherwise.
    """

    id: uuid.UUID
    question: str
    mode: str
    outcome: str
    policy_epoch: int
    at: dt.datetime
    answer: AnswerView | None
    label: Label | None = None


@dataclass(frozen=True)
class NewTurn:
    """A turn to be kept: `documents` are all that its answer was made from, by their public ids. `vectors` are those of
    the question and, where there is one, of the answer, by the embedder with this digest.
    """

    id: uuid.UUID
    conversation: uuid.UUID
    question: str
    mode: str
    outcome: str
    policy_epoch: int
    answer: str
    sources: tuple[Source, ...]
    redactions: Mapping[str, int]
    documents: frozenset[uuid.UUID]
    details: AnswerDetails = field(default_factory=AnswerDetails)
    embedder: str | None = None
    vectors: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None)
