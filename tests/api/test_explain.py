"""Explain, now and in the past; who can see a document, what a person or role can see; delegated roles."""

import datetime as dt
import time
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.api.folders import put
from tests.api.problems import check_problem
from tests.support.company import Company, upload
from tests.support.service import parts_of
from tests.support.worker import work_queued

EXPLAIN = "/api/v1/access/explain"


def explain(client: TestClient, company: Company, who: str, **query: Any) -> Any:
    return client.get(EXPLAIN, params=query, headers=company.headers(who))


def salaries(company: Company) -> str:
    return str(company.documents["hr", "salaries.md"])


def now() -> dt.datetime:
    """A moment between what was done and what will be done."""
    time.sleep(0.02)
    moment = dt.datetime.now(dt.UTC)
    time.sleep(0.02)
    return moment


def test_the_rule_that_decides_is_named_with_its_place(client: TestClient, company: Company) -> None:
    """Of the document itself, of a folder, of the collection."""
    root, cleo = company.headers("root"), company.headers("cleo")
    document = salaries(company)

    def ask(user: str) -> str:
        return str(explain(client, company, "cleo", document=document, user=user).json()["explanation"])

    granted = "ada may read it: the allow grant to the role 'hr' on the document itself, and its label"
    assert ask("ada").startswith(granted)
    client.put(f"/api/v1/documents/{document}/access", json={"grants": []}, headers=cleo)
    assert "the allow grant to the role 'hr' on the collection 'hr'" in ask("ada")
    put(client, company, "pay/a.md")
    work_queued(company.db)
    folder = {"grants": [{"effect": "deny", "user": "ada"}]}
    client.put("/api/v1/collections/hr/access", params={"folder": "pay"}, json=folder, headers=root)
    [place] = [d["id"] for d in client.get("/api/v1/documents", headers=cleo).json() if d["path"] == "pay/a.md"]
    told = explain(client, company, "cleo", document=place, user="ada").json()
    assert (told["allowed"], told["reason"]) == (False, "denied")
    assert "the deny grant to this person by name on the folder 'pay'" in told["explanation"]


def test_could_she_see_it_then(client: TestClient, company: Company) -> None:
    """Membership, nesting, clearance, state, the rule, the document's place: each as it was at each moment."""
    root, cleo, document = company.headers("root"), company.headers("cleo"), salaries(company)
    access = f"/api/v1/documents/{document}/access"
    moments: list[tuple[dt.datetime, bool, str]] = []

    def mark(allowed: bool, reason: str) -> None:
        moments.append((now(), allowed, reason))

    mark(True, "granted")
    client.delete("/api/v1/roles/hr/members/ada", headers=root)
    mark(False, "nothing granted")
    client.put("/api/v1/roles/engineering/members/ada", headers=root)
    client.put("/api/v1/roles/engineering/inside/hr", headers=root)
    mark(True, "granted")
    client.patch("/api/v1/users/ada", json={"clearance": "public"}, headers=root)
    mark(False, "label above clearance")
    client.patch("/api/v1/users/ada", json={"clearance": "confidential"}, headers=root)
    client.put(
        access, json={"grants": [{"role": "hr"}, {"effect": "deny", "user": "ada"}], "inherits": False}, headers=cleo
    )
    mark(False, "denied")
    client.put(access, json={"grants": []}, headers=cleo)
    client.put("/api/v1/collections/hr/access", json={"grants": [{"role": "managers"}]}, headers=root)
    mark(False, "nothing granted")
    client.put("/api/v1/collections/hr/access", json={"grants": [{"user": "ada"}]}, headers=root)
    mark(True, "granted")
    client.patch("/api/v1/users/ada", json={"active": False}, headers=root)
    mark(False, "not there")
    for at, allowed, reason in moments:
        told = explain(client, company, "cleo", document=document, user="ada", at=at.isoformat()).json()
        assert (told["allowed"], told["reason"]) == (allowed, reason), told
        assert f"{at:%Y-%m-%d %H:%M} UTC" in told["explanation"]


def test_a_document_that_is_gone_has_its_past(client: TestClient, company: Company) -> None:
    """For the curators of the collection on which it stood; before it came and after it went it was not there."""
    upload(client, company, "cleo", collection="hr", path="brief.md", content=b"# Brief\n\nText.", roles=["hr"])
    before = now()
    work_queued(company.db)
    [there] = [d["id"] for d in client.get("/api/v1/documents", headers=company.headers("cleo")).json()
               if d["path"] == "brief.md"]  # fmt: skip
    during = now()
    assert client.delete(f"/api/v1/documents/{there}", headers=company.headers("cleo")).status_code == 204
    after = now()
    asked = [
        explain(client, company, "cleo", document=there, user="ada", at=m.isoformat()) for m in (before, during, after)
    ]
    assert [a.json()["reason"] for a in asked] == ["not there", "granted", "not there"]
    for who in ("ada", "mia", "root", "audrey"):
        check_problem(explain(client, company, who, document=there, at=during.isoformat()), 404, "NotFound")


