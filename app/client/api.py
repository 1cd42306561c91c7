"""A client of the REST API, with one error type, retries at the rate limit, and server-sent events."""

import ipaddress
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from app.client.errors import UserError

PAGE = 500
Params = Mapping[str, str | int | bool | None]


class ApiError(UserError):
    """The API refused a request or did not answer, and `status` is 0 then. `code` is that of the problem."""

    def __init__(self, *, code: str, title: str, detail: str, status: int) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.code, self.title, self.detail, self.status = code, title, detail, status


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


class Client:
    """Requests to one API with one key, or with a service's key and a person's token. Thread-safe. Raises ApiError.

    A request over the rate limit (429), which had no effect, is sent again when the server says, for at most
    `patience` seconds. Nothing else is repeated.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None,
        *,
        on_behalf_of: str | None = None,
        patience: float = 180.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._patience = patience
        self._resume_at = 0.0
        self._lock = threading.Lock()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if on_behalf_of is not None:
            headers["Clearance-On-Behalf-Of"] = on_behalf_of
        # Servers on this machine are reached without a proxy.
        self._http = httpx2.Client(
            headers=headers,
            transport=transport,
            trust_env=not _is_local(self.base_url),
            timeout=httpx2.Timeout(120.0, connect=5.0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int | bool | None) -> Any:
        """The JSON at this path under /api/v1; parameters that are None are left out."""
        return self._send("GET", path, params=_without_none(params)).json()

    def pages(self, path: str, *, items: str | None = None, **params: str | int | bool | None) -> Iterator[Any]:
        """All items of a list, page by page; `items` is their key if the answer is not the list itself."""
        for body in self._bodies(path, params):
            yield from body if items is None else body[items]

    def joined(self, path: str, *, items: str, **params: str | int | bool | None) -> dict[str, Any]:
        """An answer whose list at the key `items` goes on over pages: the first page, with the items of all."""
        first, *others = self._bodies(path, params)
        return {**first, items: [*first[items], *(item for body in others for item in body[items])]}

    def _bodies(self, path: str, params: Params) -> Iterator[Any]:
        query = {"limit": PAGE, **_without_none(params)}
        while query:
            response = self._send("GET", path, params=query)
            yield response.json()
            following = str(response.links.get("next", {}).get("url", ""))  # empty on the last page
            query = dict(urllib.parse.parse_qsl(following.partition("?")[2]))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST JSON; returns the JSON answer, or None where there is none."""
        answer = self._send("POST", path, json=dict(body))
        return answer.json() if answer.content else None

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """PUT JSON; returns the JSON answer, or None if there is no body."""
        response = self._send("PUT", path, json=None if body is None else dict(body))
        return response.json() if response.content else None

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._send("PATCH", path, json=dict(body)).json()

    def delete(self, path: str) -> Any:
        """The JSON answer, or None where there is none."""
        answer = self._send("DELETE", path)
        return answer.json() if answer.content else None

    def upload(self, path: str, file: File, fields: Mapping[str, str | list[str]]) -> Any:
        """POST a multipart form with one file; a list becomes a repeated field. Returns the JSON answer."""
        return self._send("POST", path, files={"file": (file.name, file.content)}, data=dict(fields)).json()

    def stream_bytes(self, path: str, **params: str | int | bool | None) -> Iterator[bytes]:
        """The body in chunks, as it arrives."""
        with self._open("GET", path, params=_without_none(params)) as response:
            yield from response.iter_bytes()

    def ask_streamed(self, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, data) of each event of an answer as it arrives; raises ApiError for the event `error`."""
        with self._open("POST", "/ask", json={**body, "stream": True}) as response:
            try:
                for event in httpx2.EventSource(response):
                    data = json.loads(event.data)
                    if event.event == "error":
                        raise ApiError(code=data["code"], title=data["title"], detail=data["detail"], status=200)
                    yield event.event, data
            except httpx2.SSEError as error:
                raise _unreachable(self.base_url, error) from error

    def healthy(self, path: str = "/readyz") -> bool:
        try:
            return self._http.get(self.base_url + path, timeout=5.0).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def _send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with self._open(method, path, **options) as response:
            response.read()
            return response

    @contextmanager
    def _open(self, method: str, path: str, **options: Any) -> Iterator[httpx2.Response]:
        """A successful response whose body is still to be read; any other, and a lost connection, raise ApiError."""
        deadline = time.monotonic() + self._patience
        try:
            while True:
                self._wait()
                request = self._http.build_request(method, f"{self.base_url}/api/v1{path}", **options)
                with closing(self._http.send(request, stream=True)) as response:
                    if response.is_success:
                        yield response
                        return
                    response.read()
                pause = _retry_after(response)
                if pause is None or time.monotonic() + pause > deadline:
                    raise _error_from(response)
                self._pause(pause)
        except httpx2.TransportError as error:
            raise _unreachable(self.base_url, error) from error

    def _wait(self) -> None:
        """Wait until the rate limit allows requests again; the limit is shared by all threads."""
        with self._lock:
            left = self._resume_at - time.monotonic()
        if left > 0:
            time.sleep(left)

    def _pause(self, seconds: float) -> None:
        with self._lock:
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)


def path(*parts: str) -> str:
    """A path of these parts, each percent-encoded, so that no name leads to another path."""
    return "".join("/" + urllib.parse.quote(part, safe="") for part in parts)


def with_query(path: str, **params: str) -> str:
    return f"{path}?{urllib.parse.urlencode(params)}"


def _without_none(params: Params) -> dict[str, str | int | bool]:
    return {name: value for name, value in params.items() if value is not None}


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds after which the same request may be sent again; None if it may not."""
    wait = response.headers.get("retry-after", "")
    return float(wait) if response.status_code == httpx2.codes.TOO_MANY_REQUESTS and wait.isdigit() else None


def _error_from(response: httpx2.Response) -> ApiError:
    """The problem (RFC 9457) in the response; `NotClearance` if there is none."""
    status = response.status_code
    try:
        body = response.json()
        return ApiError(code=body["code"], title=body["title"], detail=body.get("detail", ""), status=status)
    except (ValueError, KeyError, TypeError):
        detail = f"HTTP status {status} without a problem description; is this the address of Clearance?"
        return ApiError(code="NotClearance", title="Unexpected answer", detail=detail, status=status)


def _unreachable(base_url: str, error: Exception) -> ApiError:
    why = "it took too long" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
    return ApiError(code="Unreachable", title=f"No answer from {base_url}", detail=why, status=0)


def _is_local(base_url: str) -> bool:
    host = urllib.parse.urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
