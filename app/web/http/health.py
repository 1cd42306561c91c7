"""Is it alive, is it ready; and metrics, behind a key of their own and without a number that tells of documents."""

import hmac

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from app.errors import NotFound, NotSignedIn
from app.web.http.dependencies import ComponentsOf, CookiesOf
from app.web.http.metrics import by_process
from app.web.http.peers import RELAYED, Peers
from app.web.http.route_table import RESOURCE_METADATA

router = APIRouter(tags=["health"])


class ResourceMetadata(BaseModel):
    """What a client has to know to come in with an access token."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[str] = ["header"]
    resource_name: str = "Clearance"


@router.get(RESOURCE_METADATA)
def resource_metadata(parts: ComponentsOf, cookies: CookiesOf) -> ResourceMetadata:
    """Whose access tokens are taken here (RFC 9728). Absent where none are."""
    issuers = [each.settings.issuer for each in parts.providers.values() if each.settings.audience]
    if not issuers:
        raise NotFound
    return ResourceMetadata(resource=cookies.origin, authorization_servers=issuers)


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
async def metrics(request: Request, parts: ComponentsOf) -> Response:
    """Prometheus metrics, for who has the metrics key; not there if none is set.

    Of several processes each has its own numbers, with a label `process`: a sum would go back when one is replaced.
    """
    key = parts.settings.api.metrics_key
    if key is None:
        raise NotFound
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {key.get_secret_value()}".encode()):
        raise NotSignedIn
    text = await run_sync(generate_latest, request.app.state.metrics)
    peers: Peers | None = request.app.state.peers
    if peers is not None and RELAYED not in request.scope:
        others = await peers.ask_others("/metrics", {"authorization": given})
        text = await run_sync(by_process, {peers.processes.number: text.decode(), **others})
    return Response(text, media_type=CONTENT_TYPE_LATEST)
