"""Server-sent events that end their source on every way out: it is closed, not left to the collector."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class EventStream(Response):
    """Sends what `source` yields. `source` is closed on every way out: the end, an error, a client that hangs up."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        # The length of a stream is not known; the header of the empty body is taken back.
        self.raw_headers = [(k, v) for k, v in self.raw_headers if k != b"content-length"]
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        async with aclosing(self._source) as source, anyio.create_task_group() as tasks:
            tasks.start_soon(until_gone, receive, tasks.cancel_scope)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for piece in source:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            tasks.cancel_scope.cancel()


async def until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """End the scope when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def encode(event: str, data: Mapping[str, Any], *, number: int | None = None) -> bytes:
    """One event: its name, its data as one line of JSON, and the number from which a browser goes on."""
    place = "" if number is None else f"id: {number}\n"
    return f"{place}event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
