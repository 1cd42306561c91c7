"""Who calls, found out before anything of the body is read: the middleware in front of all routes.

It holds for every route by construction: whatever is not among `route_table.PUBLIC` needs a valid key, token or
session, also a path that no route answers, and a change in a session has to come from a page of ours. The verified
caller is left in the scope, where `dependencies.caller` takes it from, so that a key is looked up once. Strangers are
limited by address.
"""

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import log
from app.admin.refusals import FailedCredential, FailedSignIns, record_due, record_failed_sign_in
from app.answer.components import Components
from app.errors import AppError, CrossSiteRequest, NotSignedIn, OnBehalfOfNeeded, TooManyRequests
from app.identity.subject import Subject
from app.settings import ApiSettings
from app.sign_in.callers import Credential, identify_caller, why_failed
from app.web.http.anonymous_limits import KnownKeys, StrangerLimits
from app.web.http.client_address import ADDRESS, Proxies, address_of, group_of, parse_networks
from app.web.http.credentials import Cookies, is_change, read_credential, require_own_page, require_same_origin
from app.web.http.forms import form_token, is_form, read_form, replayed, wants_page
from app.web.http.limits import BodyLimit, KeyLimits, UploadSlots, too_many
from app.web.http.problems import answer_error
from app.web.http.route_table import (
    ANY_QUERY,
    PAGE,
    RESOURCE_METADATA,
    ROUTE,
    SIGN_IN_REQUESTS,
    SIGNED_IN,
    SUBJECT,
    RouteTable,
)
from app.web.http.shared import Shared

# Keys of strangers that are looked up at the same time, and that may wait for it; known keys do not wait here.
LOOKUPS, MAX_WAITING = 4, 64
# The same for addresses that have used up their requests: a valid key still passes, wrong ones keep nobody waiting.
# As many wait as people of one office may come at once, with sessions that this process has not seen yet.
LIMITED_LOOKUPS, MAX_LIMITED_WAITING = 1, 64


