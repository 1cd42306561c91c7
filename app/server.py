"""The API's server process: `python -m app`. Nothing else starts the API: uvicorn alone has not its limits."""

import os
import resource
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.main import create, read_settings
from app.prefork import Prefork, end_as
from app.settings import ApiSettings, Settings
from app.web.http.accepting import Acceptor
from app.web.http.connections import ConnectionLimits, protocol_class
from app.web.http.shared import Shared
from app.wiring import Beforehand, load_embedder

# Files and sockets beside the connections: the database's, the model's, the search processes', uploads on their way.
OTHER_DESCRIPTORS = 512
SHUTDOWN_SECONDS = 5
# Then the application ends, with what goes on in its background.
CLOSING_SECONDS = 15
STARTUP_FAILED = 3
# Bytes of the folder of sockets, whose paths may have 107.
MAX_FOLDER = 95


def server_config(app: FastAPI, settings: ApiSettings, **options: Any) -> uvicorn.Config:
    """How the API is served; `options` are uvicorn's, for tests that want a free port."""
    fixed: dict[str, Any] = {
        "http": protocol_class(ConnectionLimits.of(settings)),
        "ws": "none",
        # We read such headers ourselves, from the proxies that the settings name and from nobody else.
        "proxy_headers": False,
        # Its own lines would hold search texts, which stand in request paths; the application logs requests itself.
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
    }
    return uvicorn.Config(app, **{"host": settings.host, "port": settings.port, **options, **fixed})


def serve() -> None:
    """Serve the API over the parts and settings of the environment until a signal ends it."""
    settings = read_settings()
    _raise_descriptor_limit(settings.api.max_connections + OTHER_DESCRIPTORS)
    if settings.api.processes > 1:
        with tempfile.TemporaryDirectory(prefix="clearance-") as folder:
            status = _serve_in_processes(settings, Path(folder))
        end_as(status)
    server = uvicorn.Server(server_config(create(prepared=Beforehand(settings)), settings.api))
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


def _serve_in_processes(settings: Settings, folder: Path) -> int:
    """The exit status, or -N for signal N. What is large and only read is made before the processes part."""
    if len(os.fsencode(folder)) > MAX_FOLDER:
        sys.exit(f"clearance api: {folder} is too long for the path of a socket: set TMPDIR to a shorter one")
    shared = Shared(settings.api.processes, folder)
    listener = listen_on(settings.api)
    # Models on PyTorch start threads, or live on a GPU: each process loads its own.
    embedder = None if settings.embedder.kind == "sentence-transformers" else load_embedder(settings)
    app = create(prepared=Beforehand(settings, shared, embedder))

    def serve_as(number: int) -> None:
        shared.processes.number = number
        SharingServer(server_config(app, settings.api), listener, shared).run()

    grace = SHUTDOWN_SECONDS + CLOSING_SECONDS
    return Prefork(settings.api.processes, serve_as, forget=shared.forget_process, grace=grace).run()


class SharingServer(uvicorn.Server):
    """One of several that serve a listening socket, and each a socket of its own for the others."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, shared: Shared) -> None:
        super().__init__(config)
        self._listener, self._shared = listener, shared

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        if sockets is None and self._shared.peers is not None:
            sockets = [self._shared.peers.listener()]
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        protocol: Any = self.config.http_protocol_class

        def make() -> Any:
            return protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        self._acceptor = Acceptor(self._listener, make, self._shared.loads, lambda: len(protocol.open_connections))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._acceptor.close()
        await super().shutdown(sockets)


def listen_on(settings: ApiSettings) -> socket.socket:
    """The socket of the address that the settings name. Who serves it begins to listen: nobody waits before."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        sys.exit(f"clearance api: cannot listen on {settings.host}, port {settings.port}: {error.strerror}")
    return listener


def _raise_descriptor_limit(wanted: int) -> None:
    """As many descriptors as the connections may need, within what the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
