"""Access reviews: what is listed, who decides, what closing takes away, and the manifest that stays."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.evidence.merkle import canonical
from tests.api.folders import put, seen
from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company, administering
from tests.support.service import parts_of
from tests.support.worker import work_queued

REVIEWS = "/api/v1/access/reviews"
YEAR = "2090-01-01T00:00:00Z"


class Review:
    """One review, as a person goes through it."""

    def __init__(self, client: TestClient, company: Company, who: str = "cleo") -> None:
        self.client, self.company, self.who = client, company, who
        answer = self.send("POST", "", {"collection": "hr", "title": "Autumn"})
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]

    def send(self, method: str, path: str, body: Any = None, *, who: str = "", **query: Any) -> Any:
        headers = self.company.headers(who or self.who)
        return self.client.request(method, REVIEWS + path, json=body, params=query, headers=headers)

    def items(self, **query: Any) -> list[Any]:
        found: list[Any] = self.send("GET", f"/{self.id}/items", **query).json()
        return found

    def decide(self, item: Any, decision: str | None, **by: str) -> Any:
        return self.send("PUT", f"/{self.id}/items/{item['id']}", {"decision": decision}, **by)

    def decide_all(self, **by_principal: str) -> None:
        for item in self.items():
            assert self.decide(item, by_principal.get(item["principal"], "keep")).status_code == 200

    def preview(self) -> Any:
        return self.send("GET", f"/{self.id}/preview").json()

    def close(self, **given: Any) -> Any:
        return self.send("POST", f"/{self.id}/close", given)


@pytest.fixture
def ruled(client: TestClient, company: Company) -> None:
    """hr: read by hr. Its folder pay: by engineering until 2090, not by managers, whom two documents in it name."""
    send = administering(client, company)
    grants = [{"role": "engineering", "ends_at": YEAR}, {"effect": "deny", "role": "managers"}]
    send("PATCH", "/users/ben", {"clearance": "confidential"})
    send("PUT", "/collections/hr/access?folder=pay", {"grants": grants})
    for path in ("pay/a.md", "pay/b.md"):
        put(client, company, path, roles=["managers"], inherits="true")
    put(client, company, "c.md")
    work_queued(company.db)


@pytest.mark.usefixtures("ruled")
def test_every_grant_is_listed_with_its_place_and_people(client: TestClient, company: Company) -> None:
    """Of documents one line for all that are tagged alike; inherited grants are the line of where they stand."""
    rows = [
        (i["place"], i["folder"], i["documents"], i["examples"], i["effect"], i["principal"], i["people"])
        for i in Review(client, company).items()
    ]
    assert rows == [
        ("collection", None, 0, [], "allow", "hr", 2),
        ("folder", "pay", 0, [], "allow", "engineering", 1),
        ("folder", "pay", 0, [], "deny", "managers", 1),
        ("documents", None, 1, ["salaries.md"], "allow", "hr", 2),
        ("documents", None, 2, ["pay/a.md", "pay/b.md"], "allow", "managers", 1),
    ]
    [opened] = company.records("review.opened")
    assert (opened["items"], opened["actor"]["name"]) == (5, "cleo")


@pytest.mark.usefixtures("ruled")
def test_an_administrator_reviews_what_they_may_change_and_learns_no_path(client: TestClient, company: Company) -> None:
    """Their own review leaves documents' grants out; of a curator's they see no path, and cannot take these away."""
    assert {item["place"] for item in Review(client, company, "root").items()} == {"collection", "folder"}
    curators = Review(client, company)
    curators.who = "root"
    shown = curators.items()
    assert [item["examples"] for item in shown if item["place"] == "documents"] == [[], []]
    assert "a.md" not in str(shown)
    for item in shown:
        curators.decide(item, "withdraw" if item["place"] == "documents" else "keep")
    check_problem(curators.send("GET", f"/{curators.id}/preview"), 403, "MissingCapability")
    check_problem(curators.close(), 403, "MissingCapability")


@pytest.mark.usefixtures("ruled")
def test_closing_takes_away_what_was_seen_before(client: TestClient, company: Company) -> None:
    """Who loses how much is said first; then it is gone, recorded, and the manifest says who decided what."""
    review = Review(client, company)
    assert seen(client, company, "ben") == {"pay/a.md", "pay/b.md"}
    check_problem(review.close(), 409, "Conflict")
    review.decide_all(engineering="withdraw")
    assert review.items(undecided=True) == []
    assert seen(client, company, "ben") == {"pay/a.md", "pay/b.md"}, "nothing changes before the close"
    looked = review.preview()
    assert (looked["undecided"], looked["withdrawn"], looked["documents"]) == (0, 1, 2)
    assert looked["people"] == [{"user": "ben", "gains": 0, "loses": 2}]
    closed = review.close(fingerprint=looked["fingerprint"])
    assert closed.status_code == 200, closed.text
    assert seen(client, company, "ben") == set()
    found = closed.json()
    assert (found["state"], found["closed_by"], found["withdrawn"]) == ("closed", "cleo", 1)
    [changed] = [r for r in company.records("policy.changed") if r["actor"]["name"] == "cleo" and
                 r["action"] == "folder.ruled"]  # fmt: skip
    assert len(changed["before"]["grants"]) - len(changed["after"]["grants"]) == 1
    outcomes = [(i["role"], i["decision"], i["outcome"]) for i in found["manifest"]["items"]]
    assert outcomes == [
        ("hr", "keep", "kept"), ("engineering", "withdraw", "withdrawn"), ("managers", "keep", "kept"),
        ("hr", "keep", "kept"), ("managers", "keep", "kept"),
    ]  # fmt: skip
    cleo = company.rows("select id::text from app_user where name = 'cleo'")[0]["id"]
    assert [i["decided"]["by"] for i in found["manifest"]["items"]] == [{"id": cleo}] * 5
    assert found["digest"] == hashlib.sha256(canonical(found["manifest"]).encode()).hexdigest()
    [record] = company.records("review.closed")
    assert (record["digest"], record["kept"], record["withdrawn"]) == (found["digest"], 4, 1)
    assert len(company.records("review.decided")) == 5


@pytest.mark.usefixtures("ruled")
def test_grants_of_documents_go_from_each_of_them(client: TestClient, company: Company) -> None:
    """One decision, every document that is tagged so: mia loses both, and a document of another tag keeps its own."""
    review = Review(client, company)
    send = administering(client, company)
    send("PUT", "/collections/hr/access?folder=pay", {"grants": []})
    assert seen(client, company, "mia") == {"pay/a.md", "pay/b.md"}
    for item in review.items():
        review.decide(item, "withdraw" if item["place"] == "documents" and item["principal"] == "managers" else "keep")
    assert review.preview()["people"] == [{"user": "mia", "gains": 0, "loses": 2}]
    assert review.close().status_code == 200
    assert seen(client, company, "mia") == set()
    assert len([r for r in company.records("policy.changed") if r["action"] == "document.ruled"]) == 2
    assert seen(client, company, "ada") == {"c.md", "pay/a.md", "pay/b.md"}


@pytest.mark.usefixtures("ruled")
def test_what_changed_since_it_was_seen_is_refused(client: TestClient, company: Company) -> None:
    """And what is gone already is no change: the manifest says that it was gone before."""
    review, send = Review(client, company), administering(client, company)
    review.decide_all(engineering="withdraw")
    looked = review.preview()["fingerprint"]
    send("PATCH", "/users/nora", {"clearance": "confidential"})
    send("PUT", "/roles/engineering/members/nora", None)
    check_problem(review.close(fingerprint=looked), 409, "PlanStale")
    assert review.send("GET", f"/{review.id}").json()["state"] == "open"
    send("PUT", "/collections/hr/access?folder=pay", {"grants": []})
    assert review.preview()["people"] == []
    outcomes = {i["role"]: i["outcome"] for i in review.close().json()["manifest"]["items"]}
    assert outcomes["engineering"] == "gone before"
    folders = client.get("/api/v1/collections/hr/folders", headers=company.headers("cleo")).json()
    assert [folder["path"] for folder in folders] == ["pay"]


@pytest.mark.usefixtures("ruled")
def test_a_folder_whose_rule_is_gone_gets_none(client: TestClient, company: Company) -> None:
    review = Review(client, company)
    review.decide_all(engineering="withdraw")
    gone = client.delete("/api/v1/collections/hr/access?folder=pay", headers=company.headers("root"))
    assert gone.status_code < 300
    assert review.close().status_code == 200
    assert client.get("/api/v1/collections/hr/folders", headers=company.headers("cleo")).json() == []


def test_a_deny_that_goes_may_not_be_to_ones_own_profit(client: TestClient, company: Company) -> None:
    """Closing is a change of access like any other: the guard asks who gains by it."""
    send = administering(client, company)
    send("PUT", "/collections/hr/access", {"grants": [{"role": "hr"}, {"effect": "deny", "user": "hank"}]})
    review = Review(client, company, "hank")
    review.decide_all(hank="withdraw")
    check_problem(review.close(), 403, "SelfGrant")
    review.who = "root"
    assert review.close().status_code == 200


def test_nobody_says_that_their_own_grant_stays(client: TestClient, company: Company) -> None:
    send = administering(client, company)
    send("PUT", "/collections/hr/access", {"grants": [{"role": "hr"}, {"user": "hank"}]})
    review = Review(client, company, "hank")
    [own] = [item for item in review.items() if item["principal"] == "hank"]
    check_problem(review.decide(own, "keep"), 403, "SelfGrant")
    assert review.decide(own, "withdraw").json()["decided_by"] == "hank"
    kept = review.decide(own, "keep", who="cleo").json()
    assert (kept["decision"], kept["decided_by"]) == ("keep", "cleo")
    open_again = review.decide(own, None).json()
    assert (open_again["decision"], open_again["decided_by"], open_again["decided_at"]) == (None, None, None)


def test_what_is_closed_stays_as_it_is(client: TestClient, company: Company) -> None:
    """To the routes, and to the database, whoever writes."""
    review = Review(client, company)
    review.decide_all()
    first = review.close().json()
    check_problem(review.close(), 409, "Conflict")
    check_problem(review.decide(review.items()[0], "withdraw"), 409, "Conflict")
    assert review.send("GET", f"/{review.id}").json() == first
    parts = parts_of(company.db)
    cleo = company.rows("select id from app_user where name = 'cleo'")[0]["id"]
    for statement in (
        "update access_review set state = 'open', closed_by = :me, closed_at = null, manifest = null, digest = null",
        "update access_review_item set decision = 'withdraw', decided_by = :me, decided_at = now()",
    ):
        with pytest.raises(DBAPIError, match="stays as it is"), parts.database.writing(cleo) as session:
            session.execute(text(statement), {"me": cleo})
    parts.database.close()


def test_reviews_are_for_who_rules_the_collection(client: TestClient, company: Company) -> None:
    """For others they are not there, by the routes and by the database; nobody decides in another's name."""
    review = Review(client, company)
    item = review.items()[0]
    for who in ("ada", "mia", "audrey"):
        assert review.send("GET", "", who=who).json() == []
        for method, path, body in (
            ("GET", "", None), ("GET", "/items", None), ("GET", "/preview", None), ("POST", "/close", {}),
            ("PUT", f"/items/{item['id']}", {"decision": "keep"}),
        ):  # fmt: skip
            hidden = review.send(method, f"/{review.id}{path}", body, who=who)
            absent = review.send(method, f"/{ABSENT}{path}", body, who=who)
            check_problem(hidden, 404, "NotFound")
            assert hidden.content == absent.content
    # An administrator, with a key that may not administer: what they may see of it is the key's.
    weak = administering(client, company)("POST", "/keys", {"user": "max", "capabilities": ["ask"]})["secret"]
    company.keys["weak"] = weak
    check_problem(review.send("GET", f"/{review.id}", who="weak"), 404, "NotFound")
    assert review.send("GET", "", who="weak").json() == []
    parts = parts_of(company.db)
    ids = {row["name"]: row["id"] for row in company.rows("select name, id from app_user")}
    with parts.database.reading(ids["ada"]) as session:
        assert session.execute(text("select * from access_review")).all() == []
        assert session.execute(text("select * from access_review_item")).all() == []
    forged = "update access_review_item set decision = 'keep', decided_by = :other, decided_at = now()"
    with pytest.raises(DBAPIError, match="row-level security"), parts.database.writing(ids["cleo"]) as session:
        session.execute(text(forged), {"other": ids["hank"]})
    parts.database.close()
    assert review.send("POST", "", {"collection": "hr", "title": "Mine"}, who="mia").status_code == 404
    assert review.send("POST", "", {"collection": "hr", "title": "Mine"}, who="ada").status_code == 403
