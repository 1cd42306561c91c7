"""Records of what administrators try at the guardrail, and of what is read back of what it hid. Neither the text that
was tried nor the value that was revealed is in them.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.events.base import Event, SealedText


@dataclass(frozen=True, kw_only=True)
class GuardrailChecked(Event):
    """Somebody was shown what the guardrail hides in a text of theirs, of so many characters; `redactions` by kind."""

    kind = "guardrail.checked"
    characters: int
    redactions: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PseudonymRevealed(Event):
    """Somebody was told, for this reason, what a pseudonym of an answer stands for: the one of this kind of redaction
    and number. They read this passage, in which it stands.

    `answer` is its trail. The record is not part of that: what opens the words of who asked opens no reason of others.
    """

    kind = "pseudonym.revealed"
    answer: uuid.UUID
    redaction: str
    number: int
    reason: SealedText
    chunk: uuid.UUID
    document: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class PseudonymRefused(Event):
    """Somebody asked for it and was told that there is nothing: no such answer or pseudonym, or it is over, or they
    read no passage in which it stands.
    """

    kind = "pseudonym.refused"
    answer: uuid.UUID
    redaction: str
    number: int
    reason: SealedText
