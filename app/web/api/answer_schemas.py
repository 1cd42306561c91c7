"""What asking sends over the wire: questions, answers, and conversations as they are read back."""

import datetime as dt
import uuid
from typing import Any, Literal, Self

from pydantic import Field

from app.answer.conversation import MAX_TITLE
from app.answer.events import AnswerOutcome, BlockKind, Confidence
from app.answer.turns import AnswerView
from app.audit.events.answers import FeedbackReason
from app.grounding.report import GroundingReport
from app.identity.feedback_tokens import MAX_TOKEN
from app.incoming.finding import FindingKind
from app.settings import LabelName
from app.web.api.schemas import ApiModel, CollectionName, Question


class AskBody(ApiModel):
    """A question."""

    question: Question
    mode: Literal["generate", "quote"] | None = Field(None, description="unset: as the service is configured")
    conversation: uuid.UUID | None = Field(
        None, description="a conversation of yours: the turn is kept there. Unset: nothing is kept"
    )
    collections: list[CollectionName] = Field(
        default_factory=list, max_length=20, description="answer from these alone; none: from all that you may read"
    )
    stream: bool = Field(False, description="true: server-sent events `opened`, `delta`, `done`, `error`")


class SourceOut(ApiModel):
    """A passage that the answer was made from. `number` stands in the text as [number] if `cited`."""

    number: int
    cited: bool
    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str
    title: str
    heading: tuple[str, ...]
    page: int | None
    label: LabelName
    quote: str
    warnings: tuple[FindingKind, ...] = Field(
        (),
        description="what the passage holds and was kept from the model: sentences that speak to it (`instruction`), or"
        " characters that hide a text",
    )


class AddedWordsOut(ApiModel):
    """Words of an earlier turn of the conversation, known by its trail: of its question or of its answer."""

    turn: uuid.UUID
    part: Literal["question", "answer"]
    words: tuple[str, ...]


class SearchedOut(ApiModel):
    """What was searched for: the question's own words, and those that earlier turns added, which weigh less.

    `topic_changed`: the question was taken for another topic than theirs, so they added nothing.
    """

    words: tuple[str, ...]
    added: tuple[AddedWordsOut, ...]
    topic_changed: bool


class SentenceOut(ApiModel):
    """What was found of a sentence of the model, by its place in what the model wrote (0 first).

    `wrong`: the passages contradict it, or it has a number, date or name that they do not give (`reason`). `not_found`:
    they do not say it, or an entailment model takes it for contradicted. `glue` says nothing that would need support.
    `sources` are numbers as in the answer.
    """

    index: int
    verdict: Literal["supported", "wrong", "not_found", "glue"]
    action: Literal["kept", "dropped", "marked"]
    reason: Literal["number", "date", "name", "negation", "words", "entailment"] | None
    sources: tuple[int, ...]


class ConflictOut(ApiModel):
    """Two sources, by their numbers, with the sentences that say different things about the same."""

    first: int
    second: int
    kind: Literal["number", "date", "negation"]
    first_text: str
    second_text: str


class GroundingOut(ApiModel):
    """How far the passages support what a model wrote; `kept`, `dropped` and `marked` count its sentences but glue.

    `outcome`: `grounded` if they support every sentence, `partly` if some, `ungrounded` if none: then quotes come
    instead. `declined` if the model says that they do not answer, and nothing else.
    """

    outcome: Literal["grounded", "partly", "ungrounded", "declined"]
    kept: int
    dropped: int
    marked: int
    reasons: dict[str, int] = Field(description="why sentences were dropped or marked")
    sentences: tuple[SentenceOut, ...]

    @classmethod
    def of(cls, report: GroundingReport | None) -> "GroundingOut | None":
        if report is None:
            return None
        return cls(
            outcome=report.outcome,
            **report.counts,
            reasons=dict(report.reasons),
            sentences=tuple(SentenceOut.model_validate(s) for s in report.sentences),
        )


class CellOut(ApiModel):
    """A cell of a table's row under its header."""

    header: str
    text: str


class BlockOut(ApiModel):
    """A quote: a paragraph, a list, steps, a definition or a table's row, word for word but for what was redacted.

    `highlights`: the words that decide, [start, end) in characters of `text`. `cells`: those of a row. `source_number`:
    that of its source. `feedback`: send it to `POST /feedback` to say whether the block helped.
    """

    number: int
    kind: BlockKind
    text: str
    highlights: tuple[tuple[int, int], ...]
    cells: tuple[CellOut, ...]
    source_number: int
    document: uuid.UUID
    chunk: uuid.UUID
    title: str
    heading: tuple[str, ...]
    page: int | None
    date: dt.date | None = Field(description="when the document was last changed")
    confidence: Confidence = Field(description="how sure it is that the block answers")
    feedback: str


