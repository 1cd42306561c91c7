"""Asking."""

from fastapi import APIRouter, Response

from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE], include_in_schema=False)


@router.get("/")
def first_page(viewer: ViewerOf) -> Response:
    """Where one begins: asking, or, for who may not ask, what they may do."""
    if not viewer.may("ask"):
        return go_to(viewer, "/me")
    return page(viewer, "reading/ask.html", {})
