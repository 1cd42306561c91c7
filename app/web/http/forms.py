"""Forms of our pages, as far as the middleware has to read them: the CSRF token is one of their fields."""

from urllib.parse import parse_qsl

import anyio
from starlette.types import Message, Receive, Scope

from app.errors import BadRequest, TooLarge
from app.web.http.credentials import given
from app.web.http.route_table import MAX_JSON_BYTES

FORM = "application/x-www-form-urlencoded"
TOKEN_FIELD = "csrf"  # noqa: S105  # the name of the field


def wants_page(scope: Scope) -> bool:
    """Whether somebody in front of a browser asks: for what is no route, that decides how to say so."""
    return not scope["path"].startswith(("/api/", "/scim/")) and any("text/html" in h for h in given(scope, b"accept"))


def is_form(scope: Scope) -> bool:
    """Whether the body is a plain form. Files come in others, which a script sends with the token in a header."""
    return [value.partition(";")[0].strip().lower() for value in given(scope, b"content-type")] == [FORM]


async def read_form(receive: Receive, *, seconds: float) -> bytes:
    """The body of a form; raises TooLarge for one above 64 KB, BadRequest for one that does not come in time."""
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadRequest("The body did not arrive whole.")
                body += message.get("body", b"")
                if len(body) > MAX_JSON_BYTES:
                    raise TooLarge(f"The limit is {MAX_JSON_BYTES // 1024} KB; send less at once.")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise BadRequest("The body did not arrive in time.") from None


def form_token(body: bytes) -> str:
    """The token in a form; empty if there is none, or more than one, of which neither may win."""
    found = [value for name, value in parse_qsl(body.decode("latin-1"), max_num_fields=1_000) if name == TOKEN_FIELD]
    return found[0] if len(found) == 1 else ""


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives this body first, and then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
