"""What an answer is made of, as it comes: opened, pieces of text, and the end with its sources."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.grounding.report import ConflictKind, GroundingReport
from app.incoming.finding import FindingKind

Mode = Literal["generate", "quote"]
# `may_help`: quotes of which none is sure to answer. `refused`: the question is one of a category that is not answered.
AnswerOutcome = Literal["answered", "quoted", "may_help", "nothing", "asked_back", "refused"]
TurnPart = Literal["question", "answer"]
BlockKind = Literal["paragraph", "list", "steps", "row", "definition"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Source:
    """A passage that the answer was made from, already redacted. `number` is the one that stands in the text.

    `warnings` are kinds of what was found in the passage (`app.incoming`), and is kept from a model.
    """

    number: int
    cited: bool
    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str
    title: str
    heading: tuple[str, ...]
    page: int | None
    label: str
    quote: str
    warnings: tuple[FindingKind, ...] = ()


@dataclass(frozen=True)
class AddedWords:
    """Words that were searched for beside those of the question, and the earlier turn whose text they stand in."""

    turn: uuid.UUID
    part: TurnPart
    words: tuple[str, ...]


@dataclass(frozen=True)
class Searched:
    """What was searched for as the next turn of a conversation: the question's own words, and what earlier turns added,
    the most important first. `topic_changed`: the question was taken for another topic, so they added nothing.
    """

    words: tuple[str, ...]
    added: tuple[AddedWords, ...]
    topic_changed: bool = False


@dataclass(frozen=True)
class AnswerCell:
    """A cell of a table's row under its header."""

    header: str
    text: str


@dataclass(frozen=True)
class AnswerBlock:
    """A piece of a document that is shown as an answer, word for word but for the guardrail.

    `highlights` are the words that decide, [start, end) in characters of `text`; `cells` are those of a row;
    `source_number` is that of its source. `confidence` says how sure it is that the block answers. `feedback` is a
    token with which the asker, and nobody else, can say whether it helped.
    """

    number: int
    kind: BlockKind
    text: str
    highlights: tuple[tuple[int, int], ...]
    cells: tuple[AnswerCell, ...]
    source_number: int
    document: uuid.UUID
    chunk: uuid.UUID
    title: str
    heading: tuple[str, ...]
    page: int | None
    date: dt.date | None
    confidence: Confidence
    feedback: str


@dataclass(frozen=True)
class ShownConflict:
    """Two sources of an answer, by their numbers, whose sentences say different things about the same."""

    first: int
    second: int
    kind: ConflictKind
    first_text: str
    second_text: str


@dataclass(frozen=True)
class Refusal:
    """Why a question was not answered: its category, whether the text says where to ask instead, and whether a model
    that should have been asked did not answer, so that nothing is said of the question. Never which rule found it.
    """

    category: str
    action: Literal["refuse", "redirect"]
    outage: bool


@dataclass(frozen=True)
class Opened:
    """The audit record is committed; what follows is the answer to it. `documents` are all that it is made from, by
    their public ids, for who gives it out later: they are not sent.
    """

    trail: uuid.UUID
    mode: Mode
    documents: frozenset[uuid.UUID] = frozenset()


@dataclass(frozen=True)
class Delta:
    """The next piece of the redacted text."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end. `fallback` says why quotes came although an answer was asked for; `conversation` is where the turn is
    kept, known by its trail. `blocks` are the quotes, in the order of the text. `searched` is None where there was no
    earlier turn; `grounding` is what was found of the sentences of a model; `conflicts` are among the sources;
    `feedback` is a token for the whole answer, as a block's is for a block. `refusal` goes with the outcome `refused`.
    """

    trail: uuid.UUID
    mode: Mode
    outcome: AnswerOutcome
    sources: tuple[Source, ...]
    redactions: Mapping[str, int] = field(default_factory=dict)
    fallback: str | None = None
    blocks: tuple[AnswerBlock, ...] = ()
    conversation: uuid.UUID | None = None
    searched: Searched | None = None
    grounding: GroundingReport | None = None
    conflicts: tuple[ShownConflict, ...] = ()
    feedback: str = ""
    refusal: Refusal | None = None


def cited_documents(sources: Iterable[Source]) -> tuple[uuid.UUID, ...]:
    """The documents of those that are cited, each once."""
    return tuple(dict.fromkeys(source.document for source in sources if source.cited))


AnswerEvent = Opened | Delta | Done
