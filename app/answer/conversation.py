"""Conversations as their asker uses them. A reading is recorded before it is shown."""

import dataclasses
import uuid
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from app.acl.visible import visible_scopes
from app.answer import conversation_store as store
from app.answer.components import Components
from app.answer.turns import ConversationSummary, TurnView
from app.audit.actor import actor
from app.audit.events.conversations import ConversationDeleted, ConversationRead
from app.audit.log import record
from app.db.paging import Page
from app.db.session import ReadSession, WriteSession
from app.errors import InvalidInput
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import Redactor
from app.identity.subject import Capability, Subject, require_capability

MAX_TITLE = 200
Beside = TypeVar("Beside")


def begin_conversation(session: WriteSession, subject: Subject) -> ConversationSummary:
    """A new, empty conversation; questions that name it are kept in it."""
    require_capability(subject, Capability.ASK)
    return store.begin(session, subject)


def list_conversations(session: ReadSession, subject: Subject, page: Page) -> list[ConversationSummary]:
    """The subject's conversations, newest first, each with its first question."""
    require_capability(subject, Capability.ASK)
    return store.list_own(session, subject, page)


def find_conversation(session: ReadSession, subject: Subject, conversation: uuid.UUID) -> ConversationSummary:
    """One of the subject's conversations, as the list shows it; raises NotFound."""
    require_capability(subject, Capability.ASK)
    return store.find(session, subject, conversation)


def read_conversation(parts: Components, subject: Subject, conversation: uuid.UUID, page: Page) -> list[TurnView]:
    """The last turns, oldest first, without the answers that the subject may no longer read; raises NotFound."""
    return read_conversation_and(parts, subject, conversation, page, lambda _: None)[0]


def read_conversation_and(
    parts: Components, subject: Subject, conversation: uuid.UUID, page: Page, beside: Callable[[ReadSession], Beside]
) -> tuple[list[TurnView], Beside]:
    """The same, and what is to stand beside it, read in the same snapshot."""
    require_capability(subject, Capability.ASK)
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        turns = store.turns(session, subject, visible, conversation, page)
        found = beside(session)
    return _given_out(parts, subject, conversation, turns, visible.epoch), found


def read_turn(parts: Components, subject: Subject, conversation: uuid.UUID, turn: uuid.UUID) -> TurnView:
    """One turn, as `read_conversation` gives it; raises NotFound."""
    require_capability(subject, Capability.ASK)
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        found = store.find_turn(session, subject, visible, conversation, turn)
    return _given_out(parts, subject, conversation, [found], visible.epoch)[0]


def _given_out(
    parts: Components, subject: Subject, conversation: uuid.UUID, turns: list[TurnView], epoch: int
) -> list[TurnView]:
    """The turns with tokens for what is said of their blocks, once it is recorded that they are read."""
    event = ConversationRead(
        actor=actor(subject),
        conversation=conversation,
        shown=tuple(turn.id for turn in turns if turn.answer is not None),
        withheld=tuple(turn.id for turn in turns if turn.answer is None),
        policy_epoch=epoch,
    )
    # Committed before anything is given out, as for every reading of text.
    with parts.database.writing(subject.user_id) as session:
        record(session, event)
    issue = partial(parts.feedback.issue, subject.user_id)
    shown = [_as_of_now(parts, subject, turn) for turn in turns]
    return [dataclasses.replace(turn, answer=turn.answer and turn.answer.with_feedback(issue)) for turn in shown]


def _as_of_now(parts: Components, subject: Subject, turn: TurnView) -> TurnView:
    """A turn that shows values, with those that the policy has its asker see today."""
    if turn.answer is None or turn.label is None:
        return turn
    clean = Redactor(parts.policy.for_text(subject, turn.label))
    return dataclasses.replace(turn, answer=turn.answer.redacted(clean))


def rename_conversation(
    session: WriteSession, subject: Subject, conversation: uuid.UUID, title: str
) -> ConversationSummary:
    """Give a conversation a title, credentials masked, at most MAX_TITLE characters of it. Raises InvalidInput or
    NotFound.
    """
    require_capability(subject, Capability.ASK)
    masked = mask_credentials(" ".join(title.split())).text[:MAX_TITLE]
    if not masked:
        raise InvalidInput("'title' is blank.")
    return store.rename(session, subject, conversation, masked)


def delete_conversation(session: WriteSession, subject: Subject, conversation: uuid.UUID) -> None:
    """Delete a conversation with its turns; the audit log keeps that they were. Raises NotFound."""
    require_capability(subject, Capability.ASK)
    store.remove(session, subject, conversation)
    record(session, ConversationDeleted(actor=actor(subject), conversation=conversation))
