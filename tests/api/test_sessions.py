"""Sessions of browsers: how they begin, who sees and ends them, when they are over, and what a cookie is worth."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.session import Database
from app.settings import SignInSettings
from app.sign_in.callers import Credential
from app.web.http.credentials import csrf_token
from tests.api.problems import ABSENT, check_problem
from tests.support.browsers import BROWSER, SAME_ORIGIN, SESSION, Browser, follow, make_link, signed_in
from tests.support.company import Company, administering
from tests.support.service import client_of, parts_of

SESSIONS = "/api/v1/sessions"
KEYS = "/api/v1/keys"


@pytest.fixture
def ada(client: TestClient, company: Company) -> Browser:
    return signed_in(client, company, "ada")


def over(browser: Browser) -> bool:
    """Whether the browser is signed in no more."""
    answer = browser.me()
    if answer.status_code == 401:
        check_problem(answer, 401, "NotSignedIn")
        return True
    return False


def in_days(days: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).isoformat()


def test_a_session_is_its_person(ada: Browser, company: Company) -> None:
    me = ada.me().json()
    assert (me["name"], me["capabilities"]) == ("ada", ["ask", "download"])
    [listed] = ada.send("GET", SESSIONS).json()
    assert (listed["user"], listed["means"], listed["current"], listed["address"]) == (
        "ada", "link", True, "testclient",
    )  # fmt: skip
    assert listed["prefix"].startswith("cls_")
    assert ada.secret not in str(listed)
    [started] = company.records("session.started")
    assert (started["means"], started["session"], started["actor"]["name"]) == ("link", listed["prefix"], "ada")
    assert company.rows("select hash from sign_in_session")[0]["hash"] != ada.secret.encode()


def test_the_cookie_is_for_the_server_alone(ada: Browser) -> None:
    [session] = [header for header in ada.set_cookies if header.startswith(f"{SESSION}=cls_")]
    assert session.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=43200"]


def test_behind_https_the_cookie_goes_to_this_host_alone(company: Company) -> None:
    parts = parts_of(company.db)
    settings = parts.settings.model_copy(update={"sign_in": SignInSettings(public_url="https://clearance.example")})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        made = client.post("/api/v1/users/ada/links", json={}, headers=company.headers("root")).json()
        address, _, token = made["url"].partition("?token=")
        assert address == "https://clearance.example/sign-in/link"
        browser = Browser(client)
        assert follow(browser, token).status_code == 303
        [session] = [header for header in browser.set_cookies if "=cls_" in header]
        name, *attributes = session.split("; ")
        assert name.startswith("__Host-clearance=")
        assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=43200"}
        assert browser.send("GET", "/api/v1/users/me", headers={}).status_code == 200
        # Under the name that anybody on the network could set it is nobody's.
        plain = Browser(client, {SESSION: browser.cookies["__Host-clearance"]})
        check_problem(plain.send("GET", "/api/v1/users/me", headers={}), 401, "NotSignedIn")


def test_it_is_over_when_it_is_idle(ada: Browser, company: Company) -> None:
    assert not over(ada)
    company.execute("update sign_in_session set idle_until = now()")
    assert over(ada)
    assert ada.send("GET", "/").headers["location"] == "/sign-in?return_to=%2F"


def test_use_keeps_it_alive_up_to_its_end(ada: Browser, company: Company) -> None:
    company.execute("update sign_in_session set idle_until = now() + interval '1 minute'")
    assert not over(ada)
    [row] = company.rows("select idle_until - now() as left, expires_at from sign_in_session")
    assert row["left"] > dt.timedelta(minutes=59)
    company.execute(
        "update sign_in_session set idle_until = now() + interval '1 minute', expires_at = now() + interval '2 minutes'"
    )
    assert not over(ada)
    [row] = company.rows("select idle_until = expires_at as held from sign_in_session")
    assert row["held"], "its idle end went beyond its end"


def test_it_is_over_at_its_end_however_busy(ada: Browser, company: Company) -> None:
    company.execute("update sign_in_session set idle_until = now(), expires_at = now()")
    assert over(ada)


def test_each_sign_in_has_a_new_secret_and_ends_the_one_before(
    client: TestClient, company: Company, ada: Browser
) -> None:
    """A secret that somebody planted or saw before is worth nothing afterwards."""
    before = ada.secret
    follow(ada, make_link(client, company, "ada"))
    assert ada.secret != before
    assert over(Browser(client, {SESSION: before}))
    assert not over(ada)
    assert company.records("session.ended")[0]["cause"] == "replaced"


def test_a_planted_cookie_is_not_taken_over(client: TestClient, company: Company) -> None:
    planted = "cls_abcdefgh_" + "x" * 43
    browser = Browser(client, {SESSION: planted})
    follow(browser, make_link(client, company, "ada"))
    assert browser.secret != planted
    assert over(Browser(client, {SESSION: planted}))


def test_signing_in_as_somebody_else_leaves_their_session_alone(
    client: TestClient, company: Company, ada: Browser
) -> None:
    """Whose secret a browser shows is not shown to be theirs: it is no reason to end it in their name."""
    ada_elsewhere = Browser(client, dict(ada.cookies))
    follow(ada, make_link(client, company, "ben"))
    assert ada.me().json()["name"] == "ben"
    assert ada_elsewhere.me().json()["name"] == "ada"


def test_one_lists_and_ends_ones_own(client: TestClient, company: Company, ada: Browser) -> None:
    other = signed_in(client, company, "ada")
    listed = ada.send("GET", SESSIONS).json()
    assert [each["current"] for each in listed] == [True, False]
    assert ada.send("DELETE", f"{SESSIONS}/{listed[1]['id']}").status_code == 204
    assert over(other)
    assert not over(ada)
    check_problem(ada.send("DELETE", f"{SESSIONS}/{listed[1]['id']}"), 404, "NotFound")
    [ended] = company.records("session.ended")
    assert (ended["session"], ended["cause"], ended["actor"]["key"]) == (
        listed[1]["prefix"], "signed out", listed[0]["prefix"],
    )  # fmt: skip


def test_administrators_end_those_of_others(client: TestClient, company: Company, ada: Browser) -> None:
    root = company.headers("root")
    assert client.get(SESSIONS, headers=root).json() == []
    [listed] = client.get(SESSIONS, params={"user": "ada"}, headers=root).json()
    assert client.delete(f"{SESSIONS}/{listed['id']}", headers=root).status_code == 204
    assert over(ada)
    assert company.records("session.ended")[0]["cause"] == "by an administrator"


def test_nobody_else_sees_or_ends_them(client: TestClient, company: Company, ada: Browser) -> None:
    """What is hidden looks like what is not there."""
    [listed] = ada.send("GET", SESSIONS).json()
    ben = signed_in(client, company, "ben")
    assert [each["user"] for each in ben.send("GET", SESSIONS).json()] == ["ben"]
    told = [ben.send("GET", f"{SESSIONS}?user={name}") for name in ("ada", "nobody")]
    ended = [ben.send("DELETE", f"{SESSIONS}/{number}") for number in (listed["id"], ABSENT, "none")]
    out = [ben.send("DELETE", f"/api/v1/users/{name}/sessions") for name in ("ada", "nobody")]
    for answers, status, code in (
        (told, 403, "MissingCapability"),
        (ended, 404, "NotFound"),
        (out, 403, "MissingCapability"),
    ):
        for answer in answers:
            check_problem(answer, status, code)
        assert len({answer.content for answer in answers}) == 1
    assert not over(ada)


def test_sign_out_ends_this_one(client: TestClient, company: Company, ada: Browser) -> None:
    other = signed_in(client, company, "ada")
    kept = ada.secret
    answer = ada.send("POST", "/sign-out", data={"csrf": csrf_token(ada.secret)}, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?notice=signed-out")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert SESSION not in ada.cookies
    assert over(Browser(client, {SESSION: kept}))
    assert not over(other)


@pytest.mark.parametrize("how", ["no token", "wrong token", "another site"])
def test_sign_out_takes_our_own_page(ada: Browser, how: str) -> None:
    sent = {"data": {"csrf": "wrong"}} if how == "wrong token" else {}
    headers = {"Sec-Fetch-Site": "cross-site"} if how == "another site" else SAME_ORIGIN
    if how == "another site":
        sent = {"data": {"csrf": csrf_token(ada.secret)}}
    assert ada.send("POST", "/sign-out", headers=headers, **sent).status_code == 403
    assert not over(ada)


def test_another_site_takes_no_cookie_away(client: TestClient) -> None:
    """Its form comes without our cookie; the answer must not clear it."""
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/sign-out", headers=headers, follow_redirects=False)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert "clear-site-data" not in answer.headers
    assert client.post("/sign-out", headers=SAME_ORIGIN, follow_redirects=False).status_code == 303


def test_signing_out_everywhere(client: TestClient, company: Company, ada: Browser) -> None:
    """All sessions, and what a provider gave out before: a token says when it was made."""
    other = signed_in(client, company, "ada")
    answer = ada.send("DELETE", "/api/v1/users/ada/sessions")
    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    assert over(ada)
    assert over(other)
    [row] = company.rows("select tokens_after > now() - interval '1 minute' as fresh from app_user where name = 'ada'")
    assert row["fresh"]
    again = signed_in(client, company, "ada")
    root = company.headers("root")
    assert client.delete("/api/v1/users/ada/sessions", headers=root).json() == {"ended": 1}
    assert over(again)
    check_problem(client.delete("/api/v1/users/nobody/sessions", headers=root), 404, "NotFound")


def test_whoever_is_switched_off_is_out_for_good(client: TestClient, company: Company, ada: Browser) -> None:
    send = administering(client, company)
    send("PATCH", "/users/ada", {"active": False})
    assert over(ada)
    send("PATCH", "/users/ada", {"active": True})
    assert over(ada)
    assert company.rows("select ended_by from sign_in_session")[0]["ended_by"] == "switched off"


def test_what_ended_stays_ended(company: Company, ada: Browser) -> None:
    company.execute("update sign_in_session set ended_at = now(), ended_by = 'x'")
    with pytest.raises(Exception, match="stays revoked"):
        company.execute("update sign_in_session set ended_at = null, ended_by = null")


def test_own_keys_are_made_in_a_session(client: TestClient, company: Company, ada: Browser) -> None:
    body = {"label": "script", "capabilities": ["ask"], "expires_at": in_days(30)}
    made = ada.send("POST", KEYS, json=body)
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert client.get("/api/v1/users/me", headers=headers).json()["name"] == "ada"
    assert company.records("key.made")[-1]["actor"]["key"].startswith("cls_")
    # A key makes no further key.
    check_problem(client.post(KEYS, json=body, headers=headers), 403, "MissingCapability")
    check_problem(client.post(KEYS, json=body, headers=company.headers("ada")), 403, "MissingCapability")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"capabilities": ["ask"]}, 422, "InvalidInput"),
        ({"capabilities": ["ask"], "expires_at": in_days(91)}, 422, "InvalidInput"),
        ({"capabilities": ["ask"], "expires_at": "2026-12-31T00:00:00"}, 422, "InvalidInput"),
        ({"capabilities": ["ask", "administer"], "expires_at": in_days(1)}, 403, "MissingCapability"),
        ({"user": "mia", "capabilities": ["ask"], "expires_at": in_days(1)}, 403, "MissingCapability"),
        ({"user": "nobody", "capabilities": ["ask"], "expires_at": in_days(1)}, 403, "MissingCapability"),
    ],
    ids=["no end", "too late", "no zone", "more than one may", "another's", "nobody's"],
)
def test_own_keys_have_bounds(ada: Browser, company: Company, body: Any, status: int, code: str) -> None:
    before = len(company.records("key.made"))
    check_problem(ada.send("POST", KEYS, json=body), status, code)
    assert len(company.records("key.made")) == before


def test_an_administrator_by_session_makes_keys_of_others(client: TestClient, company: Company) -> None:
    root = signed_in(client, company, "admin")
    made = root.send("POST", KEYS, json={"user": "ben", "capabilities": ["ask"]})
    assert made.status_code == 201, made.text


def test_where_policy_gives_none_people_make_no_keys(company: Company) -> None:
    parts = parts_of(company.db)
    settings = parts.settings.model_copy(update={"sign_in": SignInSettings(own_key_days=0)})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        ada = signed_in(client, company, "ada")
        body = {"capabilities": ["ask"], "expires_at": in_days(0.5)}
        check_problem(ada.send("POST", KEYS, json=body), 403, "MissingCapability")


@pytest.mark.parametrize("one_header", [True, False], ids=["in one header", "in two"])
def test_two_cookies_of_one_name_are_none(client: TestClient, company: Company, ada: Browser, one_header: bool) -> None:
    """One of them was planted, and nobody knows which."""
    ben = signed_in(client, company, "ben")
    pairs = [f"{SESSION}={ada.secret}", f"{SESSION}={ben.secret}"]
    headers = [("Cookie", "; ".join(pairs))] if one_header else [("Cookie", pair) for pair in pairs]
    check_problem(client.get("/api/v1/users/me", headers=headers), 401, "NotSignedIn")


def test_a_header_wins_over_the_cookie(client: TestClient, company: Company, ada: Browser) -> None:
    """Also a wrong one: what a client sends on purpose is what it means, and no cookie mends it."""
    for headers, name in ((company.headers("ben"), "ben"), ({"Authorization": "Bearer wrong"}, None)):
        answer = ada.send("GET", "/api/v1/users/me", headers=headers)
        if name is None:
            check_problem(answer, 401, "NotSignedIn")
        else:
            assert answer.json()["name"] == name
    # And then nothing is asked of the page: a key is no browser's, which would send it unasked.
    body = {"capabilities": ["ask"], "user": "ben"}
    assert ada.send("POST", KEYS, json=body, headers=company.headers("root")).status_code == 201
    both = {"Clearance-On-Behalf-Of": "cld_abcdefgh_" + "x" * 43}
    check_problem(ada.send("GET", "/api/v1/users/me", headers=both), 401, "NotSignedIn")


def test_a_secret_is_good_in_its_place_alone(client: TestClient, company: Company, ada: Browser) -> None:
    """No session as a key, no key as a session."""
    as_key = {"Authorization": f"Bearer {ada.secret}"}
    check_problem(client.get("/api/v1/users/me", headers=as_key), 401, "NotSignedIn")
    for secret in (company.keys["ada"], make_link(client, company, "ada")):
        assert over(Browser(client, {SESSION: secret}))
    assert over(Browser(client, {BROWSER: ada.secret}))


def test_a_session_does_what_its_person_may(client: TestClient, company: Company, ada: Browser) -> None:
    check_problem(ada.send("GET", "/api/v1/users"), 403, "MissingCapability")
    assert ada.send("POST", "/api/v1/search", json={"query": "parental leave"}).status_code == 200
    root = signed_in(client, company, "admin")
    assert root.send("GET", "/api/v1/users").status_code == 200


@pytest.mark.parametrize(
    "return_to",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:e",
        "javascript:alert(1)", "%2f%2fevil.example", "/\tevil", "/\n/evil.example", "/\x00", "evil.example", "", " /x",
        "/\u2028x", "data:text/html,x", "/a\\..\\\\evil", "http:///evil.example", "/\r\nLocation: https://evil.example",
    ],
)  # fmt: skip
def test_no_sign_in_leads_elsewhere(client: TestClient, return_to: str) -> None:
    page = client.get("/sign-in", params={"return_to": return_to})
    assert page.status_code == 200
    assert 'data-return-to="/"' in page.text


@pytest.mark.parametrize("return_to", ["/", "/documents/3?page=2", "/a//b", "/%2f%2fevil.example", "/a:b"])
def test_a_path_of_ours_is_kept(client: TestClient, return_to: str) -> None:
    assert f'data-return-to="{return_to}"' in client.get("/sign-in", params={"return_to": return_to}).text


def test_the_number_of_this_machine_leads_to_its_name(client: TestClient) -> None:
    """Cookies and passkeys of one are not those of the other."""
    for host in ("127.0.0.1:8700", "[::1]:8700"):
        answer = client.get("/sign-in?return_to=/x", headers={"Host": host}, follow_redirects=False)
        assert answer.headers["location"] == "http://localhost:8700/sign-in?return_to=/x"
    assert client.get("/sign-in", headers={"Host": "127.0.0.1:8701"}, follow_redirects=False).status_code == 200


def test_the_secret_is_in_no_repr() -> None:
    assert "cls_" not in repr(Credential("session", "cls_abcdefgh_" + "x" * 43))


def test_a_restarted_service_knows_its_sessions(company: Company, database: Database) -> None:
    """They are rows: nothing is lost with a process, and two processes agree."""
    with client_of(parts_of(company.db)) as one:
        ada = signed_in(one, company, "ada")
    with client_of(parts_of(company.db)) as other:
        assert not over(Browser(other, dict(ada.cookies)))
