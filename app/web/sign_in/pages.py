"""The few pages around signing in: rendered on the server, readable without scripts, loading from us alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.routing import Mount

from app.errors import AppError

# Nothing but our own style sheet and script; forms go to us, and by a redirect to a provider.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_TEMPLATES = Environment(
    loader=PackageLoader("app.web.sign_in"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


STATIC = "/sign-in/static"


def mount_sign_in_static(app: FastAPI) -> None:
    """Serve the style sheet and the script of these pages; before the routes that would take `static` for a source."""
    files = StaticFiles(directory=Path(__file__).parent / "static")
    app.router.routes.insert(0, Mount(STATIC, files, name="sign-in-static"))


def page(template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> HTMLResponse:
    """The page of this template. Every value is escaped."""
    html = _TEMPLATES.get_template(f"{template}.html").render(**values)
    return HTMLResponse(html, status, {**HEADERS, **(headers or {})})


def error_page(error: AppError) -> HTMLResponse:
    """What went wrong, for somebody in front of a browser: what happened, and where to begin again."""
    return page("error", status=error.status, headers=error.headers, title=error.title, detail=error.detail)
