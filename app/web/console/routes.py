"""All pages of the console, in the order of the navigation, and what stands behind them in the application."""

from typing import Any

from fastapi import FastAPI

from app.web.console import account, assets, reports, sample
from app.web.console.company import access, credentials, health, people, reviews, roles, sources
from app.web.console.errors import error_page
from app.web.console.evidence import exports, exposure, forgetting, log, openings, replays, retention, shown, unusual
from app.web.console.library import access as library_access
from app.web.console.library import collections, plans, uploading
from app.web.console.reading import asking, conversations, documents, search
from app.web.http.openapi import Service

ROOMS = (
    *(asking, conversations, search, documents),
    *(collections, uploading, library_access, plans),
    *(people, roles, sources, credentials, access, reviews, health),
    *(log, replays, shown, exposure, unusual, openings, exports, forgetting, retention),
    *(account, sample),
)


def include_console(app: Service) -> None:
    """Serve the pages, their files, and the reports of browsers. The API's description names the pages apart."""
    for room in ROOMS:
        app.include_router(room.router, include_in_schema=False)
    app.describe_pages = describe_pages
    for behind in (assets, reports):
        app.include_router(behind.router)


def describe_pages() -> dict[str, Any]:
    """The pages that are only looked at, as an OpenAPI document describes paths."""
    alone = FastAPI(openapi_url="/openapi.json")
    for room in ROOMS:
        alone.include_router(room.router)
    paths = alone.openapi()["paths"]
    looked_at = {path: operations["get"] for path, operations in paths.items() if "get" in operations}
    return {path: {"get": {"parameters": get.get("parameters", [])}} for path, get in looked_at.items()}


def install_console(app: FastAPI) -> None:
    """What pages need of an application: how errors are shown, and where reports are counted."""
    app.state.error_page = error_page
    app.state.policy_reports = reports.PolicyReports(app.state.metrics)
