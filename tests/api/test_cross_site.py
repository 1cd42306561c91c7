"""No page but our own changes anything in a browser's session: asked of every changing route of the application."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from app.main import create_routes
from app.web.http.credentials import csrf_token
from app.web.http.route_table import SIGN_IN
from tests.api.access_plans import everything
from tests.api.problems import check_problem
from tests.support.browsers import ORIGIN, Browser, signed_in
from tests.support.company import Company

SAFE = {"GET", "HEAD", "OPTIONS"}
Headers = Mapping[str, str]


def changing_routes() -> Iterator[tuple[str, str]]:
    """Method and a path of every route that may change something, but for those where people sign in and out."""
    for context in iter_route_contexts(create_routes().routes):
        if isinstance(context.original_route, APIRoute) and str(context.path) not in SIGN_IN:
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
        check_problem(answer, 403, "CrossSiteRequest")
        bodies.add(answer.content)
    assert len(bodies) == 1
    assert everything(company) == before
    records = [r for r in company.records("signin.refused") if r["reason"] == "sent from another site"]
    assert records
    assert root.me().status_code == 200


def test_the_same_from_our_own_page_goes_on(client: TestClient, company: Company) -> None:
    """The refusals above are no refusals of everything: the same requests come as far as their routes."""
    codes = {}
    for headers in (SAME, {"Origin": ORIGIN}):
        for method, path in ROUTES:
            root = signed_in(client, company, "admin")
            answer = root.send(method, path, headers={**headers, "X-CSRF-Token": csrf_token(root.secret)})
            codes[method, path] = answer.json().get("code") if answer.content else None
    assert "CrossSiteRequest" not in codes.values()
    assert "NotSignedIn" not in codes.values()


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
