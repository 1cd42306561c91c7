"""Signing in with a passkey: what the script of the sign-in page asks for and sends. Answers are JSON."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from app.admin.refusals import FailedCredential, record_failed_sign_in
from app.answer.components import Components
from app.errors import SignInNotAllowed
from app.sign_in.passkeys import PasskeyRefused, begin_sign_in, finish_sign_in
from app.sign_in.sessions import Proof, start_session
from app.web.api.schemas import ApiModel
from app.web.http.client_address import address_of
from app.web.http.credentials import require_same_origin
from app.web.http.dependencies import ComponentsOf, cookies_of
from app.web.http.session_cookies import browser_of, session_cookies, session_secret
from app.web.sign_in.pages import HEADERS
from app.web.sign_in.return_paths import local_path

router = APIRouter(include_in_schema=False)
REFUSED = "This passkey does not sign you in here. Use another way at /sign-in, or ask an administrator for a link."


class ReturnBody(ApiModel):
    """Where somebody was going when they were asked to sign in."""

    return_to: str = Field("/", max_length=2_000)


class AssertionBody(ApiModel):
    """What the authenticator signed, in the JSON form of WebAuthn."""

    credential: dict[str, Any]


@router.post("/sign-in/passkey/options")
def passkey_options(request: Request, body: ReturnBody, parts: ComponentsOf) -> Response:
    """A challenge, which is this browser's alone."""
    cookies = cookies_of(request)
    require_same_origin(request.scope, cookies)
    options, attempt = begin_sign_in(
        parts.database,
        cookies.origin,
        return_to=local_path(body.return_to),
        browser=cookies.read(request.scope, cookies.browser),
    )
    answer = JSONResponse({"options": options}, headers=HEADERS)
    answer.headers.append("Set-Cookie", cookies.header(cookies.browser, attempt.browser, seconds=600))
    return answer


@router.post("/sign-in/passkey")
def use_passkey(request: Request, body: AssertionBody, parts: ComponentsOf) -> Response:
    """Sign in; whatever is wrong with a passkey is told the same, and recorded as what it is."""
    cookies = cookies_of(request)
    require_same_origin(request.scope, cookies)
    try:
        browser = cookies.read(request.scope, cookies.browser)
        signed = finish_sign_in(parts.database, cookies.origin, body.credential, browser)
    except PasskeyRefused as refused:
        _record(request, parts, FailedCredential(refused.reason, refused.prefix))
        raise SignInNotAllowed(REFUSED) from None
    except SignInNotAllowed:
        _record(request, parts, FailedCredential("passkey: no challenge of this browser"))
        raise
    new = start_session(
        parts.database,
        parts.settings.sign_in,
        signed.user_id,
        Proof("passkey"),
        browser_of(request),
        replaced=session_secret(request),
    )
    answer = JSONResponse({"return_to": signed.return_to}, headers=HEADERS)
    for cookie in session_cookies(request, parts, new):
        answer.headers.append("Set-Cookie", cookie)
    return answer


def _record(request: Request, parts: Components, failed: FailedCredential) -> None:
    record_failed_sign_in(parts.database, request.app.state.failed_sign_ins, address_of(request.scope), failed)
