"""The cookies of a browser that signs in, and what is noted of it."""

from fastapi import Request

from app.answer.components import Components
from app.identity.api_keys import NewKey
from app.sign_in.sessions import Browser
from app.web.http.client_address import address_of
from app.web.http.dependencies import cookies_of
from app.web.http.route_table import SIGNED_IN


def browser_of(request: Request) -> Browser:
    """Where a sign-in comes from."""
    agent = "".join(c for c in request.headers.get("user-agent", "") if c.isprintable())
    return Browser(address_of(request.scope), agent)


def session_secret(request: Request) -> str | None:
    """The secret of the session that the browser has, living or not."""
    cookies = cookies_of(request)
    return cookies.read(request.scope, cookies.session)


def session_cookies(request: Request, parts: Components, new: NewKey) -> tuple[str, str]:
    """The Set-Cookie headers of a sign-in: the new session, and no secret of the way there any more.

    The middleware is told, for whom this is nobody strange any more.
    """
    request.scope[SIGNED_IN] = True
    cookies = cookies_of(request)
    seconds = int(parts.settings.sign_in.session_hours * 3600)
    return (
        cookies.header(cookies.session, new.secret, seconds=seconds),
        cookies.header(cookies.browser, "", seconds=0),
    )
