"""Who calls, found out before anything of the body is read: the middleware in front of all routes.

It holds for every route by construction: whatever is not among `route_table.PUBLIC` needs a valid key, also a path that
no route answers. The verified caller is left in the scope, where `dependencies.caller` takes it from, so that a key is
looked up once. Strangers are limited by address.
"""

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import log
from app.admin.refusals import FailedSignIns, record_due, record_failed_sign_in
from app.answer.components import Components
from app.errors import AppError, NotSignedIn, OnBehalfOfNeeded, TooManyRequests
from app.identity.api_keys import looks_like_key
from app.identity.authenticate import identify
from app.identity.subject import Subject
from app.settings import ApiSettings
from app.web.http.anonymous_limits import KnownKeys, StrangerLimits
from app.web.http.client_address import ADDRESS, Proxies, address_of, group_of, parse_networks
from app.web.http.limits import BodyLimit, KeyLimits, UploadSlots, too_many
from app.web.http.problems import problem
from app.web.http.route_table import PROBES, ROUTE, SUBJECT, RouteTable

# Keys of strangers that are looked up at the same time, and that may wait for it; known keys do not wait here.
LOOKUPS, MAX_WAITING = 4, 64
# The same for addresses that have used up their requests: a valid key still passes, wrong ones keep nobody waiting.
LIMITED_LOOKUPS, MAX_LIMITED_WAITING = 1, 8


class Authentication:
    """ASGI middleware: finds address, route and caller, refuses what it must, and holds the caller's slot meanwhile."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings
        self._proxies = Proxies(parse_networks(settings.trusted_proxies), settings.proxy_header)
        self._strangers = StrangerLimits(settings)
        self._known = KnownKeys()
        self._uploads = UploadSlots(settings.max_uploads)
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
                await problem(error)(scope, receive, send)
        else:
            await _refuse_socket(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        service: FastAPI = scope["app"]
        self._table = self._table or RouteTable(service)
        route = self._table.find(scope)
        scope[ROUTE], scope[ADDRESS] = route.template, self._proxies.client_address(scope)
        if route.public:
            if route.template not in PROBES and (seconds := self._strangers.take(group_of(address_of(scope)))):
                raise _limited(seconds)
            route.check_query(scope)
            await BodyLimit(self._app, settings=self._settings, upload=False)(scope, receive, send)
            return
        scope[SUBJECT] = subject = await self._identify(scope, service)
        if route.methods:
            route.check_query(scope)
        limits: KeyLimits = service.state.limits
        with limits.slot(subject.key_id, bulk=route.bulk), self._uploads.slot(needed=route.upload):
            limit = BodyLimit(self._app, settings=self._settings, upload=route.upload, max_bytes=route.max_bytes)
            await limit(scope, receive, send)

    async def _identify(self, scope: Scope, service: FastAPI) -> Subject:
        """The caller by the key of this request. Raises NotSignedIn, for addresses without a request left
        TooManyRequests, and what `identify` raises. What failed and was not refused for its number is recorded; whoever
        sends nothing to sign in with has not tried to.
        """
        parts: Components = service.state.parts
        failed: FailedSignIns = service.state.failed_sign_ins
        group = group_of(address_of(scope))
        secret, token = _credentials(scope)
        if secret is None:
            if seconds := self._strangers.take(group):
                raise _limited(seconds)
            if _given(scope, b"authorization"):
                await run_sync(record_failed_sign_in, parts.database, failed, address_of(scope), None)
            raise NotSignedIn
        try:
            subject = await self._verify(parts, group, secret, token)
        except (NotSignedIn, OnBehalfOfNeeded):
            await run_sync(record_failed_sign_in, parts.database, failed, address_of(scope), secret)
            raise
        if due := failed.due():
            await run_sync(record_due, parts.database, due)
        return subject.at_address(address_of(scope))

    async def _verify(self, parts: Components, group: str, secret: str, token: str | None) -> Subject:
        """The caller by this key. A wrong one costs its address a request; TooManyRequests once it has none left."""
        known = secret in self._known
        seconds = 0 if known else self._strangers.take(group)
        counted = not known and not seconds
        try:
            subject = await self._look_up(parts, secret, token, known=known, limited=bool(seconds))
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

    async def _look_up(
        self, parts: Components, secret: str, token: str | None, *, known: bool, limited: bool
    ) -> Subject:
        def look_up() -> Subject:
            with parts.database.anonymous() as session:
                return identify(session, secret, token)

        if known:
            return await run_sync(look_up)
        limiter = self._limited_lookups if limited else self._lookups
        if limiter.statistics().tasks_waiting >= (MAX_LIMITED_WAITING if limited else MAX_WAITING):
            raise _limited(1)
        return await run_sync(look_up, limiter=limiter)


def _credentials(scope: Scope) -> tuple[str | None, str | None]:
    """The key, or None for anything that is not one key in one header, and the token of a delegation if there is one.

    Two keys, or two tokens, are one too many, and neither may win.
    """
    given, tokens = _given(scope, b"authorization"), _given(scope, b"clearance-on-behalf-of")
    if len(given) != 1 or len(tokens) > 1:
        return None, None
    scheme, _, secret = given[0].partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not looks_like_key(secret):
        return None, None
    return secret, tokens[0] if tokens else None


def _given(scope: Scope, header: bytes) -> list[str]:
    """The values of all headers of this name."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


def _limited(seconds: int) -> TooManyRequests:
    return too_many(seconds, f"Too many requests without a valid key came from this address; try again in {seconds} s.")


async def _refuse_socket(receive: Receive, send: Send) -> None:
    """Nothing of ours speaks anything but HTTP."""
    message: Message = await receive()
    log.get().warning("connection.refused", kind=message["type"])
    await send({"type": "websocket.close", "code": 1008})
