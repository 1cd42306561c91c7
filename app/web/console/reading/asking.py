"""Asking: the first page, a question, and the answer while it comes. It goes on when nobody watches."""

import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Literal

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Form, Header, Response

from app.admin.collections import list_collections
from app.answer import conversation as conversations
from app.answer.components import Components
from app.answer.events import Delta, Done, Mode
from app.answer.feedback import give_feedback
from app.answer.running import AnswerFailed, AnswerStopped, RunningEvent
from app.answer.turns import ConversationSummary
from app.audit.events.answers import FeedbackReason
from app.db.paging import Page
from app.db.session import ReadSession
from app.errors import NotFound
from app.identity.feedback_tokens import MAX_TOKEN
from app.identity.subject import Subject
from app.web.console.fields import chosen
from app.web.console.pages import go_to, page
from app.web.console.viewer import Viewer, ViewerOf
from app.web.http.dependencies import Asker, ComponentsOf, Reading, RunningOf, public_id
from app.web.http.route_table import CONSOLE
from app.web.http.sse import EventStream, encode

router = APIRouter(tags=[CONSOLE])
LATELY = 8
MAX_QUESTION = 4_000
# How long the end of an answer may take after its last words: its record is committed meanwhile.
CLOSING_SECONDS = 2.0
MANY = 200


@router.get("/")
def first_page(viewer: ViewerOf, session: Reading, parts: ComponentsOf) -> Response:
    """Where one begins: asking, or, for who may not ask, what they may do."""
    if not viewer.may("ask"):
        return page(viewer, "reading/start.html", {})
    return ask_page(viewer, parts, around_field(viewer, session), {})


@dataclass(frozen=True)
class AroundField:
    """What stands around the field for a question: where one talked lately, and collections to choose from."""

    lately: list[ConversationSummary]
    collections: list[str]


def around_field(viewer: Viewer, session: ReadSession) -> AroundField:
    """What this viewer finds there."""
    lately = conversations.list_conversations(session, viewer.subject, Page(limit=LATELY))
    collections = list_collections(session, viewer.subject, Page(limit=MANY))
    return AroundField(lately, [each.name for each in collections])


def ask_page(viewer: Viewer, parts: Components, around: AroundField, values: Mapping[str, object]) -> Response:
    """A page with the field for a question: the first one, or that of a conversation."""
    usual = {
        "conversation": None,
        "title": "",
        "turns": (),
        "running": (),
        "earlier": "",
        "new_conversation": False,
        "lately": [each for each in around.lately if each.turns],
        "collections": around.collections if len(around.collections) > 1 else [],
        "mode": parts.settings.answer.mode,
    }
    return page(viewer, "reading/ask.html", {**usual, **values})


@router.post("/ask")
async def ask(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    subject: Asker,
    parts: ComponentsOf,
    running: RunningOf,
    *,
    question: Annotated[str, Form(min_length=1, max_length=MAX_QUESTION)],
    mode: Annotated[Mode | None, Form()] = None,
    conversation: Annotated[str, Form(max_length=40)] = "",
    collections: Annotated[list[str] | None, Form(max_length=20)] = None,
) -> Response:
    """Begin an answer, in this conversation or in a new one, and show where it will stand."""
    kept = public_id(conversation) if conversation else await run_sync(_begin, parts, subject)
    chosen_mode: Mode = mode or parts.settings.answer.mode
    only = chosen(collections or [])
    begun = await running.start(subject, question, chosen_mode, kept, only)
    if not viewer.part:
        return go_to(viewer, f"/conversations/{kept}#turn-{begun.id}")
    values = {"each": begun, "new_conversation": not conversation, "conversation": kept}
    return page(viewer, "reading/running.html", values, headers={"HX-Push-Url": f"/conversations/{kept}"})


def _begin(parts: Components, subject: Subject) -> uuid.UUID:
    with parts.database.writing(subject.user_id) as session:
        return conversations.begin_conversation(session, subject).id


@router.get("/answers/{answer}/events")
async def events(
    subject: Asker,
    running: RunningOf,
    answer: str,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> Response:
    """What is said of an answer, as it comes: from the beginning, or from where the browser was."""
    after = int(last_event_id) if last_event_id.isdecimal() else 0
    return EventStream(_encoded(await running.watch(subject, public_id(answer), after)))


async def _encoded(numbered: AsyncGenerator[tuple[int, RunningEvent], None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(numbered) as found:
        async for number, event in found:
            match event:
                case Delta(text):
                    yield encode("delta", {"text": text}, number=number)
                case Done() | AnswerStopped() | AnswerFailed():
                    yield encode("done", {}, number=number)


@router.get("/answers/{answer}")
async def whole_answer(
    viewer: ViewerOf, subject: Asker, parts: ComponentsOf, running: RunningOf, answer: str
) -> Response:
    """An answer that has ended, as its conversation shows it from then on; one that is being made, as it stands."""
    found = running.find(subject, public_id(answer))
    with anyio.move_on_after(CLOSING_SECONDS):
        await found.until_ended()
    if not found.ended:
        return page(viewer, "reading/running.html", {"each": found, "new_conversation": False})
    if found.conversation is None:
        raise NotFound
    turn = await run_sync(conversations.read_turn, parts, subject, found.conversation, found.id)
    return page(viewer, "reading/turn.html", {"turn": turn})


@router.post("/answers/{answer}/stop")
async def stop(viewer: ViewerOf, subject: Asker, running: RunningOf, answer: str) -> Response:
    """End an answer that is being made. What was said of it stays."""
    found = running.find(subject, public_id(answer))
    await running.stop(subject, found.id)
    return Response(status_code=204) if viewer.part else go_to(viewer, f"/conversations/{found.conversation}")


@router.post("/feedback")
def feedback(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    subject: Asker,
    parts: ComponentsOf,
    *,
    token: Annotated[str, Form(max_length=MAX_TOKEN)],
    helpful: Annotated[Literal["yes", "no"], Form()],
    reason: Annotated[FeedbackReason | None, Form()] = None,
    asked: Annotated[str, Form(max_length=MAX_QUESTION)] = "",
    share: Annotated[Literal["", "yes"], Form()] = "",
) -> Response:
    """Keep what somebody says of an answer; with what was `asked` only where they `share` it."""
    good, question = helpful == "yes", asked if share and asked else None
    give_feedback(parts, subject, token, helpful=good, reason=reason, question=question)
    said = {"token": token, "helpful": good, "reason": reason, "asked": asked}
    return page(viewer, "reading/thanks.html", said)
