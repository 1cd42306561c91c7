"""Roles as a tree with how many are in each, and one role with its members and the rules that name it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.role_tree import RoleNode, role_tree
from app.errors import MissingCapability
from app.identity.authenticate import identify
from tests.api.problems import check_problem
from tests.support.company import Company, administering
from tests.support.service import parts_of

YEAR = "2090-01-01T00:00:00Z"


@pytest.fixture
def nested(client: TestClient, company: Company) -> None:
    """seniors (mia, ben) inside engineering (ben); leads (ada) inside seniors and hr; mia looks after engineering."""
    send = administering(client, company)
    send("POST", "/roles", {"name": "seniors", "inside": ["engineering"]})
    send("POST", "/roles", {"name": "leads", "inside": ["seniors", "hr"]})
    for role, person in (("seniors", "mia"), ("seniors", "ben"), ("leads", "ada")):
        send("PUT", f"/roles/{role}/members/{person}", None)
    send("PUT", "/roles/engineering/stewards/mia", None)


def tree(company: Company, who: str) -> list[RoleNode]:
    database = parts_of(company.db).database
    try:
        with database.anonymous() as session:
            subject = identify(session, company.keys[who])
        with database.reading(subject.user_id) as session:
            return role_tree(session, subject)
    finally:
        database.close()


@pytest.mark.usefixtures("nested")
def test_the_tree_counts_members_and_who_is_in_by_nesting(client: TestClient, company: Company) -> None:
    """Each person once, whatever ways they have, and nobody who is switched off or whose membership has ended."""
    drawn = [(n.depth, n.name, n.members, n.people, n.repeated) for n in tree(company, "root")]
    assert drawn == [
        (0, "engineering", 1, 3, False),
        (1, "seniors", 2, 3, False),
        (2, "leads", 1, 1, False),
        (0, "hr", 2, 2, False),
        (1, "leads", 1, 1, True),
        (0, "managers", 1, 1, False),
    ]
    assert {n.name: n.stewards for n in tree(company, "root") if n.stewards} == {"engineering": ["mia"]}
    administering(client, company)("PATCH", "/users/mia", {"active": False})
    company.execute("update membership m set ends_at = now() from role r where r.id = m.role_id and r.name = 'leads'")
    counts = {n.name: (n.members, n.people) for n in tree(company, "root")}
    assert counts["engineering"] == counts["seniors"] == (1, 1)
    assert counts["leads"] == (0, 0)


def test_the_tree_is_for_administrators(company: Company) -> None:
    with pytest.raises(MissingCapability):
        tree(company, "cleo")


@pytest.mark.usefixtures("nested")
def test_one_role_says_who_is_in_it_and_how(client: TestClient, company: Company) -> None:
    """To administrators and to its stewards; to a steward of another role it is like one that is not there."""
    company.execute(f"update membership m set ends_at = '{YEAR}' from role r where r.id = m.role_id"
                    " and r.name = 'seniors'")  # fmt: skip

    def ask(who: str, place: str, **query: Any) -> Any:
        return client.get(f"/api/v1/roles/{place}", params=query, headers=company.headers(who))

    found = ask("mia", "engineering").json()
    assert (found["inside"], found["inner"], found["stewards"]) == ([], ["seniors"], ["mia"])
    assert (found["members"], found["people"], found["used_in"]) == (1, 3, [])

    def rows(**query: Any) -> list[tuple[Any, ...]]:
        listed = ask("mia", "engineering/members", **query).json()
        return [(m["name"], m["direct"], m["through"], m["until"]) for m in listed]

    assert rows() == [("ben", True, [], None)]
    assert rows(nested=True) == [
        ("ada", False, ["leads"], None), ("ben", True, ["seniors"], None), ("mia", False, ["seniors"], YEAR)
    ]  # fmt: skip
    assert [name for name, *_ in rows(nested=True, text="I")] == ["mia"]
    for place in ("hr", "nothing", "hr/members", "nothing/members"):
        check_problem(ask("mia", place), 403, "BeyondReach")
        check_problem(ask("ada", place), 403, "MissingCapability")
    check_problem(ask("root", "nothing"), 404, "NotFound")


def test_a_role_s_members_are_paged(client: TestClient, company: Company) -> None:
    headers = company.headers("root")
    first = client.get("/api/v1/roles/hr/members?limit=1", headers=headers)
    second = client.get("/api/v1/roles/hr/members" + first.links["next"]["url"], headers=headers)
    assert [m["name"] for m in (*first.json(), *second.json())] == ["ada", "hank"]
    assert "next" not in second.links


def test_a_role_says_which_rules_name_it(client: TestClient, company: Company) -> None:
    """Of collections, folders, and documents of their own; not what is inherited, and each document once."""
    root, cleo = company.headers("root"), company.headers("cleo")

    def used(who: dict[str, str], role: str) -> Any:
        return client.get(f"/api/v1/roles/{role}", headers=who).json()["used_in"]

    assert used(root, "hr") == [{"collection": "hr", "whole": True, "folders": 0, "documents": 1}]
    assert used(root, "engineering") == []
    rule = {"grants": [{"role": "engineering"}, {"effect": "deny", "role": "engineering"}]}
    client.put("/api/v1/collections/handbook/access?folder=a/b", json=rule, headers=root)
    for path in ("leave.md", "travel.md"):
        place = f"/api/v1/documents/{company.documents['handbook', path]}/access"
        assert client.put(place, json=rule, headers=cleo).status_code == 200
    assert used(root, "engineering") == [{"collection": "handbook", "whole": False, "folders": 1, "documents": 2}]
    administering(client, company)("PUT", "/roles/engineering/stewards/hank", None)
    # Of collections whose rules one may not change nothing is told.
    assert used(company.headers("hank"), "engineering") == []
