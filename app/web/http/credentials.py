"""What a request shows to say who sends it: one key or token in a header, or else a browser's session in a cookie."""

import base64
import hashlib
import hmac
import re
from urllib.parse import urlsplit

from starlette.types import Scope

from app.errors import CrossSiteRequest
from app.identity.api_keys import looks_like_key, looks_like_session
from app.oidc.tokens import looks_like_jwt
from app.sign_in.callers import Credential

# What changes nothing, and needs no proof that our own page sent it.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = b"x-csrf-token"
PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}")


def is_change(scope: Scope) -> bool:
    """Whether the request may change something, and so needs proof that our own page sent it."""
    return scope["method"] not in SAFE_METHODS


class Cookies:
    """The names and attributes of our cookies, which follow from where the service is reached.

    Behind HTTPS they are `__Host-` cookies: no other host can set them, and they go to no other. On plain HTTP, which
    the settings allow for this machine alone, browsers keep none of that name; then another program of this machine
    could set them, and only then.
    """

    def __init__(self, public_url: str) -> None:
        self.origin = public_url
        self.secure = urlsplit(public_url).scheme == "https"
        self.session = "__Host-clearance" if self.secure else "clearance"
        # The secret of a browser that has begun to sign in.
        self.browser = "__Host-clearance-browser" if self.secure else "clearance-browser"

    def header(self, name: str, value: str, *, seconds: int | None) -> str:
        """The value of a Set-Cookie header; `seconds` None: as long as the browser runs, 0: gone."""
        parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.secure:
            parts.append("Secure")
        if seconds is not None:
            parts.append(f"Max-Age={seconds}")
        return "; ".join(parts)

    def read(self, scope: Scope, name: str) -> str | None:
        """The value of our cookie; None if there is none, or two of one name, of which neither may win."""
        found = [
            pair.partition("=")[2].strip()
            for header in given(scope, b"cookie")
            for pair in header.split(";")
            if pair.partition("=")[0].strip() == name
        ]
        return found[0] if len(found) == 1 else None


def read_credential(scope: Scope, cookies: Cookies) -> Credential:
    """What the request shows. A header wins over the cookie, which browsers send unasked.

    Two keys, or two tokens of delegations, are one too many, and neither may win.
    """
    headers, tokens = given(scope, b"authorization"), given(scope, b"clearance-on-behalf-of")
    if len(headers) > 1 or len(tokens) > 1:
        return Credential("wrong", reason="more than one key")
    if headers:
        return _of_header(headers[0], tokens[0] if tokens else None)
    if tokens:
        return Credential("wrong", reason="no key")
    secret = cookies.read(scope, cookies.session)
    return Credential("none") if secret is None or not looks_like_session(secret) else Credential("session", secret)


def _of_header(header: str, token: str | None) -> Credential:
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if PLACEHOLDER.search(secret):
        return Credential("wrong", reason="a placeholder that the client did not fill in")
    if scheme.lower() == "bearer" and looks_like_key(secret):
        return Credential("key", secret, token)
    if scheme.lower() == "bearer" and token is None and looks_like_jwt(secret):
        return Credential("token", secret)
    return Credential("wrong", reason="no key")


def csrf_token(session_secret: str) -> str:
    """What a page of ours sends along with a change: made from the session's secret, which no page can read."""
    mac = hmac.new(session_secret.encode(), b"clearance csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def require_own_page(scope: Scope, cookies: Cookies, session_secret: str, *, form_token: str | None = None) -> None:
    """Raise CrossSiteRequest unless a page of this site sent this change, and knows the session's CSRF token.

    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; a change that says neither is
    refused. `form_token` is the token out of a form, in the place of the header.
    """
    require_same_origin(scope, cookies)
    sent = given(scope, CSRF_HEADER)
    token = form_token if form_token is not None else sent[0] if len(sent) == 1 else ""
    if not hmac.compare_digest(token.encode(), csrf_token(session_secret).encode()):
        raise CrossSiteRequest


def require_same_origin(scope: Scope, cookies: Cookies) -> None:
    """Raise CrossSiteRequest unless a page of this site sent the request, as the browser says."""
    sites, origins = given(scope, b"sec-fetch-site"), given(scope, b"origin")
    if (sites != ["same-origin"]) if sites else (origins != [cookies.origin]):
        raise CrossSiteRequest


def given(scope: Scope, header: bytes) -> list[str]:
    """The values of all headers of this name."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]
