"""The administrator's pages: each says what its use case gives, its forms do what they say, nobody else sees them."""

import re
import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.background import BackgroundWork
from app.admin.leak_test_runs import LeakTestRuns
from tests.api.problems import ABSENT, check_page
from tests.support.browsers import Browser, signed_in
from tests.support.company import Company, administering
from tests.support.service import app_of

OWN = ("/people", "/people/ada", "/people/ada/reading", "/roles", "/roles/hr", "/sources", "/sources/groups", "/keys",
       "/sessions", "/health?look=now", "/leak-tests")  # fmt: skip
PLAN = re.compile(r"/plans/([0-9a-f-]{36})$")


def plain(html: str) -> str:
    return re.sub(r'nonce="[^"]*"', "", html)


@pytest.fixture
def root(client: TestClient, company: Company) -> Browser:
    return signed_in(client, company, "admin")


def planned(company: Company, answer: Any) -> dict[str, Any]:
    """The plan to whose page an answer leads: its only step, and that it is open."""
    assert answer.status_code == 303, answer.text
    found = PLAN.search(answer.headers["location"])
    assert found is not None, answer.headers["location"]
    [plan] = company.rows("select steps, state from access_plan where id = %s", [found[1]])
    assert plan["state"] == "open"
    step: dict[str, Any]
    [step] = plan["steps"]
    return step


@pytest.mark.parametrize("path", OWN)
def test_its_pages_are_for_administrators(client: TestClient, company: Company, root: Browser, path: str) -> None:
    """Others are told the same of what is there and of what is not."""
    answer = root.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.text.count("<h1") == 1
    other = signed_in(client, company, "audrey")
    check_page(other.get(path), 403, "MissingCapability")
    if "ada" in path or "hr" in path:
        absent = other.get(path.replace("ada", "nobody").replace("hr", "nothing"))
        check_page(absent, 403, "MissingCapability")
        check_page(root.get(path.replace("ada", "nobody").replace("hr", "nothing")), 404, "NotFound")


