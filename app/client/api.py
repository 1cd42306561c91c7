"""A thin client of the REST API: one error type, patience with the rate limit, server-sent events."""

import ipaddress
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from app.client.errors import UserError

PAGE = 500
Params = Mapping[str, str | int | bool | None]


class ApiError(UserError):
    """The API refused, or did not answer. `code` is the wire code; `status` is 0 if there was no answer."""

    def __init__(self, *, code: str, title: str, detail: str, status: int) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.code, self.title, self.detail, self.status = code, title, detail, status


@dataclass(frozen=True)
class File:
    """A file to upload."""

    name: str
    content: bytes


class Client:
    """Speaks to one API with one key, a service's with a person's token; may be used by several threads at once.

    A request that meets the rate limit (429) is sent again when the server says so, as long as that is within
    `patience` seconds: it was refused before anything was done. Nothing else is repeated. Raises ApiError.
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
        # A proxy is for machines elsewhere: what runs on this one is reached directly.
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
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **params: str | int | bool | None) -> Any:
        """The JSON at this path under /api/v1; parameters that are None are left out."""
        return self._send("GET", path, params=_given(params)).json()

    def pages(self, path: str, *, items: str | None = None, **params: str | int | bool | None) -> Iterator[Any]:
        """All items of a list, page after page; `items` is where they stand if the answer is not the list itself."""
        query = {"limit": PAGE, **_given(params)}
        while query:
            response = self._send("GET", path, params=query)
            body = response.json()
            yield from body if items is None else body[items]
            query = dict(urllib.parse.parse_qsl(_next_page(response).partition("?")[2]))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON, get JSON."""
        return self._send("POST", path, json=dict(body)).json()

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Put JSON; gives the JSON that comes back, or None."""
        response = self._send("PUT", path, json=None if body is None else dict(body))
        return response.json() if response.content else None

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Patch with JSON, get JSON."""
        return self._send("PATCH", path, json=dict(body)).json()

    def delete(self, path: str) -> None:
        """Delete."""
        self._send("DELETE", path)

    def upload(self, path: str, file: File, fields: Mapping[str, str | list[str]]) -> Any:
        """Send a multipart form with one file; a list is sent as a repeated field."""
        return self._send("POST", path, files={"file": (file.name, file.content)}, data=dict(fields)).json()

    def lines(self, path: str, **params: str | int | bool | None) -> Iterator[bytes]:
        """The body in pieces, as it comes."""
        with self._streamed("GET", path, params=_given(params)) as response:
            try:
                yield from response.iter_bytes()
            except httpx2.TransportError as error:
                raise _unreachable(self.base_url, error) from error

    def ask_streamed(self, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Events of an answer as they come: (name, data); raises ApiError for the event `error`."""
        with self._streamed("POST", "/ask", json={**body, "stream": True}) as response:
            try:
                for event in httpx2.EventSource(response):
                    data = json.loads(event.data)
                    if event.event == "error":
                        raise ApiError(code=data["code"], title=data["title"], detail=data["detail"], status=200)
                    yield event.event, data
            except (httpx2.TransportError, httpx2.SSEError) as error:
                raise _unreachable(self.base_url, error) from error

    def healthy(self, path: str = "/readyz") -> bool:
        """Whether the service says so."""
        try:
            return self._http.get(self.base_url + path, timeout=5.0).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def _send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with self._streamed(method, path, **options) as response:
            response.read()
            return response

    def _streamed(self, method: str, path: str, **options: Any) -> "_Open":
        deadline = time.monotonic() + self._patience
        while True:
            self._wait()
            request = self._http.build_request(method, f"{self.base_url}/api/v1{path}", **options)
            try:
                response = self._http.send(request, stream=True)
                if response.is_success:
                    return _Open(response, self.base_url)
                response.read()
            except httpx2.TransportError as error:
                raise _unreachable(self.base_url, error) from error
            response.close()
            pause = _seconds(response)
            if pause is None or time.monotonic() + pause > deadline:
                raise _refused(response)
            self._pause(pause)

    def _wait(self) -> None:
        """All threads wait together: one that goes on would only be refused in its turn."""
        with self._lock:
            left = self._resume_at - time.monotonic()
        if left > 0:
            time.sleep(left)

    def _pause(self, seconds: float) -> None:
        with self._lock:
            self._resume_at = max(self._resume_at, time.monotonic() + seconds)


class _Open:
    """A response whose body is still to come."""

    def __init__(self, response: httpx2.Response, base_url: str) -> None:
        self._response, self._base_url = response, base_url

    def __enter__(self) -> httpx2.Response:
        return self._response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()
        if isinstance(error, httpx2.TransportError):
            raise _unreachable(self._base_url, error) from error


def path(*parts: str) -> str:
    """A path of these parts, each percent-encoded: a name can never reach into another place."""
    return "".join("/" + urllib.parse.quote(part, safe="") for part in parts)


def with_query(path: str, **params: str) -> str:
    """The path with a query of these parameters."""
    return f"{path}?{urllib.parse.urlencode(params)}"


def _given(params: Params) -> dict[str, str | int | bool]:
    return {name: value for name, value in params.items() if value is not None}


def _next_page(response: httpx2.Response) -> str:
    """Where the header says the next page is; empty for the last one."""
    return str(response.links.get("next", {}).get("url", ""))


def _seconds(response: httpx2.Response) -> float | None:
    """How long to wait before the same request may be sent again; None: it may not."""
    wait = response.headers.get("retry-after", "")
    return float(wait) if response.status_code == httpx2.codes.TOO_MANY_REQUESTS and wait.isdigit() else None


def _refused(response: httpx2.Response) -> ApiError:
    """The problem (RFC 9457) that the response holds, or what can be said without one."""
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
