"""Requests whose answers are kept as raw bytes, so that nothing is parsed away before it is looked at."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from app.client.api import ApiError

TOO_MANY, NOT_SIGNED_IN, SEE_OTHER = 429, 401, 303
NONCE = re.compile(r"'nonce-([\w-]{22})'")
# Longest time one request may be put off by the rate limit.
MAX_WAIT_SECONDS = 300.0
# Servers close idle connections after five seconds or more, perhaps just as one is used again.
IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class RawAnswer:
    """Status, headers (lower-case names, one that comes twice stands here twice) and body of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def signed_out(self) -> bool:
        """Whether it says that nobody is signed in: to a program, or to a person, who is led to where one signs in."""
        to_sign_in = dict(self.headers).get("location", "").startswith("/sign-in?")
        return self.status == NOT_SIGNED_IN or (self.status == SEE_OTHER and to_sign_in)

    def without_nonce(self) -> "RawAnswer":
        """The same page with what differs between any two pages made plain: the nonce of its policy."""
        policy = dict(self.headers).get("content-security-policy", "")
        if (found := NONCE.search(policy)) is None:
            return self
        headers = tuple((name, value.replace(found[1], "NONCE")) for name, value in self.headers)
        return replace(self, headers=headers, body=self.body.replace(found[1].encode(), b"NONCE"))

    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def streamed_text(self) -> str:
        """The text pieces of an event stream joined, since a word may be cut in two by them."""
        pieces = []
        for line in self.body.splitlines():
            with contextlib.suppress(ValueError, AttributeError, TypeError):
                data = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
                pieces.append(data.get("text", ""))
        return "".join(pieces)


class ProbeClient:
    """Sends requests as one caller, or through `http` as whoever a request's own headers name.

    `slots` bounds how many requests of all callers are under way at once.
    """

    def __init__(
        self,
        base_url: str,
        slots: threading.Semaphore | None = None,
        *,
        key: str | None = None,
        token: str | None = None,
        http: httpx2.Client | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if token is not None:
            headers["Clearance-On-Behalf-Of"] = token
        self.key, self.token = key, token
        self._base_url, self._slots = base_url, slots or threading.Semaphore()
        local = (httpx2.URL(base_url).host or "") in {"127.0.0.1", "localhost", "::1"}
        timeout = httpx2.Timeout(300.0, connect=5.0)
        limits = httpx2.Limits(keepalive_expiry=IDLE_SECONDS)
        self._http = http or httpx2.Client(headers=headers, trust_env=not local, timeout=timeout, limits=limits)

    def close(self) -> None:
        self._http.close()

    def send(  # noqa: PLR0913  # each is a part of a request
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> RawAnswer:
        """Send a request with a JSON body, a form whose `file` is bytes, or the fields of a plain one, and wait out
        the rate limit.

        Raises ApiError if nothing answers.
        """
        sent: dict[str, Any] = {"params": dict(params or {}), "headers": list(headers)}
        if form is not None:
            sent["files"] = {"file": ("file", form["file"])}
            sent["data"] = {name: value for name, value in form.items() if name != "file"}
        elif fields is not None:
            sent["data"] = dict(fields)
        elif body is not None:
            sent["json"] = body
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while True:
            # Built each time: the body of a form can be read only once.
            answer = self._answer(self._http.build_request(method, self._base_url + path, **sent))
            if answer.status != TOO_MANY:
                return answer
            pause = float(dict(answer.headers).get("retry-after", "1"))
            if time.monotonic() + pause > deadline:
                raise ApiError(
                    code="TooManyRequests", title="The rate limit lets nothing through", detail="", status=429
                )
            time.sleep(pause)

    def _answer(self, request: httpx2.Request) -> RawAnswer:
        try:
            with self._slots:
                response = self._response(request)
        except httpx2.TransportError as error:
            why = str(error) or type(error).__name__
            raise ApiError(
                code="Unreachable", title=f"No answer from {self._base_url}", detail=why, status=0
            ) from error
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return RawAnswer(response.status_code, headers, response.content).without_nonce()

    def _response(self, request: httpx2.Request) -> httpx2.Response:
        """Sent again if the connection was closed meanwhile, as servers do after an error of their own."""
        try:
            return self._http.send(request)
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
            return self._http.send(request)
