"""Signing in and out in a browser. Every answer is a page or a redirect; what goes wrong is told on a page."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.admin.refusals import FailedCredential, record_failed_sign_in
from app.answer.components import Components
from app.errors import AppError, CrossSiteRequest, NotFound, NotSignedIn, SignInNotAllowed
from app.identity.api_keys import NewKey
from app.oidc.provider import Provider, ProviderUnavailable
from app.oidc.tokens import InvalidToken
from app.sign_in.links import name_behind, use_link
from app.sign_in.logout import end_by_provider
from app.sign_in.passkeys import offers_passkeys
from app.sign_in.provider_sign_in import Callback, arrive, depart
from app.sign_in.sessions import Proof, ProviderUrl, sign_out, start_session
from app.web.http.client_address import address_of
from app.web.http.credentials import require_own_page, require_same_origin
from app.web.http.dependencies import ComponentsOf, cookies_of
from app.web.http.session_cookies import browser_of, session_cookies, session_secret
from app.web.sign_in.pages import HEADERS, error_page, page
from app.web.sign_in.return_paths import local_path

router = APIRouter(include_in_schema=False)
NOT_BELIEVED = "The provider's answer could not be believed, and nobody was signed in. Begin again at /sign-in."
ReturnTo = Annotated[str, Query(alias="return_to", max_length=2_000)]


@router.get("/sign-in")
def choose(
    request: Request, parts: ComponentsOf, return_to: ReturnTo = "/", notice: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The ways to sign in."""
    if (named := _by_name(request)) is not None:
        return named
    to = local_path(return_to)
    values = {
        "providers": list(parts.providers.values()),
        "query": urlencode({"return_to": to}),
        "return_to": to,
        "notice": notice,
        "origin": _passkey_origin(request),
    }
    return page(request, "sign_in", values)


