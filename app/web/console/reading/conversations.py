"""Conversations: the list, one with its turns, a new title, the end."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.answer import conversation as conversations
from app.answer.turns import ConversationSummary
from app.db.session import ReadSession
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.reading.asking import AroundField, around_field, ask_page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Asker, ComponentsOf, Reading, RunningOf, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
TURNS = 20


@router.get("/conversations")
def list_conversations(viewer: ViewerOf, subject: Asker, session: Reading, listing: ListingOf) -> Response:
    """One's conversations, newest first."""
    found = conversations.list_conversations(session, subject, listing.page)
    template = "conversation_rows.html" if viewer.part and not listing.first else "conversations.html"
    shown = [each for each in found if each.turns]
    return page(viewer, f"reading/{template}", {"conversations": shown, "listing": listing})


@router.get("/conversations/{conversation}")
def conversation_page(
    viewer: ViewerOf,
    subject: Asker,
    parts: ComponentsOf,
    running: RunningOf,
    listing: ListingOf,
    *,
    conversation: str,
) -> Response:
    """A conversation: its turns, what is being answered in it, and the field for what follows."""
    wanted = public_id(conversation)
    listing.limit = TURNS
    # Before the turns: what ends meanwhile is among one of both, or among both.
    going = [each for each in running.list_own(subject) if each.conversation == wanted and not each.ended]

    def beside(session: ReadSession) -> tuple[AroundField, ConversationSummary]:
        around = around_field(viewer, session)
        listed = next((each for each in around.lately if each.id == wanted), None)
        return around, listed or conversations.find_conversation(session, subject, wanted)

    turns, (around, found) = conversations.read_conversation_and(parts, subject, wanted, listing.page, beside)
    told = {turn.id for turn in turns}
    values = {
        "conversation": wanted,
        "title": found.title,
        "turns": turns,
        "running": [each for each in going if each.id not in told] if listing.first else [],
        "earlier": listing.next,
    }
    return ask_page(viewer, parts, around, values)


@router.post("/conversations/{conversation}/rename")
def rename(
    viewer: ViewerOf,
    subject: Asker,
    session: Writing,
    conversation: str,
    title: Annotated[str, Form(min_length=1, max_length=200)],
) -> Response:
    """Give a conversation a title."""
    conversations.rename_conversation(session, subject, public_id(conversation), title)
    return go_to(viewer, f"/conversations/{public_id(conversation)}")


@router.post("/conversations/{conversation}/delete")
def delete(viewer: ViewerOf, subject: Asker, session: Writing, conversation: str) -> Response:
    """Delete a conversation with its turns."""
    conversations.delete_conversation(session, subject, public_id(conversation))
    return go_to(viewer, "/conversations")
