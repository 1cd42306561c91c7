"""How the service does: the checks of the doctor that it can make of itself, and leak tests with their reports."""

from typing import Literal

from fastapi import APIRouter, Response

from app.admin.health.service import ServiceParts, check_service
from app.admin.leak_test_runs import get_leak_test, list_leak_tests
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Administrator, ComponentsOf, LeakTestsOf, Reading, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


@router.get("/health")
def health(viewer: ViewerOf, subject: Administrator, parts: ComponentsOf, look: Literal["", "now"] = "") -> Response:
    """Every part with its state. It takes up to ten seconds, so the page comes first, and asks for them."""
    if not look:
        return page(viewer, "company/health.html", {"checks": None})
    checks = check_service(subject, ServiceParts(parts.settings, parts.database, parts.embedder))
    template = "company/health_checks.html" if viewer.part else "company/health.html"
    return page(viewer, template, {"checks": checks})


@router.get("/leak-tests")
def leak_tests(viewer: ViewerOf, subject: Administrator, session: Reading, listing: ListingOf) -> Response:
    """All runs, newest first."""
    values = {"runs": list_leak_tests(session, subject, listing.page), "listing": listing}
    return page(viewer, "company/leak_test_rows.html" if viewer.part else "company/leak_tests.html", values)


@router.post("/leak-tests")
def start(viewer: ViewerOf, subject: Administrator, parts: ComponentsOf, runs: LeakTestsOf) -> Response:
    """Start one in the viewer's name."""
    return go_to(viewer, f"/leak-tests/{runs.start(parts.database, subject)}")


@router.get("/leak-tests/{run}")
def leak_test(viewer: ViewerOf, subject: Administrator, session: Reading, run: str) -> Response:
    """One run: how far it is, asked again while it runs; and its report."""
    values = {"run": get_leak_test(session, subject, public_id(run))}
    return page(viewer, "company/leak_test_state.html" if viewer.part else "company/leak_test.html", values)
