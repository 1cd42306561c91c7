"""What the pages load: one style sheet, one script, one file of icons, each under a name that its content decides.

The parts are joined when the service starts. A name stands for its content for ever, so browsers keep what they have.
Static files alone are compressed: a page holds a secret beside words that somebody else may choose.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.errors import NotFound

STATIC = Path(__file__).parent / "static"
STYLES = (
    "tokens",
    "base",
    "frame",
    "controls",
    "lists",
    "answer",
    "document",
    "library",
    "company",
    "evidence",
    "print",
)
# Pinned: tests hold them against the published sums.
VENDORED = ("vendor/htmx-4.0.1.min", "vendor/hx-csp-4.0.1.min")
SCRIPTS = (*VENDORED, "console", "answers", "keyboard", "passkeys", "upload")
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent. `name` has the beginning of its SHA-256 in it."""

    name: str
    media_type: str
    body: bytes
    packed: bytes

    @property
    def url(self) -> str:
        return f"/static/{self.name}"


def _static_file(stem: str, suffix: str, media_type: str, body: bytes) -> StaticFile:
    digest = hashlib.sha256(body).hexdigest()[:16]
    return StaticFile(f"{stem}.{digest}.{suffix}", media_type, body, gzip.compress(body, 9, mtime=0))


def _joined(names: tuple[str, ...], suffix: str) -> bytes:
    return b"\n".join((STATIC / f"{name}.{suffix}").read_bytes() for name in names)


STYLE = _static_file("console", "css", "text/css; charset=utf-8", _joined(STYLES, "css"))
SCRIPT = _static_file("console", "js", "text/javascript; charset=utf-8", _joined(SCRIPTS, "js"))
ICONS = _static_file("icons", "svg", "image/svg+xml", (STATIC / "icons.svg").read_bytes())
FILES: Mapping[str, StaticFile] = {file.name: file for file in (STYLE, SCRIPT, ICONS)}


@router.get("/static/{name}")
def static_file(request: Request, name: str) -> Response:
    """A file of the pages, under the name that they give."""
    file = FILES.get(name)
    if file is None:
        raise NotFound
    headers = {"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.body, headers=headers, media_type=file.media_type)
    headers["Content-Encoding"] = "gzip"
    return Response(file.packed, headers=headers, media_type=file.media_type)
