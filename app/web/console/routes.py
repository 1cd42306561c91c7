"""All pages of the console, in the order of the navigation, and what stands behind them in the application."""

from fastapi import FastAPI

from app.web.console import account, assets, reports
from app.web.console.errors import error_page
from app.web.console.reading import asking, documents, search

ROOMS = (asking, search, documents, account)


def include_console(app: FastAPI) -> None:
    """Serve the pages, their files, and the reports of browsers."""
    for room in ROOMS:
        app.include_router(room.router)
    for behind in (assets, reports):
        app.include_router(behind.router)


def install_console(app: FastAPI) -> None:
    """What pages need of an application: how errors are shown, and where reports are counted."""
    app.state.error_page = error_page
    app.state.policy_reports = reports.PolicyReports(app.state.metrics)