def test_who_can_see(client: TestClient, company: Company) -> None:
    """Every reader by name; for who rules the collection, and told to nobody else."""
    place = {"document": salaries(company)}

    def ask(who: str) -> Any:
        return client.get("/api/v1/access/readers", params=place, headers=company.headers(who))

    assert ask("cleo").json() == ["ada", "hank"]
    check_problem(ask("ada"), 403, "MissingCapability")
    check_problem(ask("ben"), 404, "NotFound")
    check_problem(ask("root"), 404, "NotFound")
    everybody = {"document": str(company.documents["handbook", "leave.md"])}
    told = client.get("/api/v1/access/readers", params=everybody, headers=company.headers("root")).json()
    assert told == sorted(["ada", "admin", "audrey", "ben", "cleo", "hank", "max", "mia", "nora"])


def test_what_can_be_seen(client: TestClient, company: Company) -> None:
    """By person and by role; of all collections for an administrator, of his own for a curator."""

    def ask(who: str, **query: str) -> Any:
        return client.get("/api/v1/access/reach", params=query, headers=company.headers(who))

    assert ask("root", user="ada").json() == [
        {"collection": "handbook", "documents": 3}, {"collection": "hr", "documents": 1}]  # fmt: skip
    assert ask("root", role="managers").json() == [
        {"collection": "board", "documents": 1}, {"collection": "handbook", "documents": 3}]  # fmt: skip
    assert ask("hank", user="mia").json() == []
    assert ask("hank", role="hr").json() == [{"collection": "hr", "documents": 1}]
    check_problem(ask("ada", user="ada"), 403, "MissingCapability")
    check_problem(ask("root", user="ada", role="hr"), 422, "InvalidInput")
    check_problem(ask("root", user="nobody"), 404, "NotFound")


def test_a_delegated_role(client: TestClient, company: Company) -> None:
    """Who looks after a role changes the members of no other role, told alike of an absent one; and gains nothing."""
    hank, grant = company.headers("hank"), "/api/v1/grants?collection=hr"

    def put(place: str, who: str) -> Any:
        return client.put(f"/api/v1/roles/{place}", headers=company.headers(who))

    assert put("managers/stewards/hank", "root").status_code == 204
    check_problem(put("engineering/members/ben", "hank"), 403, "BeyondReach")
    assert put("engineering/members/ben", "hank").content == put("absent/members/ben", "hank").content
    check_problem(client.post(grant, json={"role": "managers"}, headers=hank), 403, "SelfGrant")
    gone = client.delete("/api/v1/roles/managers/stewards/hank", headers=company.headers("root"))
    assert gone.status_code == 204
    check_problem(put("managers/members/ben", "hank"), 403, "MissingCapability")
    assert client.post(grant, json={"role": "managers"}, headers=hank).status_code == 201
    reasons = [r["reason"] for r in company.records("change.refused")]
    assert sorted(reasons) == [*["BeyondReach"] * 3, "MissingCapability", "SelfGrant"]


@pytest.mark.parametrize("act", ["insert into membership values ('{ben}', '{managers}')",
                                 "delete from membership where user_id = '{mia}'"])  # fmt: skip
def test_the_database_holds_a_steward_to_his_role(company: Company, act: str) -> None:
    """Raw SQL under hank's identity: with managers delegated he may; with another role delegated no row changes."""
    ids = {
        r["name"]: str(r["id"]) for table in ("app_user", "role") for r in company.rows(f"select id, name from {table}")
    }
    database = parts_of(company.db).database
    statement = act.format(**ids)

    def tried() -> int:
        with database.dry_run(uuid.UUID(ids["hank"])) as session:
            try:
                return int(getattr(session.execute(text(statement)), "rowcount", 0))
            except DBAPIError:
                return 0

    assert tried() == 0
    company.execute(f"insert into steward values ('{ids['hank']}', '{ids['engineering']}')")
    assert tried() == 0
    company.execute(f"insert into steward values ('{ids['hank']}', '{ids['managers']}')")
    assert tried() == 1
    database.engine.dispose()
