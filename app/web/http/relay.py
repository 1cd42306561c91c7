"""Sends a request for an answer that is being made to the API process that makes it, and gives back what that says.

Nothing is decided here: that process finds out who calls and what they may see, as it does for every other request.
"""

import re
import uuid
from collections.abc import AsyncIterator, Sequence

import anyio
import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from app import log
from app.web.http.peers import HEADER, RELAYED, Peers
from app.web.http.shared_table import SharedTable
from app.web.http.sse import until_gone

# The paths that name an answer, or a conversation in which one may be made.
_NAMES_ANSWER = re.compile(r"/(?:answers|conversations)/([0-9a-fA-F-]{32,36})(?:/|$)")
# What is between two hops alone (RFC 9110, 7.6.1), what a server says for itself, and what it is asked for itself.
_OF_ONE_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"date", b"expect"),
    }
)
CONNECT_SECONDS = 2.0


class SharedPlaces:
    """Where answers are being made, in a table of all processes (`AnswerPlaces`)."""

    def __init__(self, table: SharedTable) -> None:
        self._table = table

    def begin(self, person: uuid.UUID, limit: int) -> bool:
        """Count one more of this person, unless all processes together have `limit`."""
        return self._table.hold(b"person" + person.bytes, limit)

    def end(self, person: uuid.UUID) -> None:
        """One less."""
        self._table.release(b"person" + person.bytes)

    def show(self, ids: Sequence[uuid.UUID]) -> None:
        """Requests for these come to this process from now on."""
        for each in ids:
            if not self._table.hold(each.bytes):  # it can be watched over connections of this process alone
                log.get().warning("answer.not_shared")

    def hide(self, ids: Sequence[uuid.UUID]) -> None:
        """And no longer."""
        for each in ids:
            self._table.release(each.bytes)

    def owners(self, named: uuid.UUID) -> Sequence[int]:
        """The processes that make an answer of this id, or in this conversation."""
        return self._table.holders(named.bytes)


class Relay:
    """ASGI middleware in front of all others, where there are several processes."""

    def __init__(self, app: ASGIApp, *, peers: Peers, places: SharedPlaces) -> None:
        self._app, self._peers, self._places = app, peers, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if scope["type"] == "lifespan":
                await self._peers.aclose()
            return
        scope = self._without_mark(scope)
        owner = None if scope.get(RELAYED) else self._owner(scope["path"])
        if owner is None or not await self._pass_on(owner, scope, receive, send):
            await self._app(scope, receive, send)

    def _without_mark(self, scope: Scope) -> Scope:
        """The request without the mark of a relayed one, which is believed of our own processes alone."""
        marks = [value for name, value in scope["headers"] if name == HEADER]
        if not marks:
            return scope
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != HEADER]}
        client = self._peers.read_header(scope, marks[0])
        return scope if client is None else {**scope, "client": client, RELAYED: True}

    def _owner(self, path: str) -> int | None:
        """The other process that this request is for; None where it is for this one, or for whichever it came to."""
        match = _NAMES_ANSWER.match(path)
        if match is None:
            return None
        try:
            owners = self._places.owners(uuid.UUID(match[1]))
        except ValueError:
            return None
        return None if not owners or self._peers.processes.number in owners else owners[-1]

    async def _pass_on(self, owner: int, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether that process has answered. If it is gone, what it made is gone with it: who asks is told so here."""
        body = _Body(receive, expected=_has_body(scope))
        request = httpx2.Request(
            scope["method"],
            "http://localhost",
            headers=[*_of_all_hops(scope["headers"]), self._peers.header(scope)],
            content=body.pieces() if body.expected else None,
            extensions={"target": _target(scope), "timeout": {"connect": CONNECT_SECONDS}},
        )
        try:
            response = await self._peers.transport(owner).handle_async_request(request)
        except httpx2.TransportError:
            if body.begun:
                raise
            return False
        try:
            await _send_on(response, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()
        return True


async def _send_on(response: httpx2.Response, receive: Receive, send: Send) -> None:
    """Send what comes as it comes, until it ends or nobody takes it any more."""
    start = {"status": response.status_code, "headers": _of_all_hops(response.headers.raw)}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(until_gone, receive, tasks.cancel_scope)
        await send({"type": "http.response.start", **start})
        try:
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except httpx2.TransportError as error:  # an answer without its end: the connection is cut
            log.get().warning("relay.broken", error=type(error).__name__)
        tasks.cancel_scope.cancel()


class _Body:
    """The body of a request, taken as the other process takes it."""

    def __init__(self, receive: Receive, *, expected: bool) -> None:
        self._receive, self.expected = receive, expected
        self.begun = False

    async def pieces(self) -> AsyncIterator[bytes]:
        self.begun = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise httpx2.ReadError("the caller is gone")
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def _target(scope: Scope) -> bytes:
    """Path and query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _of_all_hops(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_HOP]
