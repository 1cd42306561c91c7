"""A browser in this process: its own cookies, and the headers that browsers send, rightly or as it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi.testclient import TestClient
from httpx2 import Response

from app.web.http.credentials import csrf_token
from tests.support.company import Company

ORIGIN = "http://localhost:8700"
SESSION, BROWSER = "clearance", "clearance-browser"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Browser:
    """One browser of the service behind `client`. `set_cookies` are the headers of the last answer."""

    client: TestClient
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    @property
    def secret(self) -> str:
        """The secret of the session, which only the browser and tests know."""
        return str(self.cookies[SESSION])

    @property
    def csrf(self) -> dict[str, str]:
        """What a page of ours sends along with a change."""
        return SAME_ORIGIN | {"X-CSRF-Token": csrf_token(self.secret)}

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
        """A request with this browser's cookies; as from a page of ours, unless headers are given."""
        given = headers if headers is not None else (self.csrf if SESSION in self.cookies else SAME_ORIGIN)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **given}
        answer: Response = self.client.request(method, path, headers=sent, follow_redirects=False, **more)
        self.client.cookies.clear()
        self.set_cookies = answer.headers.get_list("set-cookie")
        for header in self.set_cookies:
            for name, morsel in SimpleCookie(header).items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value
        return answer

    def submit(self, path: str, *, part: bool = False, **fields: Any) -> Response:
        """Send a form of ours; `part`: as our script does, which wants no whole page."""
        headers = SAME_ORIGIN | ({"HX-Request": "true"} if part else {})
        return self.send("POST", path, headers=headers, data={**fields, "csrf": self.form_token})

    @property
    def session(self) -> str | None:
        """The same secret, or None for nobody."""
        return self.cookies.get(SESSION)

    @property
    def form_token(self) -> str:
        """What a form of ours carries in a field."""
        return csrf_token(self.session or "")

    def get(self, path: str, **more: Any) -> Response:
        """Open an address."""
        return self.send("GET", path, **more)

    def post(self, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
        """Send a form from a page of ours, whose token is in a field."""
        return self.send("POST", path, headers={**SAME_ORIGIN, **(headers or {})}, **more)

    def me(self) -> Response:
        """Who this browser is signed in as."""
        return self.send("GET", "/api/v1/users/me")


def make_link(client: TestClient, company: Company, name: str, *, by: str = "root", loopback: bool = False) -> str:
    """The token of a new link for this person."""
    answer = client.post(f"/api/v1/users/{name}/links", json={"loopback": loopback}, headers=company.headers(by))
    assert answer.status_code == 201, answer.text
    url = urlsplit(answer.json()["url"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ORIGIN}/sign-in/link"
    return str(parse_qs(url.query)["token"][0])


def follow(browser: Browser, token: str) -> Response:
    """Press the button on the page of a link."""
    return browser.send("POST", "/sign-in/link", data={"token": token}, headers=SAME_ORIGIN)


def signed_in(client: TestClient, company: Company, name: str) -> Browser:
    """A browser in which this person is signed in."""
    browser = Browser(client)
    answer = follow(browser, make_link(client, company, name))
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
    return browser
