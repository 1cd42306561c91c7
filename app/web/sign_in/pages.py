"""The few pages around signing in, which look like those of the console and are for nobody who is known yet."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.errors import AppError
from app.web.console.pages import HEADERS, public_page
from app.web.console.viewer import reader_of

__all__ = ["HEADERS", "error_page", "page"]


def page(request: Request, template: str, values: Mapping[str, Any]) -> HTMLResponse:
    """The page of this template, in the language of this browser."""
    return public_page(reader_of(request), f"sign_in/{template}.html", values)


def error_page(request: Request, error: AppError) -> HTMLResponse:
    """What went wrong, for somebody in front of a browser: what happened, and where to begin again."""
    reader = reader_of(request)
    text = reader.translations.gettext
    values = {"title": text(error.title), "detail": text(error.detail) if error.detail else "", "code": error.code}
    return public_page(reader, "sign_in/error.html", values, status=error.status, headers=error.headers)
