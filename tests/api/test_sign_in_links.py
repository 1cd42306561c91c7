"""One-time links: good once, for one person, for a while; nothing to guess, to race for, or to use up by looking."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.settings import ApiSettings
from app.sign_in import links
from tests.api.problems import ABSENT, check_problem
from tests.support.browsers import SAME_ORIGIN, Browser, follow, make_link, signed_in
from tests.support.company import Company, administering
from tests.support.service import app_of, client_of, parts_of

LINKS = "/api/v1/users/ada/links"
DEAD = "This link is wrong, was used, or is too old."


def refused(answer: Any) -> None:
    """A page that says the same of every link that is dead."""
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert DEAD in answer.text
    assert "set-cookie" not in answer.headers


def test_a_link_signs_in_once(client: TestClient, company: Company) -> None:
    token = make_link(client, company, "ada")
    browser = Browser(client)
    assert follow(browser, token).headers["location"] == "/"
    assert browser.me().json()["name"] == "ada"
    refused(follow(Browser(client), token))
    [made] = company.records("link.made")
    assert (made["actor"]["name"], made["prefix"]) == ("admin", token[:12])
    assert token[13:] not in str(company.records("signin.refused"))


def test_looking_does_not_use_it_up(client: TestClient, company: Company) -> None:
    """Mail programs fetch every link in a message."""
    token = make_link(client, company, "ada")
    for method in ("GET", "GET", "HEAD"):
        answer = client.request(method, "/sign-in/link", params={"token": token})
        assert "set-cookie" not in answer.headers
    assert "Sign in as ada?" in client.get("/sign-in/link", params={"token": token}).text
    assert follow(Browser(client), token).status_code == 303


def test_two_browsers_race_for_one_link(client: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them have seen that it is good before the first one uses it."""
    token = make_link(client, company, "ada")
    seen, answers = threading.Barrier(6), []
    look = links._owner

    def look_together(*given: Any) -> Any:
        found = look(*given)
        seen.wait(30)
        return found

    monkeypatch.setattr(links, "_owner", look_together)

    def race() -> None:
        data, headers = {"token": token}, SAME_ORIGIN
        answers.append(client.post("/sign-in/link", data=data, headers=headers, follow_redirects=False))

    threads = [threading.Thread(target=race) for _ in range(seen.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403, 403, 403]
    assert len(company.rows("select 1 from sign_in_session")) == 1


@pytest.mark.parametrize(
    "how", ["old", "revoked", "switched off", "switched off alone", "switched off and on", "of a service", "wrong"]
)
def test_dead_links_look_alike(client: TestClient, company: Company, how: str) -> None:
    send = administering(client, company)
    made = send("POST", "/users/ada/links", {})
    token = made["url"].partition("token=")[2]
    match how:
        case "old":
            company.execute("update sign_in_link set expires_at = now()")
        case "revoked":
            send("DELETE", f"/links/{made['id']}", None)
        case "switched off":
            send("PATCH", "/users/ada", {"active": False})
        case "switched off alone":
            off = "alter table app_user disable trigger ends_credentials; update app_user set active = false"
            company.execute(f"{off} where name = 'ada'")
        case "switched off and on":
            send("PATCH", "/users/ada", {"active": False})
            send("PATCH", "/users/ada", {"active": True})
        case "of a service":
            send("POST", "/users", {"name": "bot", "kind": "service", "capabilities": ["ask"]})
            company.execute("update sign_in_link set user_id = (select id from app_user where name = 'bot')")
        case "wrong":
            token = token[:-1] + ("A" if token[-1] != "A" else "B")
    refused(client.get("/sign-in/link", params={"token": token}))
    refused(follow(Browser(client), token))
    assert company.rows("select 1 from sign_in_session") == []


@pytest.mark.parametrize("token", ["", "x", "cll_", "clr_abcdefgh_" + "x" * 43, "cll_abcdefgh_" + "x" * 44, "\x00"])
def test_what_is_no_link_is_refused_without_a_query(client: TestClient, token: str) -> None:
    refused(client.get("/sign-in/link", params={"token": token}))


def test_a_link_for_this_machine_is_good_on_it_alone(client: TestClient, company: Company) -> None:
    token = make_link(client, company, "ada", loopback=True)
    refused(client.get("/sign-in/link", params={"token": token}))
    refused(follow(Browser(client), token))
    for address in ("192.0.2.7", "::ffff:192.0.2.7", "10.0.0.1"):
        elsewhere = TestClient(app_of(client), client=(address, 5), raise_server_exceptions=False)
        refused(elsewhere.post("/sign-in/link", data={"token": token}, headers=SAME_ORIGIN))
    # The address is the peer's: no header of a stranger changes it.
    forged = SAME_ORIGIN | {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    refused(client.post("/sign-in/link", data={"token": token}, headers=forged))
    here = TestClient(app_of(client), client=("127.0.0.1", 5), raise_server_exceptions=False)
    assert follow(Browser(here), token).status_code == 303


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil"}]
)
def test_another_site_signs_nobody_in(client: TestClient, company: Company, headers: dict[str, str]) -> None:
    """Else an attacker's page could sign somebody in as the attacker, who then reads what they ask."""
    token = make_link(client, company, "ada")
    answer = client.post("/sign-in/link", data={"token": token}, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert {r["reason"] for r in company.records("signin.refused")} == {"sign-in: CrossSiteRequest"}
    assert follow(Browser(client), token).status_code == 303


def test_guessing_is_limited_by_address_and_recorded(company: Company) -> None:
    few = ApiSettings(stranger_rate_per_minute=1, stranger_burst=5)
    with client_of(parts_of(company.db, api=few)) as client:
        guess = "cll_abcdefgh_" + "x" * 43
        answers = [
            client.post("/sign-in/link", data={"token": guess}, headers=SAME_ORIGIN, follow_redirects=False)
            for _ in range(20)
        ]
        assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 15
        assert int(answers[-1].headers["retry-after"]) > 0
        # Another address still comes in.
        other = TestClient(app_of(client), client=("192.0.2.7", 5), raise_server_exceptions=False)
        assert other.get("/sign-in").status_code == 200
    records = [r for r in company.records("signin.refused") if r["reason"] == "sign-in: SignInNotAllowed"]
    assert sum(record["count"] for record in records) == 5
    assert records[0]["actor"]["address"] == "testclient"
    assert guess[13:] not in str(records)


def test_administrators_alone_make_and_take_back(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    made = send("POST", "/users/ada/links", {})
    for who in ("ada", "ben", "cleo", "audrey"):
        headers = company.headers(who)
        answers = [client.post(f"/api/v1/users/{n}/links", json={}, headers=headers) for n in ("ada", "nobody")]
        answers += [client.delete(f"/api/v1/links/{each}", headers=headers) for each in (made["id"], ABSENT)]
        for answer in answers:
            check_problem(answer, 403, "MissingCapability")
    root = company.headers("root")
    check_problem(client.post("/api/v1/users/nobody/links", json={}, headers=root), 404, "NotFound")
    send("POST", "/users", {"name": "bot", "kind": "service", "capabilities": ["ask"]})
    check_problem(client.post("/api/v1/users/bot/links", json={}, headers=root), 422, "InvalidInput")
    send("PATCH", "/users/ben", {"active": False})
    check_problem(client.post("/api/v1/users/ben/links", json={}, headers=root), 422, "InvalidInput")
    assert client.delete(f"/api/v1/links/{made['id']}", headers=root).status_code == 204
    check_problem(client.delete(f"/api/v1/links/{made['id']}", headers=root), 404, "NotFound")
    assert [r["prefix"] for r in company.records("link.revoked")] == [made["prefix"]]


def test_a_used_link_is_not_taken_back(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    made = send("POST", "/users/ada/links", {})
    follow(Browser(client), made["url"].partition("token=")[2])
    check_problem(client.delete(f"/api/v1/links/{made['id']}", headers=company.headers("root")), 404, "NotFound")
    with pytest.raises(Exception, match="stays revoked"):
        company.execute("update sign_in_link set used_at = null")


def test_an_administrator_in_a_session_makes_links(client: TestClient, company: Company) -> None:
    root = signed_in(client, company, "admin")
    assert root.send("POST", LINKS, json={}).status_code == 201
    ada = signed_in(client, company, "ada")
    check_problem(ada.send("POST", LINKS, json={}), 403, "MissingCapability")
