"""A browser as far as the service sees one: it keeps cookies, and says where a request comes from."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from app.web.http.credentials import csrf_token

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Browser:
    """Follows no redirect by itself. `cookies` by name, as the service has set them."""

    client: TestClient
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **given: Any) -> httpx2.Response:
        """Open an address."""
        return self.send("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx2.Response:
        """Send a form or a body from a page of the service; without its CSRF token."""
        headers = {**SAME_ORIGIN, **given.pop("headers", {})}
        return self.send("POST", path, headers=headers, **given)

    def change(self, method: str, path: str, **given: Any) -> httpx2.Response:
        """A change as a page of the service sends it, with the CSRF token of its session."""
        headers = {**SAME_ORIGIN, "X-CSRF-Token": self.csrf, **given.pop("headers", {})}
        return self.send(method, path, headers=headers, **given)

    def send(self, method: str, path: str, **given: Any) -> httpx2.Response:
        """Any request, with the cookies."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**({"Cookie": cookies} if cookies else {}), **given.pop("headers", {})}
        # The client has a jar of its own, which would mix up two browsers.
        self.client.cookies.clear()
        answer = self.client.request(method, path, headers=headers, follow_redirects=False, **given)
        for header in answer.headers.get_list("set-cookie"):
            self._keep(header)
        return answer

    @property
    def session(self) -> str | None:
        """The secret of the session."""
        return next((self.cookies[name] for name in ("clearance", "__Host-clearance") if name in self.cookies), None)

    @property
    def csrf(self) -> str:
        """The session's CSRF token, as its pages know it."""
        return csrf_token(self.session or "")

    def _keep(self, header: str) -> None:
        name, _, rest = header.partition("=")
        value, _, attributes = rest.partition(";")
        if re.search(r"max-age=0\b", attributes, re.I):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
