"""Whether the log keeps a released answer and its excerpts, sealed, or commitments alone: the policy of the settings.

What is kept is what left the service, after the guardrail; what that took out is nowhere. It is sealed under the
asker's key and those of all documents in its context, earlier turns included, so that erasing a person or a document
erases it.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.answer.events import Source
from app.answer.prompt import Context
from app.audit.events.base import CommittedText, SealedText
from app.identity.subject import Label
from app.settings import AuditSettings

# Characters of an answer, and of its excerpts as JSON: a record holds 256 KiB, and a character takes up to 4 bytes, in
# base64 up to 6.
MAX_ANSWER = 16_000
MAX_EXCERPTS = 20_000


@dataclass(frozen=True)
class KeepingPolicy:
    """The highest label that is kept, None: nothing is; and the collections that it is kept of, none: all."""

    up_to: Label | None
    collections: frozenset[str]

    @classmethod
    def of(cls, settings: AuditSettings) -> "KeepingPolicy":
        """As the settings have it."""
        up_to = None if settings.keep_answers == "never" else Label.parse(settings.keep_answers)
        named = (name.strip() for name in settings.keep_answers_of.split(","))
        return cls(up_to, frozenset(name for name in named if name))

    def keeps(self, context: Context | None) -> bool:
        """Whether an answer made from this may be kept. One with earlier turns only where no collection is named: of
        what these rest on the label and the documents are known, and not the collections.
        """
        if self.up_to is None:
            return False
        if context is None:
            return True
        if self.collections and (context.earlier or {p.collection for p in context.passages} - self.collections):
            return False
        return context.label <= self.up_to


def kept_output(text: str, documents: frozenset[uuid.UUID], *, keeps: bool) -> SealedText | CommittedText:
    """The released answer as its record has it; one that is too long for a record as a commitment."""
    kept = keeps and len(text) <= MAX_ANSWER
    return SealedText(text, documents) if kept else CommittedText(text)


def kept_excerpts(sources: Sequence[Source], documents: frozenset[uuid.UUID]) -> SealedText | None:
    """What was shown of the sources, as JSON: the best first, as many as a record holds, and how many were left out."""
    shown = [
        {"number": s.number, "cited": s.cited, "document": str(s.document), "chunk": str(s.chunk), "quote": s.quote}
        for s in sources
    ]
    left_out = 0
    while len(text := json.dumps({"excerpts": shown, "left_out": left_out}, ensure_ascii=False)) > MAX_EXCERPTS:
        shown.pop()
        left_out += 1
    return SealedText(text, documents) if sources else None
