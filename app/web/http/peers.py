"""The other API processes of this service, each behind a socket of its own in a folder that nobody else may enter."""

import hmac
import secrets
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx2
from starlette.types import Scope

from app.web.http.shared_table import Processes

# Carries the token of this run and the caller's address. Taken off whatever comes from outside.
HEADER = b"x-clearance-relayed"
# Set where the request has come from another process of ours.
RELAYED = "clearance.relayed"
# How long another process may take to answer what is not a caller's request.
ASK_SECONDS = 2.0


class Peers:
    """How this process reaches the others. Made before they part; `folder` is theirs alone (mode 0700)."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.processes, self._folder = processes, folder
        self._token = secrets.token_hex(32).encode()
        self._transports: dict[int, httpx2.AsyncHTTPTransport] = {}

    def listener(self) -> socket.socket:
        """The socket of this process. One that a dead process with its number has left is replaced."""
        path = self._path(self.processes.number)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        return listener

    def header(self, scope: Scope) -> tuple[bytes, bytes]:
        """What a request is marked with that goes on to another process: where it comes from."""
        host, port = scope.get("client") or ("", 0)
        return HEADER, b" ".join((self._token, str(port).encode(), str(host).encode("latin-1", "replace")))

    def read_header(self, scope: Scope, value: bytes) -> tuple[str, int] | None:
        """The caller's address, for what came over the socket of this process with the token of this run."""
        token, _, rest = value.partition(b" ")
        if scope.get("client") is not None or not hmac.compare_digest(token, self._token):
            return None
        port, _, host = rest.partition(b" ")
        return host.decode("latin-1"), int(port)

    def transport(self, number: int) -> httpx2.AsyncHTTPTransport:
        """The way to this process: a connection for each request, as many as come."""
        if number not in self._transports:
            self._transports[number] = httpx2.AsyncHTTPTransport(
                uds=str(self._path(number)),
                trust_env=False,
                limits=httpx2.Limits(max_keepalive_connections=0),
                # Never used, and a tenth of a second and a megabyte less than the usual one.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            )
        return self._transports[number]

    async def ask_others(self, path: str, headers: Mapping[str, str]) -> dict[int, str]:
        """What the others say to this GET, by their number; those that do not answer it in time are left out."""
        found: dict[int, str] = {}
        mark = self.header({"client": ("127.0.0.1", 0)})
        given = [(name.encode(), value.encode()) for name, value in headers.items()]

        async def ask(number: int) -> None:
            request = httpx2.Request("GET", f"http://localhost{path}", headers=[mark, *given])
            with anyio.move_on_after(ASK_SECONDS):
                try:
                    response = await self.transport(number).handle_async_request(request)
                    text = (await response.aread()).decode()
                    await response.aclose()
                except httpx2.TransportError:
                    return
                if response.status_code == httpx2.codes.OK:
                    found[number] = text

        async with anyio.create_task_group() as tasks:
            for number in range(self.processes.count):
                if number != self.processes.number:
                    tasks.start_soon(ask, number)
        return found

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.sock"
