"""No page but our own changes anything in a browser's session: asked of every changing route of the application."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response

from app.main import create_routes
from app.web.http.credentials import csrf_token
from app.web.http.route_table import PUBLIC
from tests.api.access_plans import everything
from tests.api.problems import check_problem, error_code
from tests.support.browsers import ORIGIN, Browser, signed_in
from tests.support.company import Company

SAFE = {"GET", "HEAD", "OPTIONS"}
Headers = Mapping[str, str]


def changing_routes() -> Iterator[tuple[str, str]]:
    """Method and a path of every route that may change something, but for those where people sign in and out."""
    for context in iter_route_contexts(create_routes().routes):
        if isinstance(context.original_route, APIRoute) and str(context.path) not in PUBLIC:
            path = re.sub(r"\{(\w+)(:\w+)?\}", "ada", str(context.path))
            yield from ((method, path) for method in sorted(set(context.methods or ()) - SAFE))


ROUTES = sorted(set(changing_routes()))
SAME = {"Sec-Fetch-Site": "same-origin"}
# What a request says, given the right token and that of another session.
ATTACKS: dict[str, Callable[[str, str], Headers]] = {
    "no token": lambda _own, _other: SAME,
    "empty token": lambda _own, _other: SAME | {"X-CSRF-Token": ""},
    "wrong token": lambda _own, _other: SAME | {"X-CSRF-Token": "x" * 43},
    "another session's token": lambda _own, other: SAME | {"X-CSRF-Token": other},
    "another site": lambda own, _other: {"X-CSRF-Token": own, "Sec-Fetch-Site": "cross-site"},
    "another name of the site": lambda own, _other: {"X-CSRF-Token": own, "Sec-Fetch-Site": "same-site"},
    "no page at all": lambda own, _other: {"X-CSRF-Token": own, "Sec-Fetch-Site": "none"},
    "another site with our origin": lambda own, _other: {
        "X-CSRF-Token": own, "Sec-Fetch-Site": "cross-site", "Origin": ORIGIN,
    },
    "a foreign origin": lambda own, _other: {"X-CSRF-Token": own, "Origin": "https://evil.example"},
    "the origin of another port": lambda own, _other: {"X-CSRF-Token": own, "Origin": "http://localhost:8701"},
    "no origin": lambda own, _other: {"X-CSRF-Token": own, "Origin": "null"},
    "nothing that says from where": lambda own, _other: {"X-CSRF-Token": own},
}  # fmt: skip


def test_the_routes_are_those_of_the_application() -> None:
    assert len(ROUTES) > 40
    assert ("POST", "/api/v1/keys") in ROUTES
    assert ("POST", "/api/v1/ask") in ROUTES


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_change_from_elsewhere(client: TestClient, company: Company, attack: str) -> None:
    """Refused before anything of the request is read: without a body, which most of these routes need."""
    root, other = signed_in(client, company, "admin"), signed_in(client, company, "admin")
    headers = ATTACKS[attack](csrf_token(root.secret), csrf_token(other.secret))
    before = everything(company)
    bodies = set()
    for method, path in ROUTES:
        answer = root.send(method, path, headers=headers)
        check_refused(answer, path)
        if path.startswith(("/api/", "/scim/")):
            bodies.add(answer.content)
    assert len(bodies) == 1
    assert everything(company) == before
    records = [r for r in company.records("signin.refused") if r["reason"] == "sent from another site"]
    assert records
    assert root.me().status_code == 200


def check_refused(answer: Response, path: str) -> None:
    """Refused as coming from another site: with a problem, or on a page."""
    if path.startswith(("/api/", "/scim/")):
        check_problem(answer, 403, "CrossSiteRequest")
    else:
        assert (answer.status_code, error_code(answer)) == (403, "CrossSiteRequest"), path


# What the form of a page says, given the right token and that of another session.
FORMS: dict[str, Callable[[str, str], str]] = {
    "no token": lambda _own, _other: "x=1",
    "empty token": lambda _own, _other: "csrf=",
    "wrong token": lambda _own, _other: f"csrf={'x' * 43}",
    "another session's token": lambda _own, other: f"csrf={other}",
    "two tokens": lambda own, other: f"csrf={own}&csrf={other}",
    "the token under another name": lambda own, _other: f"CSRF={own}",
}  # fmt: skip
PAGES = [route for route in ROUTES if not route[1].startswith(("/api/", "/scim/"))]


@pytest.mark.parametrize("attack", FORMS)
def test_no_form_without_the_token_of_this_session(client: TestClient, company: Company, attack: str) -> None:
    """A form carries its token as a field. The right one in a header does not help a form that has a wrong one."""
    root, other = signed_in(client, company, "admin"), signed_in(client, company, "admin")
    body = FORMS[attack](csrf_token(root.secret), csrf_token(other.secret))
    before = everything(company)
    assert len(PAGES) > 10
    for method, path in PAGES:
        headers = {**SAME, "Content-Type": "application/x-www-form-urlencoded"}
        check_refused(root.send(method, path, headers=headers, content=body), path)
        headers["X-CSRF-Token"] = csrf_token(root.secret)
        check_refused(root.send(method, path, headers=headers, content=body), path)
    assert everything(company) == before


def test_a_form_from_elsewhere_is_refused_with_the_right_token(client: TestClient, company: Company) -> None:
    root = signed_in(client, company, "admin")
    body = f"csrf={csrf_token(root.secret)}"
    for where in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        for method, path in PAGES:
            headers = {**where, "Content-Type": "application/x-www-form-urlencoded"}
            check_refused(root.send(method, path, headers=headers, content=body), path)


def test_the_same_from_our_own_page_goes_on(client: TestClient, company: Company) -> None:
    """The refusals above are no refusals of everything: the same requests come as far as their routes."""
    codes = {}
    for headers in (SAME, {"Origin": ORIGIN}):
        for method, path in ROUTES:
            root = signed_in(client, company, "admin")
            answer = root.send(method, path, headers={**headers, "X-CSRF-Token": csrf_token(root.secret)})
            codes[method, path] = error_code(answer)
    assert "CrossSiteRequest" not in codes.values()
    assert "NotSignedIn" not in codes.values()


def test_a_form_of_ours_goes_on_with_its_token_as_a_field(client: TestClient, company: Company) -> None:
    for method, path in PAGES:
        root = signed_in(client, company, "admin")
        headers = {**SAME, "Content-Type": "application/x-www-form-urlencoded"}
        answer = root.send(method, path, headers=headers, content=f"csrf={csrf_token(root.secret)}")
        assert error_code(answer) not in {"CrossSiteRequest", "NotSignedIn"}, path


def test_a_path_that_no_route_answers_is_refused_too(client: TestClient, company: Company) -> None:
    root = signed_in(client, company, "admin")
    for path in ("/api/v1/nothing", "/nothing"):
        check_problem(root.send("POST", path, headers={}), 403, "CrossSiteRequest")


def test_reading_needs_no_token(client: TestClient, company: Company) -> None:
    """Else no link to a page of ours could be followed."""
    ada = signed_in(client, company, "ada")
    answer = ada.send("GET", "/api/v1/users/me", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


def test_no_other_site_may_read_what_we_answer(client: TestClient, company: Company) -> None:
    """Browsers give an answer to another site's script where a header allows it, and there is none."""
    ada = signed_in(client, company, "ada")
    for method, path in (("GET", "/api/v1/users/me"), ("OPTIONS", "/api/v1/keys"), ("GET", "/sign-in")):
        answer = ada.send(method, path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_token_says_nothing_of_the_session(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    token = csrf_token(ada.secret)
    assert token not in ada.secret
    assert token in ada.send("GET", "/").text
    assert ada.secret not in ada.send("GET", "/").text


def test_nobody_signed_in_is_asked_for_no_token(client: TestClient) -> None:
    """Without a session there is nothing to ride on: the refusal is that of anybody."""
    check_problem(Browser(client).send("POST", "/api/v1/keys", headers={}), 401, "NotSignedIn")
