"""Whether the prompt of an answer can be made again, and is then the one that its record commits to.

An auditor reads no documents and no questions: what is told is that it is the same, or why that cannot be said, by the
ids that the record has. No word of a prompt leaves the service, and none is kept (ADR 0040).
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.admin.audit_log import MAX_TRAIL, AuditLog
from app.audit.listing import list_trail
from app.audit.opener import SealedWords
from app.audit.replay import RebuiltPrompt, RecordedPrompt, has_prompt, is_same, read_recorded_prompt
from app.audit.stale import standing_versions
from app.errors import NotFound
from app.evidence.records import read_record

Result = Literal["same", "different", "not rebuilt"]
# Makes a prompt again as its asker: `app.answer.replay`.
Rebuild = Callable[[RecordedPrompt], RebuiltPrompt]

# Why a prompt cannot be made again, by code.
REASONS: Mapping[str, str] = {
    "no prompt": "No model was asked: it was answered by quotes, nothing was found, or the model was refused.",
    "words erased": "The key of the asker's words was destroyed, and with it the question and the prompt's salt.",
    "unreadable": "The record was sealed under another key, or is not of the form of an answer.",
    "asker gone": "The asker is gone: nothing is read in their name any more.",
    "asker switched off": "The asker is switched off: nothing is read in their name meanwhile.",
    "redacted otherwise": "The prompt was redacted before it left the house. Redacted now, it is another one: the"
    " checks, their lists or what it was made of have changed since, and which of them cannot be told.",
    "template gone": "The service has another version of the prompt's own words than the record names.",
    "document gone": "This document is not there any more.",
    "another version": "Another version of this document stands than the one that was shown.",
    "not readable": "The asker may not read this document any more.",
    "passage gone": "This version of the document stands, and has no such passage any more: it was indexed again.",
    "conversation gone": "The conversation was deleted, and with it the earlier turns that the model was shown.",
    "turn withheld": "This earlier turn is not given out any more: a document behind it is gone or withheld.",
}


@dataclass(frozen=True)
class ReplayReason:
    """Why a prompt cannot be made again: a key of REASONS, with the document or the earlier turn's trail, if of one."""

    code: str
    document: uuid.UUID | None = None
    turn: uuid.UUID | None = None

    @property
    def explanation(self) -> str:
        return REASONS[self.code]


@dataclass(frozen=True)
class Replay:
    """What came of it. `seq`: the number of the record of the answer's opening; `reasons` where it was not rebuilt.

    Where it is `different`, all that the record names stands, and does not give the prompt that the record commits to.
    """

    trail: uuid.UUID
    seq: int
    result: Result
    reasons: list[ReplayReason]
    recorded: uuid.UUID


@dataclass(frozen=True)
class PromptReplays:
    """Compares the prompts of answers with what is made again from what still stands; for auditors."""

    log: AuditLog
    rebuild: Rebuild

    def replay(self, trail: uuid.UUID) -> Replay:
        """Make the prompt of an answer again and compare it (audit); recorded. Raises NotFound for another trail."""
        seq, record, words = self._opening(trail)
        result, reasons = self._compared(record, words)
        recorded = self.log.record(self.log.look({"replay": str(trail)}, 1))
        return Replay(trail, seq, result, reasons, recorded)

    def _opening(self, trail: uuid.UUID) -> tuple[int, dict[str, Any], "_Words"]:
        """The first opening of the trail, which is the one that counts, and what it is compared by."""
        with self.log.reading() as session:
            for entry in list_trail(session, trail, limit=MAX_TRAIL):
                record = read_record(entry.body)
                if record is not None and record["kind"] == "answer.opened":
                    return entry.seq, record, _words(SealedWords(session, self.log.sealer), record)
        raise NotFound

    def _compared(self, record: dict[str, Any], words: "_Words") -> tuple[Result, list[ReplayReason]]:
        if not has_prompt(record):
            return "not rebuilt", [ReplayReason("no prompt")]
        recorded = read_recorded_prompt(record, words.question)
        if words.lack or recorded is None:
            return "not rebuilt", [ReplayReason(words.lack or "unreadable")]
        rebuilt = self.rebuild(recorded)
        if rebuilt.prompt is not None and is_same(record, words.salt, rebuilt.prompt):
            return "same", []
        if rebuilt.prompt is not None:
            # Of a redacted prompt nobody can say whether its parts or the checks are others than then.
            return ("not rebuilt", [ReplayReason("redacted otherwise")]) if recorded.redacted else ("different", [])
        return "not rebuilt", self._reasons(recorded, rebuilt)

    def _reasons(self, recorded: RecordedPrompt, rebuilt: RebuiltPrompt) -> list[ReplayReason]:
        found = [] if rebuilt.asker == "there" else [ReplayReason(f"asker {rebuilt.asker}")]
        found += [ReplayReason("template gone")] if rebuilt.template_gone else []
        # Of an asker who is not there nothing was read: what is known of the documents is said all the same.
        missing = rebuilt.missing if rebuilt.asker == "there" else recorded.passages
        with self.log.reading() as session:
            standing = standing_versions(session, {each.document for each in missing})
        for each in missing:
            if each.document not in standing:
                code = "document gone"
            elif standing[each.document] != each.version:
                code = "another version"
            elif rebuilt.asker != "there":
                continue
            else:
                code = "not readable" if each.document in rebuilt.unreadable else "passage gone"
            found.append(ReplayReason(code, document=each.document))
        if rebuilt.conversation_gone:
            return [*dict.fromkeys(found), ReplayReason("conversation gone")]
        return [*dict.fromkeys(found), *(ReplayReason("turn withheld", turn=each) for each in rebuilt.turns)]


@dataclass(frozen=True)
class _Words:
    """The question and the prompt's salt; or what they lack. Both stay here."""

    question: str = ""
    salt: str = ""
    lack: str = ""

    def __repr__(self) -> str:
        return "_Words()"


def _words(sealed: SealedWords, record: dict[str, Any]) -> _Words:
    if not has_prompt(record):
        return _Words()
    try:
        question, prompt = sealed.open(record, "question"), sealed.open(record, "prompt")
    except KeyError:
        return _Words(lack="unreadable")
    if question.get("erased") or prompt.get("erased"):
        return _Words(lack="words erased")
    if "text" not in question or "salt" not in prompt:
        return _Words(lack="unreadable")
    return _Words(question["text"], prompt["salt"])
