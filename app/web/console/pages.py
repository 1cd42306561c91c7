"""Renders the pages: escaped, in the reader's language, under a policy that lets nothing run but our own script.

Every answer has a nonce of its own, by which the browser knows our script and htmx our attributes. Whatever else gets
into a page as HTML, by whatever hole, is inert.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.web.console.answer_text import hidden_word, model_text, plain_text
from app.web.console.assets import ICONS, SCRIPT, STYLE
from app.web.console.navigation import navigation_of
from app.web.console.text import segments
from app.web.console.translations import LANGUAGES, Translations
from app.web.console.viewer import Reader, Viewer

REPORTS = "/csp-reports"
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Vary": "HX-Request, Cookie, Accept-Language",
}


def policy(nonce: str) -> str:
    """The content security policy of an answer: our script by its nonce, our style sheet and icons, our own address."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"require-trusted-types-for 'script'; trusted-types htmx; report-uri {REPORTS}"
    )


def _environment(translations: Translations) -> Environment:
    made = Environment(
        loader=PackageLoader("app.web.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(translations.gettext, translations.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    made.filters |= {
        "segments": segments,
        "hidden_word": lambda kind: hidden_word(kind, translations),
        "model_text": lambda answer: model_text(answer, translations),
        "plain_text": lambda answer: plain_text(answer, translations),
    }
    made.filters |= {
        "date": translations.date,
        "moment": translations.moment,
        "second": translations.second,
        "number": translations.number,
    }
    made.globals |= {"style": STYLE.url, "script": SCRIPT.url, "icons": ICONS.url, "language": translations.language}
    return made


_ENVIRONMENTS: Mapping[str, Environment] = {name: _environment(found) for name, found in LANGUAGES.items()}


def page(
    viewer: Viewer,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page of this template for this viewer. Every value is escaped."""
    shown = {"viewer": viewer, "reader": viewer, "navigation": navigation_of(viewer), **values}
    return _rendered(viewer.translations, template, status, headers, shown)


def public_page(
    reader: Reader,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The same for somebody who is not known yet."""
    return _rendered(reader.translations, template, status, headers, {"viewer": None, "reader": reader, **values})


def _rendered(
    translations: Translations, template: str, status: int, headers: Mapping[str, str] | None, values: Mapping[str, Any]
) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    html = _ENVIRONMENTS[translations.language].get_template(template).render(nonce=nonce, **values)
    return HTMLResponse(html, status, {**HEADERS, "Content-Security-Policy": policy(nonce), **(headers or {})})


def go_to(viewer: Viewer, path: str) -> HTMLResponse | RedirectResponse:
    """On to another page of ours after a change, so that a reload does not make the change again."""
    if viewer.part:
        return HTMLResponse("", 200, {**HEADERS, "HX-Redirect": path})
    return RedirectResponse(path, 303, HEADERS)
