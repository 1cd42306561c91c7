"""Is it alive, is it ready; and metrics, behind a key of their own and without a number that tells of documents."""

import hmac

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from app.errors import NotFound, NotSignedIn
from app.web.http.dependencies import ComponentsOf

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
async def ready(request: Request, parts: ComponentsOf) -> dict[str, str]:
    """The database answers too; 503 if it does not."""

    def ask() -> None:
        with parts.database.anonymous() as session:
            session.execute(text("select 1"))

    # One at a time: strangers may ask this, and shall take neither threads nor connections from anybody.
    await run_sync(ask, limiter=request.app.state.ready_limit)
    return {"status": "ready"}


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, parts: ComponentsOf) -> Response:
    """Prometheus metrics, for who has the metrics key; not there if none is set."""
    key = parts.settings.api.metrics_key
    if key is None:
        raise NotFound
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {key.get_secret_value()}".encode()):
        raise NotSignedIn
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)