@router.get("/sign-in/link")
def show_link(request: Request, parts: ComponentsOf, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Ask before a link is used: programs that look at every link in a message must not use it up."""

    def ask() -> Response:
        name = name_behind(parts.database, token, _address(request))
        return page(request, "link", {"token": token, "name": name})

    return _told(request, parts, ask)


@router.post("/sign-in/link")
def follow_link(request: Request, parts: ComponentsOf, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Sign in with a link, once."""

    def follow() -> Response:
        require_same_origin(request.scope, cookies_of(request))
        user_id = use_link(parts.database, token, _address(request))
        new = start_session(
            parts.database,
            parts.settings.sign_in,
            user_id,
            Proof("link"),
            browser_of(request),
            replaced=session_secret(request),
        )
        return signed_in(request, parts, new, "/")

    return _told(request, parts, follow)


@router.get("/sign-in/{source}")
def go(
    request: Request, source: str, parts: ComponentsOf, return_to: ReturnTo = "/", *, again: bool = False
) -> Response:
    """Off to the provider. `again`: it is to ask, though somebody is signed in there."""

    def leave() -> Response:
        cookies = cookies_of(request)
        departure = depart(
            parts.database,
            _provider(parts, source),
            cookies.origin,
            return_to=local_path(return_to),
            again=again,
            browser=cookies.read(request.scope, cookies.browser),
        )
        away = RedirectResponse(departure.url, 303, HEADERS)
        away.headers.append("Set-Cookie", cookies.header(cookies.browser, departure.attempt.browser, seconds=600))
        return away

    return _told(request, parts, leave)


@router.get("/sign-in/{source}/callback")
def come_back(
    request: Request,
    source: str,
    parts: ComponentsOf,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str | None, Query(max_length=8_000)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Back from the provider, with a code or without one."""

    def finish() -> Response:
        cookies = cookies_of(request)
        answer = Callback(state, cookies.read(request.scope, cookies.browser), code, iss)
        arrival = arrive(parts.database, _provider(parts, source), parts.sealer, cookies.origin, answer)
        new = start_session(
            parts.database,
            parts.settings.sign_in,
            arrival.user_id,
            arrival.proof,
            browser_of(request),
            replaced=session_secret(request),
        )
        to = "/me?notice=groups" if arrival.proof.roles == "unknown" else arrival.return_to
        return signed_in(request, parts, new, to)

    return _told(request, parts, finish, source=source)


@router.post("/sign-in/{source}/back-channel-logout")
def back_channel_logout(
    request: Request, source: str, parts: ComponentsOf, logout_token: Annotated[str, Form(max_length=20_000)] = ""
) -> Response:
    """The provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    try:
        end_by_provider(parts.database, _provider(parts, source), logout_token)
    except InvalidToken as error:
        _record(request, parts, f"logout token of {source}: {error}")
        return Response(status_code=400, headers={"Cache-Control": "no-store"})
    except ProviderUnavailable:
        return Response(status_code=503, headers={"Cache-Control": "no-store"})
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


@router.post("/sign-out")
def leave(request: Request, parts: ComponentsOf, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
    """End this session, here and at the provider that vouched for it, if that has a place for it."""
    cookies = cookies_of(request)
    secret = session_secret(request)
    provider_url: ProviderUrl | None = None
    try:
        # Also of who seems to have no session: to another site's form the browser gives no cookie, and would lose its
        # own by the answer.
        require_same_origin(request.scope, cookies)
        if secret is not None:
            require_own_page(request.scope, cookies, secret, form_token=csrf)
            provider_url = sign_out(parts.database, parts.providers, secret, f"{cookies.origin}/sign-in")
    except NotSignedIn:
        pass  # it was over before
    except AppError as error:
        return error_page(request, error)
    away: Response = RedirectResponse("/sign-in?notice=signed-out", 303, HEADERS)
    if provider_url is not None:
        # A page, and no redirect: what a form leads to may only be our own.
        away = page(request, "away", {"url": provider_url.url, "label": provider_url.label})
    away.headers["Clear-Site-Data"] = '"cache", "storage"'
    away.headers.append("Set-Cookie", cookies.header(cookies.session, "", seconds=0))
    return away


def signed_in(request: Request, parts: Components, new: NewKey, to: str) -> Response:
    """On to where the person was going, with the new session; the browser keeps no secret of the way there."""
    away = RedirectResponse(to, 303, HEADERS)
    for cookie in session_cookies(request, parts, new):
        away.headers.append("Set-Cookie", cookie)
    return away


def _by_name(request: Request) -> Response | None:
    """On to this machine's name, for who came by its number: cookies, passkeys and providers know one origin alone."""
    origin = urlsplit(cookies_of(request).origin)
    numbers = {f"{host}:{origin.port}" for host in ("127.0.0.1", "[::1]")}
    if origin.hostname != "localhost" or request.headers.get("host") not in numbers:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{origin.geturl()}{request.url.path}{query}", 303, HEADERS)


def _passkey_origin(request: Request) -> str:
    """Where passkeys work; empty where they do not."""
    origin = cookies_of(request).origin
    return origin if offers_passkeys(origin) else ""


def _provider(parts: Components, source: str) -> Provider:
    found = parts.providers.get(source)
    if found is None:
        raise NotFound("There is no such provider.")
    return found


def _address(request: Request) -> str | None:
    return address_of(request.scope)


def _told(request: Request, parts: Components, step: Callable[[], Response], *, source: str = "") -> Response:
    """What the step answers; what it refuses is recorded and told on a page."""
    try:
        return step()
    except InvalidToken as error:
        _record(request, parts, f"sign-in at {source}: {error}")
        return error_page(request, SignInNotAllowed(NOT_BELIEVED))
    except AppError as error:
        if isinstance(error, SignInNotAllowed | CrossSiteRequest):
            _record(request, parts, f"sign-in{' at ' + source if source else ''}: {error.code}")
        return error_page(request, error)


def _record(request: Request, parts: Components, reason: str) -> None:
    failed = request.app.state.failed_sign_ins
    record_failed_sign_in(parts.database, failed, _address(request), FailedCredential(reason))
