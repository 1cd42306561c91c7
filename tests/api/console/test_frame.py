"""What holds for every page: its policy, who gets it, where somebody who is not signed in is led, languages, files."""

import gzip
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from app.main import create_routes
from app.web.console.assets import FILES, SCRIPT, STYLE
from app.web.http.route_table import CONSOLE
from tests.api.problems import ABSENT, check_page, error_code
from tests.support.browsers import SAME_ORIGIN, Browser, signed_in
from tests.support.company import Company

HTML = {"Accept": "text/html"}
NONCE = re.compile(r"'nonce-([\w-]{22})'")


def pages(method: str) -> Iterator[str]:
    """The addresses of the console with this method; what they name is nothing."""
    for context in iter_route_contexts(create_routes().routes):
        is_page = isinstance(context.original_route, APIRoute) and CONSOLE in (context.tags or ())
        if is_page and method in (context.methods or ()):
            yield re.sub(r"\{\w+\}", str(ABSENT), str(context.path))


LOOKED_AT, SENT = sorted(set(pages("GET"))), sorted(set(pages("POST")))


def plain(html: str) -> str:
    return re.sub(r'nonce="[\w-]{22}"', "", html)


@pytest.fixture
def root(client: TestClient, company: Company) -> Browser:
    return signed_in(client, company, "admin")


@pytest.mark.changes_nothing
@pytest.mark.parametrize("path", LOOKED_AT)
def test_every_page_has_the_policy_and_stays_nowhere(root: Browser, path: str) -> None:
    """Also those that say that there is nothing."""
    answer = root.send("GET", path)
    assert answer.status_code in {200, 403, 404}, path
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert (
        answer.headers["cross-origin-resource-policy"] == answer.headers["cross-origin-opener-policy"] == "same-origin"
    )
    assert answer.headers["referrer-policy"] == "no-referrer"
    nonce = NONCE.search(policy)
    again = NONCE.search(root.send("GET", path).headers["content-security-policy"])
    assert nonce is not None
    assert again is not None
    assert nonce[1] != again[1], "a nonce is of one answer"
    assert set(re.findall(r'nonce="([^"]*)"', answer.text)) == {nonce[1]}


@pytest.mark.changes_nothing
@pytest.mark.parametrize("path", LOOKED_AT)
def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=HTML, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?return_to=" + path.replace("/", "%2F")
    assert answer.headers["cache-control"] == "no-store"
    part = client.get(path, headers={"HX-Request": "true"}, follow_redirects=False)
    assert part.status_code == 401
    assert "Your session is over." in part.text
    assert part.headers["hx-retarget"] == "#notices"


@pytest.mark.changes_nothing
@pytest.mark.parametrize("path", SENT)
def test_a_form_of_nobody_changes_nothing_and_loses_nothing(client: TestClient, path: str) -> None:
    answer = client.post(path, data={"question": "What was it?"}, headers=SAME_ORIGIN, follow_redirects=False)
    assert answer.status_code == 401
    assert "Your session is over" in answer.text


def test_what_is_no_page_is_a_page_for_a_person_and_a_problem_for_a_program(root: Browser, client: TestClient) -> None:
    check_page(root.send("GET", "/nothing/here", headers={**SAME_ORIGIN, **HTML}), 404, "NotFound")
    assert root.send("GET", "/nothing/here").headers["content-type"] == "application/problem+json"
    assert root.send("GET", "/api/v1/nothing", headers=HTML).headers["content-type"] == "application/problem+json"
    away = client.get("/nothing/here", headers=HTML, follow_redirects=False)
    assert away.headers["location"] == "/sign-in?return_to=%2Fnothing%2Fhere"


def test_an_error_of_ours_is_a_page_without_a_word_of_it(root: Browser, client: TestClient) -> None:
    answer = root.send("GET", "/documents?after=nothing")
    check_page(answer, 404, "NotFound")
    twice = root.send("GET", "/search?q=a&q=b")
    check_page(twice, 422, "InvalidInput")
    part = root.send("GET", "/search?q=a&since=x", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-retarget"]) == (422, "#notices")
    assert "<html" not in part.text


def test_a_part_is_never_taken_for_a_page(root: Browser) -> None:
    """A browser that goes back asks for the whole page again, and no cache may give it the part."""
    whole, part = (root.send("GET", "/search", headers=h) for h in ({}, {"HX-Request": "true"}))
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "HX-Request" in whole.headers["vary"]
    back = root.send("GET", "/search", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert plain(back.text) == plain(whole.text)


def test_the_page_speaks_the_language_that_is_asked_for_or_chosen(root: Browser) -> None:
    asked = root.send("GET", "/me", headers={"Accept-Language": "de-DE,de;q=0.9"})
    assert '<html lang="de"' in asked.text
    assert '<html lang="en"' in root.send("GET", "/me").text
    chosen = root.submit("/me/preferences", language="de", theme="dark")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/me#preferences")
    page = root.send("GET", "/me").text
    assert '<html lang="de" data-theme="dark"' in page
    assert 'data-shortcuts="off"' in page


def test_only_what_somebody_can_do_is_shown(client: TestClient, company: Company) -> None:
    """Each place of the navigation opens for whoever sees it."""
    for name in ("ada", "cleo", "audrey", "nora", "admin"):
        browser = signed_in(client, company, name)
        navigation = browser.send("GET", "/me").text.split('id="navigation"')[1].split("</nav>")[0]
        for path in re.findall(r'href="([^"]+)"', navigation):
            answer = browser.send("GET", path)
            assert (answer.status_code, error_code(answer)) == (200, None), (name, path)


def test_files_have_names_that_change_with_them_and_nothing_else_is_served(client: TestClient) -> None:
    for file in FILES.values():
        answer = client.get(file.url, headers={"Accept-Encoding": "identity"})
        assert answer.content == file.body
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        packed = client.get(file.url, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(file.packed) == packed.content == file.body
    for name in ("console.css", "..%2fassets.py", "console.0.js", STYLE.name + "x"):
        assert client.get(f"/static/{name}").status_code in {401, 404}


def test_the_first_page_is_light(root: Browser) -> None:
    """40 KB in four requests: what a phone loads before anything can be typed."""
    html = len(root.send("GET", "/").content)
    assert html + sum(len(file.packed) for file in FILES.values()) <= 40_000
    page = root.send("GET", "/").text
    assert set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page)) == {file.url for file in FILES.values()}
    assert page.count("<script") == 1
    assert SCRIPT.url in page


def test_reports_of_browsers_are_counted_by_what_we_know(client: TestClient) -> None:
    bodies: list[object] = [
        {"csp-report": {"effective-directive": "script-src-elem"}},
        {"csp-report": {"violated-directive": "img-src 'self'"}},
        {"csp-report": {"effective-directive": "made up by somebody" * 1_000}},
        {"csp-report": ["x"]},
        [],
    ]
    for body in bodies:
        assert client.post("/csp-reports", json=body).status_code == 204
    assert client.post("/csp-reports", content=b"\xff{").status_code == 204
    key = {"Authorization": "Bearer metrics-key-of-the-tests"}
    lines = [line for line in client.get("/metrics", headers=key).text.splitlines() if "policy_reports_total{" in line]
    assert sorted(lines) == [
        'clearance_policy_reports_total{directive="img-src"} 1.0',
        'clearance_policy_reports_total{directive="other"} 4.0',
        'clearance_policy_reports_total{directive="script-src-elem"} 1.0',
    ]
