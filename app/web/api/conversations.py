"""Conversations: kept for who asked, for nobody else, and checked again at each reading.

For the person alone: a service that asks for them may neither read nor continue one.
"""

from fastapi import APIRouter

from app.acl.visible import visible_scopes
from app.answer import conversation as conversations
from app.audit.actor import actor
from app.audit.events import ConversationDeleted, ConversationRead
from app.audit.log import record
from app.web.api.answer_schemas import ConversationOut, ConversationTurnsOut, SourceOut, TurnOut
from app.web.http.dependencies import Asker, PartsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/conversations", tags=["conversations"])

WITHHELD = "What this answer was made from is no longer yours to read."


@router.post("", status_code=201)
def begin(subject: Asker, session: Writing) -> ConversationOut:
    """Begin a conversation. Ask with its id, and the turns are kept there."""
    return ConversationOut.model_validate(conversations.begin(session, subject))


@router.get("")
def list_conversations(
    subject: Asker,
    session: Reading,
    page: PageOf,
) -> list[ConversationOut]:
    """Your conversations, newest first, each with its first question."""
    found = conversations.list_own(session, subject, page)
    return [ConversationOut.model_validate(listed) for listed in found]


@router.get("/{conversation}")
def read(
    conversation: str,
    subject: Asker,
    parts: PartsOf,
    page: PageOf,
) -> ConversationTurnsOut:
    """A conversation of yours: its last turns, oldest first, without the answers that you may no longer read."""
    wanted = public_id(conversation)
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
        turns = conversations.turns(session, subject, visible, wanted, page)
    event = ConversationRead(
        actor=actor(subject),
        conversation=wanted,
        shown=tuple(turn.id for turn in turns if turn.answer is not None),
        withheld=tuple(turn.id for turn in turns if turn.answer is None),
        policy_epoch=visible.epoch,
    )
    # Committed before anything is given out, as for every reading of text.
    with parts.database.writing(subject.user_id) as session:
        record(session, event)
    return ConversationTurnsOut(id=wanted, turns=[_wire(turn) for turn in turns])


@router.delete("/{conversation}", status_code=204)
def remove(conversation: str, subject: Asker, session: Writing) -> None:
    """Delete a conversation of yours with its turns. The audit log keeps that they were."""
    wanted = public_id(conversation)
    conversations.remove(session, subject, wanted)
    record(session, ConversationDeleted(actor=actor(subject), conversation=wanted))


def _wire(turn: conversations.Turn) -> TurnOut:
    answer = turn.answer
    return TurnOut.model_validate(
        {
            "id": turn.id,
            "at": turn.at,
            "question": turn.question,
            "mode": turn.mode,
            "outcome": turn.outcome if answer else "withheld",
            "withheld": answer is None,
            "notice": None if answer else WITHHELD,
            "answer": answer.text if answer else "",
            "sources": [SourceOut.model_validate(source) for source in answer.sources] if answer else [],
            "redactions": answer.redactions if answer else {},
        }
    )
