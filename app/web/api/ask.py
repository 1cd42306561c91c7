"""POST /ask: the answer to a question."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Response

from app.answer.events import AnswerEvent, Delta, Done, Opened
from app.answer.pipeline import answer
from app.answer.running import AnswerFailed
from app.answer.turns import AnswerView
from app.identity.subject import require_in_person
from app.web.api.answer_schemas import AnswerOut, AskBody
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf
from app.web.http.responses import json_of
from app.web.http.sse import EventStream, encode

router = APIRouter(tags=["ask"])


@router.post("/ask", response_model=AnswerOut, responses={200: {"content": {"text/event-stream": {}}}})
async def ask(body: AskBody, subject: AskerOrDelegate, parts: ComponentsOf) -> Response:
    """Answer a question from what you may read, with its sources; `stream: true` sends server-sent events."""
    if body.conversation is not None:
        require_in_person(subject)
    mode = body.mode or parts.settings.answer.mode
    answering = answer(parts, subject, body.question, mode, body.conversation, body.collections)
    if body.stream:
        return await _streamed(answering)
    text = ""
    async with aclosing(answering) as events:
        async for event in events:
            match event:
                case Delta(piece):
                    text += piece
                case Done() as done:
                    return json_of(AnswerOut.of(AnswerView.of(done, text)))
    raise AssertionError("an answer ends with Done or with an error")


async def _streamed(events: AsyncGenerator[AnswerEvent, None]) -> Response:
    """Errors before the first event are answered with their own status, later ones are an event."""
    try:
        first = await anext(events)
    except BaseException:
        await events.aclose()
        raise

    async def encoded() -> AsyncGenerator[bytes, None]:
        async with aclosing(events):
            yield _encode(first)
            try:
                async for event in events:
                    yield _encode(event)
            except Exception as error:  # noqa: BLE001  # an edge of the process: the reader is told, of whatever it is
                failed = AnswerFailed.of(error)
                yield encode("error", {"code": failed.code, "title": failed.title, "detail": failed.detail})

    return EventStream(encoded())


def _encode(event: Opened | Delta | Done) -> bytes:
    match event:
        case Opened():
            return encode("opened", {"trail": str(event.trail), "mode": event.mode})
        case Delta():
            return encode("delta", {"text": event.text})
        case Done():
            return encode("done", AnswerOut.of(AnswerView.of(event, "")).model_dump(mode="json", exclude={"answer"}))
