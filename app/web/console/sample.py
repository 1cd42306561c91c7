"""Going on as somebody else of the sample company, where there is one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.sign_in.sample import go_on_as
from app.sign_in.sessions import sign_out
from app.web.console.pages import go_to
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import ComponentsOf, CookiesOf
from app.web.http.route_table import CONSOLE
from app.web.http.session_cookies import browser_of, session_cookies, session_secret

router = APIRouter(tags=[CONSOLE])


@router.post("/sample/person")
def go_on(
    viewer: ViewerOf,
    request: Request,
    parts: ComponentsOf,
    cookies: CookiesOf,
    person: Annotated[str, Form(max_length=100)],
) -> Response:
    """Sign in as this person of the sample, and out as whom one was."""
    new = go_on_as(parts, viewer.subject, person, browser_of(request))
    if (secret := session_secret(request)) is not None:
        sign_out(parts.database, {}, secret, cookies.origin)
    answer = go_to(viewer, "/")
    for cookie in session_cookies(request, parts, new):
        answer.headers.append("Set-Cookie", cookie)
    return answer