class FeedbackBody(ApiModel):
    """What you say of an answer that you were given, or of a block of it; the last word counts."""

    token: str = Field(max_length=MAX_TOKEN, description="`feedback` of the answer or the block")
    helpful: bool
    reason: FeedbackReason | None = Field(None, description="what was amiss, if anything")
    question: Question | None = Field(
        None, description="your question, if the curators of its documents may read it; null: they may not"
    )


class FeedbackOut(ApiModel):
    """What you said is in the audit log; `record` is its id there."""

    record: uuid.UUID


class FeedbackSourceOut(ApiModel):
    """A document of the collection that an answer was made from."""

    document: uuid.UUID
    path: str


class FeedbackEntryOut(ApiModel):
    """What somebody said of an answer. `question` is what was asked, where the asker shares it."""

    id: uuid.UUID
    at: dt.datetime
    helpful: bool
    reason: FeedbackReason | None
    question: str | None
    sources: tuple[FeedbackSourceOut, ...]


class RefusalOut(ApiModel):
    """Why a question was not answered: the category of the administrator's that it is of. `redirect`: the text says
    where to ask instead. `outage`: a model that should have been asked did not answer, and nothing else is known.
    """

    category: str
    action: Literal["refuse", "redirect"]
    outage: bool


class AnswerContentOut(ApiModel):
    """What an answer has, whether it has just ended or is read back."""

    answer: str = ""
    sources: tuple[SourceOut, ...] = ()
    redactions: dict[str, int] = Field(
        default_factory=dict,
        description="by kind, in the answer, its conflicts, paths, titles and headings of its sources, and quotes of"
        " cited ones",
    )
    fallback: str | None = Field(None, description="why quotes came although an answer was asked for")
    blocks: tuple[BlockOut, ...] = Field((), description="the quotes, in the order of the text")
    searched: SearchedOut | None = Field(None, description="null without an earlier turn")
    grounding: GroundingOut | None = Field(None, description="null if no model wrote anything")
    conflicts: tuple[ConflictOut, ...] = Field((), description="sources that contradict each other")
    feedback: str = Field("", description="as that of a block, for the whole answer")
    refusal: RefusalOut | None = Field(
        None, description="with the outcome `refused`, where the question was the reason"
    )


def answer_content(view: AnswerView) -> dict[str, Any]:
    """The fields of `AnswerContentOut`."""
    details = view.details
    return {
        "answer": view.text,
        "sources": view.sources,
        "redactions": view.redactions,
        "fallback": details.fallback,
        "blocks": details.blocks,
        "searched": details.searched,
        "grounding": GroundingOut.of(details.grounding),
        "conflicts": details.conflicts,
        "feedback": view.feedback,
        "refusal": details.refusal,
    }


class AnswerOut(AnswerContentOut):
    """An answer. `outcome` is `nothing` if nothing you may read answers the question, `may_help` if it is not sure that
    the quotes answer it, `asked_back` if the question names nothing that could be searched for, `refused` if it is of a
    category that is not answered (`refusal`); `trail` is also the turn's id in its `conversation`, if there is one.
    """

    trail: uuid.UUID
    mode: Literal["generate", "quote"]
    outcome: AnswerOutcome
    conversation: uuid.UUID | None = None

    @classmethod
    def of(cls, view: AnswerView) -> Self:
        own = {
            "trail": view.trail,
            "mode": view.mode,
            "outcome": view.outcome,
            "conversation": view.conversation,
        }
        return cls.model_validate(own | answer_content(view))


class ConversationBody(ApiModel):
    """What can be changed of a conversation."""

    title: str = Field(min_length=1, max_length=MAX_TITLE, examples=["The move to Rotterdam"])


class ConversationOut(ApiModel):
    """A conversation of yours. `title` is null until you give it one: then the first question stands for it.

    `first_question` and `last_at` are null while it has no turn.
    """

    id: uuid.UUID
    created_at: dt.datetime
    title: str | None
    first_question: str | None
    last_at: dt.datetime | None
    turns: int


class TurnOut(AnswerContentOut):
    """A turn as you may see it now; `id` is the trail of its answer.

    `withheld` if something that the answer was made from is no longer yours to read: then only the question is given,
    with a `notice`, and `outcome` says `withheld`. Tokens of `blocks` are new ones, and `searched` is without the words
    of an earlier answer.
    """

    id: uuid.UUID
    at: dt.datetime
    question: str
    mode: Literal["generate", "quote"]
    outcome: Literal[
        "answered", "quoted", "may_help", "nothing", "asked_back", "refused", "failed", "hung_up", "withheld"
    ]
    withheld: bool
    notice: str | None


class ConversationTurnsOut(ApiModel):
    """A conversation with its turns, oldest first."""

    id: uuid.UUID
    turns: list[TurnOut]
