"""The API's server process: `python -m app`. Nothing else starts the API: uvicorn alone has not its limits."""

import resource
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.main import create
from app.settings import ApiSettings
from app.web.http.connections import ConnectionLimits, protocol_class

# Files and sockets beside the connections: the database's, the model's, the search processes', uploads on their way.
OTHER_DESCRIPTORS = 512
SHUTDOWN_SECONDS = 5
STARTUP_FAILED = 3


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
    app = create()
    settings: ApiSettings = app.state.api_settings
    _raise_descriptor_limit(settings.max_connections + OTHER_DESCRIPTORS)
    server = uvicorn.Server(server_config(app, settings))
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


def _raise_descriptor_limit(wanted: int) -> None:
    """As many descriptors as the connections may need, within what the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