def test_people_are_found_while_one_types(root: Browser) -> None:
    """The part that a script asks for has the rows alone; filters work without it too."""
    part = root.get("/people?text=ad", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert re.findall(r'href="/people/(\w+)"', part) == ["ada", "admin"]
    page = root.get("/people?text=&source=&kind=&active=&capability=audit&role=").text
    assert re.findall(r'href="/people/(\w+)"', page) == ["audrey", "max"]
    assert "Nobody is like that." in root.get("/people?text=zzz").text
    check_page(root.get("/people?role=nothing"), 404, "NotFound")


def test_a_page_of_people_leads_to_the_next(client: TestClient, company: Company, root: Browser) -> None:
    company.execute("insert into app_user (name, display_name) select 'p' || n, '' from generate_series(100, 160) n")
    first = root.get("/people").text
    [following] = set(re.findall(r'href="(/people\?after=[^"]+)"', first))
    second = root.get(following.replace("&amp;", "&"), headers={"HX-Request": "true"}).text
    names = re.findall(r'href="/people/(\w+)"', first + second)
    assert len(names) == len(set(names)) == 70


def test_somebody_is_added_and_what_changes_reading_is_foreseen(company: Company, root: Browser) -> None:
    """Roles and clearance by a plan, which changes nothing yet; what they may do at once."""
    answer = root.submit("/people", name="kim", display_name="Kim Ö.")
    assert answer.headers["location"] == "/people/kim"
    assert "Kim Ö." in root.get("/people/kim").text
    step = planned(company, root.submit("/people/kim/roles", role="hr"))
    assert (step["op"], step["present"]) == ("member", True)
    step = planned(company, root.submit("/people/ada/roles", role="hr", act="leave"))
    assert (step["op"], step["present"]) == ("member", False)
    step = planned(company, root.submit("/people/kim/clearance", clearance="restricted"))
    assert (step["op"], step["clearance"]) == ("clearance", "restricted")
    assert company.rows("select 1 from membership m join app_user u on u.id = m.user_id where u.name = 'kim'") == []
    root.submit("/people/kim/capabilities", capabilities=["ask", "download"])
    [kim] = company.rows("select capabilities, clearance from app_user where name = 'kim'")
    assert (sorted(kim["capabilities"]), kim["clearance"]) == (["ask", "download"], 1)


def test_switching_off_says_what_ends_and_ends_it(client: TestClient, company: Company, root: Browser) -> None:
    ada = signed_in(client, company, "ada")
    page = root.get("/people/ada").text
    popup = page.split('action="/people/ada/off"')[1].split("</form>")[0]
    assert "1 key<" in popup
    assert "1 session<" in popup
    assert "0 passkeys<" in popup
    assert root.submit("/people/ada/off").headers["location"] == "/people/ada?notice=off"
    assert ada.me().status_code == 401
    off = root.get("/people/ada?notice=off").text
    assert "has ended, for good" in off
    assert "/people/ada/on" in off
    root.submit("/people/ada/on")
    assert ada.me().status_code == 401
    assert "/people/admin/off" not in root.get("/people/admin").text, "nobody switches themselves off"


def test_a_link_is_shown_once_and_signs_in(client: TestClient, company: Company, root: Browser) -> None:
    answer = root.submit("/people/ben/link")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    token = re.search(r"/sign-in/link\?token=([\w-]+)", answer.text)
    assert token is not None
    assert token[1] not in root.get("/people/ben").text


def test_sessions_and_keys_of_everybody_are_listed_and_ended(
    client: TestClient, company: Company, root: Browser
) -> None:
    ada = signed_in(client, company, "ada")
    listed = root.get("/sessions").text
    assert "/people/ada" in listed
    [ended] = set(re.findall(r"/sessions/[0-9a-f-]{36}/end", listed))
    assert root.submit(ended).headers["location"] == "/sessions"
    assert ada.me().status_code == 401
    [key] = re.findall(r"/keys/([0-9a-f-]{36})/revoke", root.get("/keys?user=ada").text)
    assert root.submit(f"/keys/{key}/revoke").status_code == 303
    assert client.get("/api/v1/users/me", headers=company.headers("ada")).status_code == 401
    for path in (f"/sessions/{ABSENT}/end", f"/keys/{ABSENT}/revoke", "/keys/no-id/revoke"):
        check_page(root.submit(path), 404, "NotFound")


def test_roles_are_drawn_as_a_tree_and_found(client: TestClient, company: Company, root: Browser) -> None:
    administering(client, company)("POST", "/roles", {"name": "seniors", "inside": ["engineering"]})
    page = root.get("/roles").text
    tree = page.split('class="tree"')[1].split("</section>")[0]
    shape = "".join(re.findall(r"<(/?(?:ul|li))\b", tree))
    assert shape == "li" + "ulli/li/ul" + "/li" + "li/li" * 2 + "/ul"
    assert re.findall(r'href="/roles/(\w+)"', root.get("/roles?text=sen").text) == ["seniors"]
    step = planned(company, root.submit("/roles/hr/nesting", outer="managers", act="nest"))
    assert step["op"] == "nesting"
    assert planned(company, root.submit("/roles/hr/members", user="ben"))["op"] == "member"
    assert root.submit("/roles", name="guests").headers["location"] == "/roles/guests"
    assert root.submit("/roles/guests/delete").headers["location"] == "/roles"
    assert "/roles/hr/delete" not in root.get("/roles/hr").text, "a rule names it, so the button would do nothing"


def test_who_looks_after_a_role_sees_its_page_and_may_foresee_members(
    client: TestClient, company: Company, root: Browser
) -> None:
    assert root.submit("/roles/hr/stewards", user="ben").status_code == 303
    ben = signed_in(client, company, "ben")
    page = ben.get("/roles/hr").text
    assert "ada" in page
    for absent in ("/people/", "/roles/hr/nesting", "/roles/hr/stewards", "/roles/hr/delete"):
        assert absent not in page
    assert planned(company, ben.submit("/roles/hr/members", user="nora"))["op"] == "member"
    other, nothing = (ben.get(f"/roles/{name}") for name in ("engineering", "nothing"))
    check_page(other, 403, "BeyondReach")
    assert plain(other.text) == plain(nothing.text)


def test_the_debugger_says_which_rule_decided(client: TestClient, company: Company, root: Browser) -> None:
    """For the curators of a collection, by the address of the document; hidden and absent are one page."""
    document = company.documents["hr", "salaries.md"]
    cleo = signed_in(client, company, "cleo")
    page = cleo.get(f"/access?user=ada&document=https://here/documents/{document}&at=").text
    assert "ada may read it" in page
    assert page.count("this decides") == 1
    assert "does not count: something further in breaks with it" in page
    assert "ben may not read it" in cleo.get(f"/access?user=ben&document={document}").text
    check_page(cleo.get("/access?user=ada&document=salaries"), 422, "InvalidInput")
    check_page(cleo.get(f"/access?user=nobody&document={document}"), 404, "NotFound")
    hidden, absent = (root.get(f"/access?user=ada&document={each}") for each in (document, ABSENT))
    check_page(hidden, 404, "NotFound")
    assert plain(hidden.text) == plain(absent.text)
    past = cleo.get(f"/access?user=ada&document={document}&at=2020-01-01T00:00").text
    assert "ada may not read it" in past


def test_health_comes_with_the_page_or_after_it(root: Browser) -> None:
    assert "What was found" not in root.get("/health").text
    whole = root.get("/health?look=now").text
    part = root.get("/health?look=now", headers={"HX-Request": "true"}).text
    for text in (whole, part):
        assert "row-level security" in text
        assert "state--fail" in text
    assert "<html" not in part


def test_a_leak_test_shows_how_far_it_is_and_then_its_report(
    client: TestClient, company: Company, root: Browser
) -> None:
    row = {"surface": "GET /documents", "verdicts": {"in A": "holds", "in B": "fails"}}
    failure = {"surface": "GET /documents", "person": "in B", "wrong": "leak", "canary": "title of x", "where": "$[0]"}
    report = {"failures": [failure], "matrix": [row], "people": {"in A": "reads", "in B": "does not"}, "requests": 7,
              "seconds": 1.2, "stays": "nothing"}  # fmt: skip
    go_on = threading.Event()

    def run(_url: str, _key: str, steps: Any) -> dict[str, Any]:
        steps.begin_step("asking as everybody")
        steps.advanced(3, 7)
        go_on.wait(20)
        return report

    background = BackgroundWork()
    app_of(client).state.leak_tests = LeakTestRuns(run, "http://here", background)
    place = root.submit("/leak-tests").headers["location"]
    check_page(root.submit("/leak-tests"), 409, "Conflict")
    while "3 of 7" not in root.get(place).text:
        pass
    assert 'hx-trigger="every 2s"' in root.get(place, headers={"HX-Request": "true"}).text
    go_on.set()
    background.close()
    done = root.get(place).text
    assert "1 thing is wrong." in done
    assert "leak, title of x ($[0])" in done
    assert "every 2s" not in done
    assert "1 thing is wrong" in root.get("/leak-tests").text
    check_page(root.get(f"/leak-tests/{ABSENT}"), 404, "NotFound")


def test_a_review_goes_from_grant_to_grant_to_its_manifest(client: TestClient, company: Company) -> None:
    cleo = signed_in(client, company, "cleo")
    place = cleo.submit("/reviews", collection="hr", title="Autumn").headers["location"]
    page = cleo.get(place).text
    assert "0 of 2 grants are decided." in page
    first, second = dict.fromkeys(re.findall(rf"{place}/items/[0-9a-f-]+", page))
    part = cleo.submit(first, part=True, decision="withdraw")
    assert "<html" not in part.text
    assert "goes" in part.text
    assert "Of 1 grant nothing is said yet." in cleo.get(f"{place}/close").text
    cleo.submit(second, decision="keep")
    closing = cleo.get(f"{place}/close").text
    [fingerprint] = re.findall(r'name="fingerprint" value="([0-9a-f]{64})"', closing)
    assert "1 grant goes;" in closing
    check_page(cleo.submit(f"{place}/close", fingerprint="0" * 64), 409, "PlanStale")
    assert cleo.submit(f"{place}/close", fingerprint=fingerprint).headers["location"] == place
    closed = cleo.get(place).text
    assert "1 grant was withdrawn." in closed
    assert 'name="decision"' not in closed
    manifest = cleo.get(f"{place}/manifest")
    assert manifest.headers["content-disposition"].startswith("attachment")
    assert manifest.json()["title"] == "Autumn"
    for who in ("ada", "audrey"):
        other = signed_in(client, company, who)
        for path in (place, f"{place}/close", f"{place}/manifest"):
            check_page(other.get(path), 404, "NotFound")
        assert 'action="/reviews"' not in other.get("/reviews").text


def test_what_people_call_themselves_and_their_roles_is_text(
    client: TestClient, company: Company, root: Browser
) -> None:
    """Names are what somebody else wrote: nothing of them becomes a tag, an attribute or an address."""
    evil = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    send = administering(client, company)
    send("POST", "/users", {"name": "eve", "display_name": evil})
    send("PUT", "/roles/hr/members/eve", None)
    send("PATCH", "/users/ada", {"display_name": evil})
    for path in ("/people", "/people/eve", "/roles/hr", "/people?text=" + "%3Cimg"):
        page = root.get(path).text
        assert "<img" not in page
        assert "&lt;img" in page
        assert "{{7*7}}" in page
