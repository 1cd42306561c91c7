"""The API's own pages: interactive documentation that loads nothing from outside."""

import importlib.util
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

STATIC = "/api/v1/docs/static"
# The page may load from us alone; its one inline script is FastAPI's.
POLICY = "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
POLICY += "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def documentation() -> HTMLResponse:
    """Every route, to read and to try."""
    page = get_swagger_ui_html(
        openapi_url="/api/v1/openapi.json",
        title="Clearance API",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )
    page.headers["Content-Security-Policy"] = POLICY
    return page


def mount_static(app: FastAPI) -> None:
    """Serve Swagger UI's files out of the package that carries them; the package's code is not used."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package fastapi-offline is not installed: install from requirements.lock")
    app.mount(STATIC, StaticFiles(directory=Path(spec.origin).parent / "static"), name="docs-static")
