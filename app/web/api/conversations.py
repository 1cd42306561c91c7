"""Conversations: kept for who asked, for nobody else, and checked again at each reading.

For the person alone: a service that asks for them may neither read nor continue one.
"""

from fastapi import APIRouter

from app.answer import conversation as conversations
from app.answer.replies import reply
from app.answer.turns import TurnView
from app.indexing.analysis.language import question_language
from app.web.api.answer_schemas import ConversationBody, ConversationOut, ConversationTurnsOut, TurnOut, answer_content
from app.web.http.dependencies import Asker, ComponentsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/conversations", tags=["conversations"])


@router.post("", status_code=201)
def begin(subject: Asker, session: Writing) -> ConversationOut:
    """Begin a conversation. Ask with its id, and the turns are kept there."""
    return ConversationOut.model_validate(conversations.begin_conversation(session, subject))


@router.get("")
def list_conversations(subject: Asker, session: Reading, page: PageOf) -> list[ConversationOut]:
    """Your conversations, newest first, each with its first question."""
    found = conversations.list_conversations(session, subject, page)
    return [ConversationOut.model_validate(summary) for summary in found]


@router.get("/{conversation}")
def read(conversation: str, subject: Asker, parts: ComponentsOf, page: PageOf) -> ConversationTurnsOut:
    """A conversation of yours: its last turns, oldest first, without the answers that you may no longer read."""
    wanted = public_id(conversation)
    turns = conversations.read_conversation(parts, subject, wanted, page)
    return ConversationTurnsOut(id=wanted, turns=[_wire(turn) for turn in turns])


@router.patch("/{conversation}")
def rename(conversation: str, body: ConversationBody, subject: Asker, session: Writing) -> ConversationOut:
    """Give a conversation of yours a title; credentials in it are masked."""
    renamed = conversations.rename_conversation(session, subject, public_id(conversation), body.title)
    return ConversationOut.model_validate(renamed)


@router.delete("/{conversation}", status_code=204)
def remove(conversation: str, subject: Asker, session: Writing) -> None:
    """Delete a conversation of yours with its turns. The audit log keeps that they were."""
    conversations.delete_conversation(session, subject, public_id(conversation))


def _wire(turn: TurnView) -> TurnOut:
    answer = turn.answer
    return TurnOut.model_validate(
        {
            "id": turn.id,
            "at": turn.at,
            "question": turn.question,
            "mode": turn.mode,
            "outcome": turn.outcome if answer else "withheld",
            "withheld": answer is None,
            "notice": None if answer else reply("withheld", question_language(turn.question)),
        }
        | (answer_content(answer) if answer else {})
    )
