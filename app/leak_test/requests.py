"""Raw requests: every byte that comes back is looked at, so nothing is parsed away. Keys live in memory alone."""

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from app.client.api import ApiError

TOO_MANY = 429
# How long one request may be put off by the rate limit.
PATIENCE = 300.0
# Servers close idle connections after five seconds or more, also in the moment in which one is used again.
IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """All that came back. A header that comes twice stands here twice."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def streamed(self) -> str:
        """The text of a stream's pieces in a row: a word may be cut in two by them."""
        pieces = []
        for line in self.body.splitlines():
            with contextlib.suppress(ValueError, AttributeError, TypeError):
                data = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
                pieces.append(data.get("text", ""))
        return "".join(pieces)


class Asker:
    """Speaks as one person. `slots` bounds how many requests of all people are on their way at once."""

    def __init__(self, base_url: str, slots: threading.Semaphore, *, key: str | None, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if token is not None:
            headers["Clearance-On-Behalf-Of"] = token
        self.key, self.token = key, token
        self._base_url, self._slots = base_url, slots
        local = (httpx2.URL(base_url).host or "") in {"127.0.0.1", "localhost", "::1"}
        timeout = httpx2.Timeout(300.0, connect=5.0)
        limits = httpx2.Limits(keepalive_expiry=IDLE_SECONDS)
        self._http = httpx2.Client(headers=headers, trust_env=not local, timeout=timeout, limits=limits)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        file: bytes | None = None,
    ) -> Answer:
        """Ask, with a JSON body or a form with a file, and wait as long as the rate limit says so.

        Raises ApiError if nothing answers.
        """
        sent: dict[str, Any] = {"params": dict(params or {})}
        if body is not None:
            sent["json"] = dict(body)
        if file is not None:
            sent["files"] = {"file": ("file", file)}
        deadline = time.monotonic() + PATIENCE
        while True:
            # Built anew each time: the body of a form is read once.
            answer = self._once(self._http.build_request(method, self._base_url + path, **sent))
            pause = float(dict(answer.headers).get("retry-after", "1")) if answer.status == TOO_MANY else None
            if pause is None:
                return answer
            if time.monotonic() + pause > deadline:
                raise ApiError(
                    code="TooManyRequests", title="The rate limit lets nothing through", detail="", status=429
                )
            time.sleep(pause)

    def _once(self, request: httpx2.Request) -> Answer:
        try:
            with self._slots:
                response = self._twice(request)
        except httpx2.TransportError as error:
            why = str(error) or type(error).__name__
            raise ApiError(
                code="Unreachable", title=f"No answer from {self._base_url}", detail=why, status=0
            ) from error
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Answer(response.status_code, headers, response.content)

    def _twice(self, request: httpx2.Request) -> httpx2.Response:
        """Once more where the connection was closed under the request, as servers do after an error of their own."""
        try:
            return self._http.send(request)
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
            return self._http.send(request)
