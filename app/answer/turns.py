"""Conversations and their turns as values: as they are kept, listed and read back."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.answer.events import Source


@dataclass(frozen=True)
class ConversationSummary:
    """A conversation as a list shows it: its first question, and when the last one was answered."""

    id: uuid.UUID
    created_at: dt.datetime
    first_question: str | None
    last_at: dt.datetime | None
    turns: int


@dataclass(frozen=True)
class KeptAnswer:
    """What was said, and the sources that were shown with it, as wire values."""

    text: str
    sources: Sequence[Mapping[str, Any]]
    redactions: Mapping[str, int]


@dataclass(frozen=True)
class TurnView:
    """A turn as its asker sees it now. No answer: something it was made from is no longer theirs to read."""

    id: uuid.UUID
    question: str
    mode: str
    outcome: str
    policy_epoch: int
    at: dt.datetime
    answer: KeptAnswer | None


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
    sources: Sequence[Source]
    redactions: Mapping[str, int]
    documents: frozenset[uuid.UUID]
    embedder: str | None = None
    vectors: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None)
