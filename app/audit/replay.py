"""What the record of an answer says of its prompt, and whether another one is the same: by its commitment alone.

The values here are shared by two parts that know nothing of each other: the one that reads the log (`app.admin.replay`)
and the one that makes prompts (`app.answer.replay`).
"""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.evidence.merkle import commitment, decode
from app.evidence.records import is_sealed, part


@dataclass(frozen=True)
class RecordedPassage:
    """A passage that a model was shown, by the public ids of its record."""

    chunk: uuid.UUID
    document: uuid.UUID
    version: uuid.UUID


@dataclass(frozen=True)
class RecordedPrompt:
    """All that a prompt was made of, as its record names it: passages in their order, earlier turns oldest first.
    `redacted`: values in it were replaced, since it left the house.
    """

    asker: uuid.UUID
    question: str = field(repr=False)
    template: str
    passages: tuple[RecordedPassage, ...]
    conversation: uuid.UUID | None
    history: tuple[uuid.UUID, ...]
    redacted: bool = False


@dataclass(frozen=True)
class RebuiltPrompt:
    """A prompt that was made again; None where something of it is not there for its asker any more: which.

    `asker`: whether they are there, gone or switched off; only of one who is there anything was read. `missing` are
    passages that were not found in their version; `unreadable` those of their documents that the asker does not read.
    `turns`: earlier turns that are not given out any more; `conversation_gone`: none of them is there.
    """

    prompt: str | None = field(repr=False)
    asker: Literal["there", "gone", "switched off"] = "there"
    template_gone: bool = False
    missing: tuple[RecordedPassage, ...] = ()
    unreadable: frozenset[uuid.UUID] = frozenset()
    turns: tuple[uuid.UUID, ...] = ()
    conversation_gone: bool = False


def read_recorded_prompt(record: Mapping[str, Any], question: str) -> RecordedPrompt | None:
    """What a record says of its prompt; None where it has not the form of one."""
    try:
        passages = sorted(record["passages"], key=lambda each: int(each["rank"]))
        if not passages:
            return None
        conversation = record.get("conversation")
        return RecordedPrompt(
            asker=uuid.UUID(record["actor"]["user"]),
            question=question,
            template=str(record["template"]),
            passages=tuple(
                RecordedPassage(*(uuid.UUID(each[name]) for name in ("chunk", "document", "version")))
                for each in passages
            ),
            conversation=None if conversation is None else uuid.UUID(conversation),
            history=tuple(uuid.UUID(each) for each in record.get("history", ())),
            redacted=record.get("prompt_redactions") is not None,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def has_prompt(record: Mapping[str, Any]) -> bool:
    """Whether a model was to be shown a prompt, so that the record has a commitment of it."""
    return is_sealed(record.get("prompt"))


def is_same(record: Mapping[str, Any], salt: str, prompt: str) -> bool:
    """Whether a prompt is, byte for byte, the one of the record's commitment."""
    return hmac.compare_digest(commitment(decode(salt), prompt), decode(part(record["prompt"], "commitment")))
