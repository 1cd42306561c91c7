"""What the route matrix does not ask: two keys at once, the metrics' text, whole lists, and paths of no route."""

import re

from fastapi.testclient import TestClient

from tests.api.problems import ABSENT, check_discreet, check_problem
from tests.support.company import Company
from tests.support.service import METRICS_KEY


def test_two_keys_are_none(client: TestClient, company: Company) -> None:
    headers = [("Authorization", company.headers(who)["Authorization"]) for who in ("root", "ben")]
    answer = client.get("/api/v1/users/me", headers=headers)
    check_problem(answer, 401, "NotSignedIn")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.content == client.get("/api/v1/users/me").content


def test_metrics_have_a_key_of_their_own(client: TestClient, company: Company) -> None:
    check_problem(client.get("/metrics"), 401, "NotSignedIn")
    check_problem(client.get("/metrics", headers=company.headers("root")), 401, "NotSignedIn")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert 'route="/metrics",status="401"' in text
    check_discreet(text)
    assert not re.search("handbook|board|ada|leave", text)


def test_lists_show_what_is_visible_and_no_number_of_the_database(client: TestClient, company: Company) -> None:
    shown = {}
    for who in ("ada", "ben", "mia", "cleo", "root", "nora"):
        answer = client.get("/api/v1/documents", headers=company.headers(who))
        shown[who] = {(d["collection"], d["path"]) for d in answer.json()}
        assert all(set(d) & {"scope_id", "document_id", "chunk_id"} == set() for d in answer.json())
        if who != "ada":
            titles = {d["title"] for d in answer.json()}
            assert "Salary bands" not in titles
    handbook = {key for key in company.documents if key[0] == "handbook"}
    assert shown["ben"] == shown["root"] == shown["nora"] == handbook
    assert shown["ada"] == handbook | {("hr", "salaries.md")}
    assert shown["mia"] == handbook | {("board", "merger.md")}
    assert shown["cleo"] == set(company.documents)  # places of the collections that she curates, without titles


def test_unknown_paths_look_like_everything_that_is_not_there(client: TestClient, company: Company) -> None:
    """To strangers they look like every other path that needs a key."""
    known = client.get(f"/api/v1/documents/{ABSENT}", headers=company.headers("ben"))
    unknown = client.get("/api/v1/nothing", headers=company.headers("ben"))
    check_problem(unknown, 404, "NotFound")
    assert unknown.content == known.content
    assert client.get("/api/v1/nothing").content == client.get(f"/api/v1/documents/{ABSENT}").content
    wrong = client.delete("/api/v1/ask", headers=company.headers("ben"))
    check_problem(wrong, 405, "MethodNotAllowed")
