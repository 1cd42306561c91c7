"""What an answer is made of, as it comes: opened, pieces of text, and the end with its sources."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["generate", "quote"]
AnswerOutcome = Literal["answered", "quoted", "nothing"]


@dataclass(frozen=True)
class Source:
    """A passage that the answer was made from, already redacted. `number` is the one that stands in the text."""

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


@dataclass(frozen=True)
class Opened:
    """The audit record is committed; what follows is the answer to it."""

    trail: uuid.UUID
    mode: Mode


@dataclass(frozen=True)
class Delta:
    """The next piece of the redacted text."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end. `fallback` says why quotes came although an answer was asked for; `conversation` is where the turn is
    kept, known by its trail.
    """

    trail: uuid.UUID
    mode: Mode
    outcome: AnswerOutcome
    sources: tuple[Source, ...]
    redactions: Mapping[str, int] = field(default_factory=dict)
    fallback: str | None = None
    conversation: uuid.UUID | None = None


AnswerEvent = Opened | Delta | Done
