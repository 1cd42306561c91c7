"""What went wrong, on a page: in the words of the API, with what to do next. Hidden and absent look the same."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.types import Scope

from app.errors import AppError, NotFound, NotSignedIn
from app.identity.subject import Subject
from app.web.console.pages import HEADERS, page, public_page
from app.web.console.viewer import Reader, Viewer, is_part, reader_of, viewer_of
from app.web.http.credentials import SAFE_METHODS
from app.web.http.route_table import SUBJECT


def error_page(scope: Scope, error: AppError) -> Response:
    """The page of an error. Who has no session is led to the sign-in, and from there back to where they were."""
    request = Request(scope)
    part = is_part(request)
    if isinstance(error, NotSignedIn):
        return _signed_out(request, error, part=part)
    subject: Subject | None = scope.get(SUBJECT)
    reader = reader_of(request)
    template = "parts/error.html" if part else "error.html"
    # A form that is refused keeps what was typed: only the notice above it is replaced.
    headers = {**error.headers, **({"HX-Retarget": "#notices", "HX-Reswap": "innerHTML show:top"} if part else {})}
    if subject is None or subject.via is not None or subject.provisions is not None:
        return public_page(reader, template, _words(reader, error), status=error.status, headers=headers)
    viewer = viewer_of(request, subject)
    return page(viewer, template, _words(viewer, error), status=error.status, headers=headers)


def _words(reader: Reader | Viewer, error: AppError) -> dict[str, object]:
    text = reader.translations.gettext
    return {
        "code": error.code,
        "missing": isinstance(error, NotFound),
        "title": text(error.title),
        "detail": text(error.detail) if error.detail else "",
    }


def _signed_out(request: Request, error: AppError, *, part: bool) -> Response:
    """To the sign-in and back; a form is told that it is kept, since what was typed must not be lost."""
    to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method in SAFE_METHODS and not part:
        return RedirectResponse(f"/sign-in?return_to={quote(to, safe='')}", 303, HEADERS)
    headers = {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML show:top"} if part else {}
    template = "parts/signed_out.html" if part else "signed_out.html"
    return public_page(reader_of(request), template, {}, status=error.status, headers=headers)