class Authentication:
    """ASGI middleware: finds address, route and caller, refuses what it must, and holds the caller's slot meanwhile."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings, cookies: Cookies, shared: Shared) -> None:
        self._app = app
        self._settings = settings
        self._cookies = cookies
        self._proxies = Proxies(parse_networks(settings.trusted_proxies), settings.proxy_header)
        self._strangers = StrangerLimits(settings, shared.strangers)
        self._known = KnownKeys()
        self._uploads = UploadSlots(settings.max_uploads, shared.in_progress)
        self._lookups = anyio.CapacityLimiter(LOOKUPS)
        self._limited_lookups = anyio.CapacityLimiter(LIMITED_LOOKUPS)
        self._table: RouteTable | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._http(scope, receive, send)
            except AppError as error:
                # Raised before the application began: it answers its own errors by itself.
                await answer_error(scope, error)(scope, receive, send)
        else:
            await _refuse_socket(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        service: FastAPI = scope["app"]
        self._table = self._table or RouteTable(service)
        route = self._table.find(scope)
        scope[ROUTE], scope[ADDRESS] = route.template, self._proxies.client_address(scope)
        scope[PAGE] = route.page or (not route.methods and wants_page(scope))
        if route.public:
            group = group_of(address_of(scope))
            if route.cost and (seconds := self._strangers.take(group, route.cost)):
                raise _limited(seconds)
            if route.template not in ANY_QUERY:
                route.check_query(scope)
            await BodyLimit(self._app, settings=self._settings, upload=False)(scope, receive, send)
            if scope.get(SIGNED_IN):
                self._strangers.give_back(group, SIGN_IN_REQUESTS)
            return
        scope[SUBJECT] = subject = await self._identify(scope, service, form=route.page and is_form(scope))
        if route.methods:
            route.check_query(scope)
        limits: KeyLimits = service.state.limits
        with limits.slot(subject.key_id, pace=route.pace), self._uploads.slot(needed=route.upload):
            if is_change(scope) and subject.means == "session" and route.page and is_form(scope):
                receive = await self._require_form_token(scope, receive)
            limit = BodyLimit(self._app, settings=self._settings, upload=route.upload, max_bytes=route.max_bytes)
            await limit(scope, receive, send)

    async def _identify(self, scope: Scope, service: FastAPI, *, form: bool) -> Subject:
        """The caller by what this request shows. Raises NotSignedIn, for addresses without a request left
        TooManyRequests, CrossSiteRequest, and what `identify` raises. What failed and was not refused for its number is
        recorded; whoever sends nothing to sign in with, or a session that is over, has not tried to.

        `form`: the CSRF token is a field of the form, and looked at once it is known whose session it is.
        """
        parts: Components = service.state.parts
        failed: FailedSignIns = service.state.failed_sign_ins
        group, address = group_of(address_of(scope)), address_of(scope)
        credential = read_credential(scope, self._cookies)
        if credential.kind == "none":
            if seconds := self._strangers.take(group):
                raise _limited(seconds)
            raise _not_signed_in(service, parts)
        try:
            if credential.kind == "session" and is_change(scope):
                if form:
                    require_same_origin(scope, self._cookies)
                else:
                    require_own_page(scope, self._cookies, credential.secret)
            subject = await self._verify(parts, group, credential)
        except (NotSignedIn, OnBehalfOfNeeded, CrossSiteRequest) as error:
            await run_sync(_record_refused, parts, failed, address, credential, error)
            raise (_not_signed_in(service, parts) if isinstance(error, NotSignedIn) else error) from None
        if due := failed.due():
            await run_sync(record_due, parts.database, due)
        return subject.at_address(address)

    async def _require_form_token(self, scope: Scope, receive: Receive) -> Receive:
        """Raise CrossSiteRequest unless the form holds the session's CSRF token; gives the body to be read again."""
        service: FastAPI = scope["app"]
        credential = read_credential(scope, self._cookies)
        body = await read_form(receive, seconds=self._settings.request_seconds)
        try:
            require_own_page(scope, self._cookies, credential.secret, form_token=form_token(body))
        except CrossSiteRequest as error:
            failed: FailedSignIns = service.state.failed_sign_ins
            address = address_of(scope)
            await run_sync(_record_refused, service.state.parts, failed, address, credential, error)
            raise
        return replayed(body, receive)

    async def _verify(self, parts: Components, group: str, credential: Credential) -> Subject:
        """The caller by this credential. A wrong one costs its address a request; TooManyRequests once it has none."""
        secret = credential.secret
        known = secret in self._known
        seconds = 0 if known else self._strangers.take(group)
        counted = not known and not seconds
        try:
            subject = await self._look_up(parts, credential, known=known, limited=bool(seconds))
        except NotSignedIn:
            self._known.discard(secret)
            if not counted:
                seconds = self._strangers.take(group)
            if seconds:
                raise _limited(seconds) from None
            raise
        except AppError:
            if counted:
                self._strangers.give_back(group)
            raise
        if counted:
            self._strangers.give_back(group)
        self._known.add(secret)
        return subject

    async def _look_up(self, parts: Components, credential: Credential, *, known: bool, limited: bool) -> Subject:
        def look_up() -> Subject:
            return identify_caller(parts.database, parts.providers, credential)

        if known:
            return await run_sync(look_up)
        limiter = self._limited_lookups if limited else self._lookups
        if limiter.statistics().tasks_waiting >= (MAX_LIMITED_WAITING if limited else MAX_WAITING):
            raise _limited(1)
        return await run_sync(look_up, limiter=limiter)


def _record_refused(
    parts: Components, failed: FailedSignIns, address: str | None, credential: Credential, error: AppError
) -> None:
    if isinstance(error, CrossSiteRequest):
        why: FailedCredential | None = FailedCredential("sent from another site")
    else:
        why = why_failed(parts.database, parts.providers, credential)
    if why is not None:
        record_failed_sign_in(parts.database, failed, address, why)


def _not_signed_in(service: FastAPI, parts: Components) -> NotSignedIn:
    """The refusal, which names where clients learn whose access tokens are taken (RFC 9728), if any are."""
    error = NotSignedIn()
    if any(provider.settings.audience for provider in parts.providers.values()):
        cookies: Cookies = service.state.cookies
        error.headers["WWW-Authenticate"] = f'Bearer resource_metadata="{cookies.origin}{RESOURCE_METADATA}"'
    return error


def _limited(seconds: int) -> TooManyRequests:
    return too_many(seconds, f"Too many requests without a valid key came from this address; try again in {seconds} s.")


async def _refuse_socket(receive: Receive, send: Send) -> None:
    """Nothing of ours speaks anything but HTTP."""
    message: Message = await receive()
    log.get().warning("connection.refused", kind=message["type"])
    await send({"type": "websocket.close", "code": 1008})
