"""Makes a prompt again out of what its record names, as its asker reads that now.

It runs under the asker's own identity, by the code that answers are made with: what they do not read any more is not
read for them either. The prompt goes to whoever compares it with a commitment, and to nobody else (ADR 0040).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.acl.visible import Visible, visible_scopes
from app.answer import conversation_store as conversations
from app.answer.prompt import EarlierTurn, build
from app.answer.prompt_templates import TEMPLATES
from app.audit.replay import RebuiltPrompt, RecordedPassage, RecordedPrompt
from app.db.session import Database, ReadSession
from app.db.tables.people import User
from app.errors import NotFound
from app.guardrail.check import Check
from app.identity.authenticate import reader_of
from app.identity.subject import Subject
from app.retrieval.browse import readable_among
from app.retrieval.passage import Passage
from app.retrieval.passage_rows import find_passages


@dataclass(frozen=True)
class _Standing:
    """What of a record its asker reads now: passages in the same version, documents of the others, and earlier turns;
    `earlier` is None where their conversation is gone.
    """

    passages: Mapping[RecordedPassage, Passage]
    readable: set[uuid.UUID]
    earlier: Mapping[uuid.UUID, EarlierTurn] | None


def rebuild_prompt(
    database: Database, recorded: RecordedPrompt, *, dimensions: int, checks: Sequence[Check]
) -> RebuiltPrompt:
    """The prompt of a record from what still stands, in one snapshot as its asker; or what of it does not.

    `dimensions` are those of the vectors of passages; with `checks` a prompt that was redacted is redacted again.
    """
    template = next((each for each in TEMPLATES.values() if each.digest == recorded.template), None)
    with database.reading(recorded.asker) as session:
        asker = session.get(User, recorded.asker)
        if asker is None or asker.kind != "person" or not asker.active:
            gone = asker is None or asker.kind != "person" or asker.deleted_at is not None
            return RebuiltPrompt(None, "gone" if gone else "switched off", template_gone=template is None)
        standing = _read(session, reader_of(session, asker), recorded, dimensions)
    earlier = standing.earlier or {}
    missing = tuple(each for each in recorded.passages if each not in standing.passages)
    turns = tuple(each for each in recorded.history if each not in earlier)
    if template is None or missing or turns:
        return RebuiltPrompt(
            None,
            template_gone=template is None,
            missing=missing,
            unreadable=frozenset(each.document for each in missing) - standing.readable,
            turns=turns,
            conversation_gone=standing.earlier is None,
        )
    passages = [standing.passages[each] for each in recorded.passages]
    turns_shown = [earlier[each] for each in recorded.history]
    redacted = checks if recorded.redacted else None
    context = build(recorded.question, passages, turns_shown, template, redacted=redacted)
    return RebuiltPrompt(context.prompt.decode())


def read_again(
    database: Database, recorded: RecordedPrompt, *, dimensions: int
) -> tuple[Subject, list[Passage]] | None:
    """The asker as they are now, and those of the recorded passages that they still read; None if they are not there.

    `dimensions` are those of the vectors of passages.
    """
    with database.reading(recorded.asker) as session:
        asker = session.get(User, recorded.asker)
        if asker is None or asker.kind != "person" or not asker.active:
            return None
        subject = reader_of(session, asker)
        visible = visible_scopes(session, subject)
        return subject, find_passages(session, visible, [each.chunk for each in recorded.passages], dimensions)


def _read(session: ReadSession, subject: Subject, recorded: RecordedPrompt, dimensions: int) -> _Standing:
    visible = visible_scopes(session, subject)
    found = find_passages(session, visible, [each.chunk for each in recorded.passages], dimensions)
    return _Standing(
        {RecordedPassage(each.chunk, each.document, each.version): each for each in found},
        readable_among(session, visible, {each.document for each in recorded.passages}),
        _earlier(session, subject, visible, recorded),
    )


def _earlier(
    session: ReadSession, subject: Subject, visible: Visible, recorded: RecordedPrompt
) -> Mapping[uuid.UUID, EarlierTurn] | None:
    if not recorded.history:
        return {}
    if recorded.conversation is None:
        return None
    try:
        return conversations.given_out(session, subject, visible, recorded.conversation, recorded.history)
    except NotFound:
        return None
