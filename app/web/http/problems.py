"""One place and one shape for errors: problem+json (RFC 9457)."""

import http
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app import log
from app.admin.refusals import RECORDED, record_refusal
from app.errors import AppError, BadRequest, GuardrailFailed, InvalidInput, NotFound
from app.identity.subject import Subject
from app.web.http.route_table import PAGE, SUBJECT

# Routes that change nothing, though they are not GET: a question that is refused has records of its own.
ASKING = frozenset({"/ask", "/search", *(f"/scim/v2{where}/.search" for where in ("", "/Users", "/Groups"))})


def problem(error: AppError) -> JSONResponse:
    """The response for an error. It never holds document text, a secret or a database number."""
    return _response(error.status, error.title, error.code, error.detail, error.headers)


def answer_error(scope: Scope, error: AppError) -> Response:
    """The same for whoever asks here: a page for a person in front of a browser, else the problem."""
    if scope.get(PAGE):
        make_page: Callable[[Scope, AppError], Response] = scope["app"].state.error_page
        return make_page(scope, error)
    return problem(error)


def install(app: FastAPI) -> None:
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DataError, _on_unstorable)
    app.add_exception_handler(Exception, _on_unexpected)


def _on_app_error(request: Request, error: Exception) -> Response:
    """In a thread: a refused change is recorded before it is answered, and without the record there is no answer."""
    assert isinstance(error, AppError)  # noqa: S101  # registered for this class alone
    if isinstance(error, GuardrailFailed):
        request.app.state.parts.guardrail.failed(error)
    keep_refusal(request, error)
    return _answer(request, error)


def keep_refusal(request: Request, error: BaseException | None) -> None:
    """Record the refusal of a change, if it is one that is recorded."""
    subject: Subject | None = request.scope.get(SUBJECT)
    path = str(getattr(request.scope.get("route"), "path", ""))
    changes = request.method not in {"GET", "HEAD"} and path.removeprefix("/api/v1") not in ASKING
    if isinstance(error, RECORDED) and subject is not None and changes:
        record_refusal(request.app.state.parts.database, subject, f"{request.method} {path}", error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    """Say which field is wrong and why, without repeating the value: it may hold a secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class alone
    return answer_error(request.scope, InvalidInput("; ".join(_wrong(e) for e in error.errors())))


def _wrong(error: Mapping[str, Any]) -> str:
    place = error["loc"]
    if error["type"] == "json_invalid":
        return f"{place[0]}: not valid JSON at character {place[1]}"
    name = ".".join(str(p) for p in place[1:]) or place[0]
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such field"
    # What our own validators say; the prefix is the library's.
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}"


async def _on_unstorable(request: Request, _error: Exception) -> Response:
    """A NUL, or a number beyond what a column holds: the database refuses the value, and it is the caller's."""
    return _answer(request, InvalidInput("A value holds a NUL character or a number that is out of range."))


async def _on_http(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: unknown paths look like everything else that is not there."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class alone
    if error.status_code == http.HTTPStatus.NOT_FOUND:
        return _answer(request, NotFound())
    phrase = http.HTTPStatus(error.status_code).phrase
    if _from_directory(request):
        return _scim_error(error.status_code, phrase, dict(error.headers or {}))
    if request.scope.get(PAGE):
        return answer_error(request.scope, BadRequest(phrase, headers=error.headers))
    return _response(error.status_code, phrase, phrase.title().replace(" ", ""), "", dict(error.headers or {}))


async def _on_unexpected(request: Request, error: Exception) -> Response:
    """The process edge: the log gets the kind of error, the caller nothing of it."""
    log.get().error("request.failed", error=type(error).__name__, where=log.where(error))
    if request.scope.get(PAGE):
        return answer_error(request.scope, AppError("It is our fault and has been logged."))
    return _response(500, "Something went wrong", "InternalError", "It is our fault and has been logged.", {})


def _answer(request: Request, error: AppError) -> Response:
    """The answer to whoever asks; for a provisioning service on the routes of SCIM, as SCIM has it (RFC 7644, 3.12)."""
    if not _from_directory(request):
        return answer_error(request.scope, error)
    return _scim_error(error.status, error.detail or error.title, error.headers)


def _from_directory(request: Request) -> bool:
    subject: Subject | None = request.scope.get(SUBJECT)
    return subject is not None and subject.provisions is not None and "/scim/v2/" in request.url.path


def _scim_error(status: int, detail: str, headers: Mapping[str, str]) -> JSONResponse:
    status = http.HTTPStatus.BAD_REQUEST if status == http.HTTPStatus.UNPROCESSABLE_ENTITY else status
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(int(status)), "detail": detail}
    return JSONResponse(body, status, dict(headers), media_type="application/scim+json")


def _response(status: int, title: str, code: str, detail: str, headers: dict[str, str]) -> JSONResponse:
    body = {"type": f"urn:clearance:error:{code}", "title": title, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
