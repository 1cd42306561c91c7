"""POST /ask: the answer to a question."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from app.answer.events import AnswerEvent, Delta, Done, Opened
from app.answer.pipeline import answer
from app.errors import AppError
from app.identity.subject import require_in_person
from app.web.api.answer_schemas import AnswerOut, AskBody, BlockOut, ConflictOut, GroundingOut, SearchedOut, SourceOut
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf
from app.web.http.sse import EventStream, encode

router = APIRouter(tags=["ask"])


@router.post("/ask", response_model=AnswerOut, responses={200: {"content": {"text/event-stream": {}}}})
async def ask(body: AskBody, subject: AskerOrDelegate, parts: ComponentsOf) -> Any:
    """Answer a question from what you may read, with its sources; `stream: true` sends server-sent events."""
    if body.conversation is not None:
        require_in_person(subject)
    mode = body.mode or parts.settings.answer.mode
    answering = answer(parts, subject, body.question, mode, body.conversation)
    if body.stream:
        return await _streamed(answering)
    text = ""
    async with aclosing(answering) as events:
        async for event in events:
            match event:
                case Delta(piece):
                    text += piece
                case Done() as done:
                    return AnswerOut(
                        trail=done.trail,
                        mode=done.mode,
                        outcome=done.outcome,
                        answer=text,
                        sources=tuple(SourceOut.model_validate(s) for s in done.sources),
                        redactions=dict(done.redactions),
                        fallback=done.fallback,
                        blocks=tuple(BlockOut.model_validate(b) for b in done.blocks),
                        conversation=done.conversation,
                        searched=None if done.searched is None else SearchedOut.model_validate(done.searched),
                        grounding=GroundingOut.of(done.grounding),
                        conflicts=tuple(ConflictOut.model_validate(c) for c in done.conflicts),
                    )
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
            except AppError as error:
                yield encode("error", {"code": error.code, "title": error.title, "detail": error.detail})

    return EventStream(encoded())


def _encode(event: Opened | Delta | Done) -> bytes:
    match event:
        case Opened():
            return encode("opened", {"trail": str(event.trail), "mode": event.mode})
        case Delta():
            return encode("delta", {"text": event.text})
        case Done():
            sources = [SourceOut.model_validate(s).model_dump(mode="json") for s in event.sources]
            conversation = None if event.conversation is None else str(event.conversation)
            blocks = [BlockOut.model_validate(b).model_dump(mode="json") for b in event.blocks]
            searched = None if event.searched is None else SearchedOut.model_validate(event.searched)
            grounding = GroundingOut.of(event.grounding)
            known = {
                "trail": str(event.trail),
                "sources": sources,
                "blocks": blocks,
                "conversation": conversation,
                "searched": None if searched is None else searched.model_dump(mode="json"),
                "grounding": grounding and grounding.model_dump(mode="json"),
            }
            return encode("done", {**asdict(event), **known})
