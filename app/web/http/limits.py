"""Limits of who is known: requests a minute and at once for each key, uploads at once, size and time of a body."""

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, TooLarge, TooManyRequests
from app.settings import ApiSettings
from app.web.http.route_table import MAX_JSON_BYTES, Pace
from app.web.http.shared_table import WAYS, Processes, SharedTable, TableFull

# The name of the one place that counts uploads.
UPLOADS = b"uploads"
# Keys of which something is remembered, and their paces apart; of who is beyond that the longest unused is forgotten.
MAX_KEYS = 32_768


class KeyLimits:
    """A token bucket and a count of running requests for each key, of all API processes together."""

    def __init__(self, settings: ApiSettings, table: SharedTable | None = None) -> None:
        self._rates: Mapping[Pace, float] = {
            "ordinary": settings.rate_per_minute / 60,
            "bulk": settings.bulk_rate_per_minute / 60,
            "page": settings.page_rate_per_minute / 60,
        }
        self._burst = float(settings.burst)
        self._limit = settings.concurrent
        self._table = SharedTable(Processes(), sets=MAX_KEYS // WAYS) if table is None else table

    @contextlib.contextmanager
    def slot(self, key_id: uuid.UUID, *, pace: Pace) -> Iterator[None]:
        """Hold one of the key's slots; raises TooManyRequests with the seconds to wait.

        Each pace has its own bucket: filling a collection must not keep its curator from asking.
        """
        name = key_id.bytes + pace.encode()
        try:
            self._take(name, self._rates[pace], time.monotonic())
        except TableFull:
            raise too_many(1, "The service has too many requests in progress; try again.") from None
        try:
            yield
        finally:
            self._table.release(name)

    def _take(self, name: bytes, rate: float, now: float) -> None:
        with self._table.bucket(name, full=self._burst, now=now) as bucket:
            bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.filled_at) * rate)
            bucket.filled_at = now
            if bucket.tokens < 1 and sum(bucket.running) < self._limit:
                seconds = int((1 - bucket.tokens) / rate) + 1
                raise too_many(seconds, f"This key has used up its requests; try again in {seconds} s.")
            if not self._table.begin(bucket, self._limit):
                raise too_many(1, f"This key has {self._limit} requests in progress, the most it may have.")
            bucket.tokens -= 1


class UploadSlots:
    """Bounds the uploads in progress, of all API processes: each may fill `max_body_mb` of the temporary folder."""

    def __init__(self, limit: int, table: SharedTable | None = None) -> None:
        self._limit = limit
        self._table = SharedTable(Processes(), sets=1) if table is None else table

    @contextlib.contextmanager
    def slot(self, *, needed: bool) -> Iterator[None]:
        """Hold one of the slots if it is needed; raises TooManyRequests when none is left."""
        if not needed:
            yield
            return
        if not self._table.hold(UPLOADS, self._limit):
            raise too_many(1, f"The service has {self._limit} uploads in progress, the most it takes; try again.")
        try:
            yield
        finally:
            self._table.release(UPLOADS)


def too_many(seconds: int, detail: str) -> TooManyRequests:
    """The refusal that says when to try again."""
    return TooManyRequests(detail, headers={"Retry-After": str(seconds)})


class BodyLimit:
    """ASGI middleware: refuses a body that is larger, or slower, than allowed; how large uploads are, settings say."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings, upload: bool, max_bytes: int = MAX_JSON_BYTES) -> None:
        self._app = app
        self._upload, self._megabytes = upload, settings.max_body_mb
        self._limit = settings.max_body_mb * 1024 * 1024 if upload else max_bytes
        self._seconds = settings.request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > self._limit:
            raise self._too_large()
        watch = _Watch(receive, send, self._limit, anyio.current_time() + self._seconds)
        with contextlib.suppress(_Refused):
            await self._app(scope, watch.receive, watch.send)
        if watch.refused is not None and not watch.started:
            raise self._too_large() if watch.refused.large else BadRequest("The body did not arrive in time.")

    def _too_large(self) -> TooLarge:
        if self._upload:
            limit = f"{self._megabytes} MB (CLEARANCE_API__MAX_BODY_MB)"
            return TooLarge(f"The limit is {limit}; split the file or raise the limit.")
        return TooLarge(f"The limit is {self._limit // 1024} KB; send less at once.")


class _Refused(Exception):
    def __init__(self, *, large: bool) -> None:
        super().__init__()
        self.large = large


class _Watch:
    """Counts the body as it comes in. Of a refused one it lets no other answer pass: frameworks make it a plain 400."""

    def __init__(self, receive: Receive, send: Send, limit: int, deadline: float) -> None:
        self._receive, self._send = receive, send
        self._limit, self._deadline = limit, deadline
        self._seen, self._whole = 0, False
        self.started = False
        self.refused: _Refused | None = None

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            with anyio.fail_after(max(0.0, self._deadline - anyio.current_time())):
                message = await self._receive()
        except TimeoutError:
            raise self._refuse(large=False) from None
        self._seen += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._seen > self._limit:
            raise self._refuse(large=True)
        return message

    async def send(self, message: Message) -> None:
        if self.refused is not None and not self.started:
            return
        self.started = True
        await self._send(message)

    def _refuse(self, *, large: bool) -> _Refused:
        self.refused = _Refused(large=large)
        return self.refused
