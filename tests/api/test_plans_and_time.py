"""Plans and warnings: what a change does when the clock goes on, why nobody gains, and where nobody can read."""

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.access_plans import OPEN_HR, PLANS, act, inherit, plan
from tests.api.problems import check_problem
from tests.support.company import Company, upload
from tests.support.worker import work_queued


def at(**after: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**after)).replace(microsecond=0).isoformat()


def grant(**given: Any) -> dict[str, Any]:
    return {"change": "grant", "collection": "hr", "grant": given}


def test_a_grant_that_starts_later_is_no_time_bomb(client: TestClient, company: Company) -> None:
    """It says who gains and from when, beside who gains now."""
    inherit(client, company)
    start = at(hours=2)
    made = plan(client, company, grant(role="managers", starts_at=start))
    assert made["people"] == []
    [later] = made["later"]
    assert (later["user"], later["gains"], later["loses"], later["loses_from"]) == ("mia", 1, 0, None)
    assert dt.datetime.fromisoformat(later["gains_from"]) == dt.datetime.fromisoformat(start)
    assert made["why"] == []


def test_each_start_and_end_counts(client: TestClient, company: Company) -> None:
    """A deny that ends, a deny that starts, and an allow that ends before it can matter."""
    inherit(client, company)
    denied = plan(client, company, grant(effect="deny", user="ada", starts_at=at(hours=1), ends_at=at(hours=2)))
    [later] = denied["later"]
    assert (later["user"], later["gains"], later["loses"]) == ("ada", 0, 1)
    now_and_again = plan(
        client,
        company,
        grant(effect="deny", role="managers", ends_at=at(hours=3)),
        grant(role="managers", ends_at=at(hours=1)),
    )
    assert (now_and_again["people"], now_and_again["later"]) == ([], [])
    opened = plan(client, company, grant(effect="deny", role="managers", ends_at=at(hours=1)), grant(role="managers"))
    assert [(e["user"], e["gains"]) for e in opened["later"]] == [("mia", 1)]


def test_membership_counts_later_too(client: TestClient, company: Company) -> None:
    """Who joins a role that is to read from tomorrow on gains from tomorrow on."""
    inherit(client, company)
    added = client.post(
        "/api/v1/grants?collection=hr",
        json={"role": "engineering", "starts_at": at(days=1)},
        headers=company.headers("root"),
    )
    assert added.status_code == 201
    made = plan(client, company, {"change": "join", "user": "hank", "role": "engineering"})
    assert (made["people"], made["later"]) == ([], []), "he reads it already"
    made = plan(client, company, {"change": "join", "user": "mia", "role": "engineering"})
    assert [(e["user"], e["gains"]) for e in made["later"]] == [("mia", 1)]


def test_a_plan_is_stale_when_its_later_effects_changed(client: TestClient, company: Company) -> None:
    inherit(client, company)
    made = plan(client, company, grant(role="managers", starts_at=at(hours=2)))
    client.put("/api/v1/roles/managers/members/max", headers=company.headers("root"))
    check_problem(act(client, company, made), 409, "PlanStale")


def test_the_steps_are_in_words(client: TestClient, company: Company) -> None:
    """By the names of now; a document by its path for its curators, and by its id for an administrator."""
    document = company.documents["hr", "salaries.md"]
    changes = [
        grant(role="managers", ends_at="2090-01-01T00:00:00Z"),
        {"change": "revoke", "collection": "hr", "grant": {"role": "hr"}},
        {"change": "rule", "collection": "hr", "folder": "x", "rule": {"grants": [{"effect": "deny", "user": "ben"}]}},
        {"change": "grant", "document": str(document), "grant": {"everyone": True}},
    ]
    made = plan(client, company, *changes, who="cleo")
    words = [
        "collection hr: add 'allow role managers until 2090-01-01 00:00 UTC'",
        "collection hr: take away 'allow role hr'",
        "folder x of collection hr: replace the rule by 'deny ben', with what it inherits",
        "document salaries.md: add 'allow everyone'",
    ]
    assert made["steps"] == words
    shown = client.get(f"{PLANS}/{made['id']}", headers=company.headers("root")).json()["steps"]
    assert shown == [*words[:-1], f"document {document}: add 'allow everyone'"]
    people = plan(
        client,
        company,
        {"change": "join", "user": "ben", "role": "managers"},
        {"change": "unnest", "role": "hr", "inside": "managers"},
        {"change": "clearance", "user": "ben", "clearance": "public"},
    )
    assert people["steps"] == [
        "put into role managers: ben",
        "members of role hr cease to be members of role managers",
        "set the clearance of ben to public",
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (OPEN_HR, "1 document carries tags of its own, or stands in a folder that breaks with the rule."),
        ({**OPEN_HR, "folder": "x"}, "No document stands there yet; the grant counts for those that come."),
        ({**OPEN_HR, "grant": {"role": "void"}}, "Nobody is in role void."),
        ({**OPEN_HR, "grant": {"role": "hr"}}, "The rule says this already."),
    ],
    ids=lambda value: "",
)
def test_why_nobody_gains(client: TestClient, company: Company, change: dict[str, Any], why: str) -> None:
    client.post("/api/v1/roles", json={"name": "void"}, headers=company.headers("root"))
    made = plan(client, company, change)
    assert (made["people"], made["why"]) == ([], [why])


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("ben", "The label confidential is above the clearance of ben."),
        ("ada", "Everybody it names reads them already."),
        ("mia", "A deny, an end that has passed, or a switched-off account stands against mia."),
    ],
)
def test_what_stands_against_it(client: TestClient, company: Company, who: str, why: str) -> None:
    inherit(client, company)
    denied = {"effect": "deny", "role": "managers"}
    client.post("/api/v1/grants?collection=hr", json=denied, headers=company.headers("root"))
    assert plan(client, company, grant(user=who))["why"] == [why]


NOBODY = (
    "Nobody can read this: no active person is allowed by a grant, not denied by another one, and cleared for the "
    "label 'confidential'."
)


def test_what_nobody_can_read_says_so(client: TestClient, company: Company) -> None:
    """An upload, another rule and a plan; not where somebody reads, and not twice."""
    client.post("/api/v1/roles", json={"name": "void"}, headers=company.headers("root"))
    sent = upload(client, company, "cleo", collection="hr", path="new.md", content=b"# New\n\nText.", roles=["void"])
    assert sent["warnings"] == [NOBODY]
    assert (
        upload(client, company, "cleo", collection="hr", path="hr.md", content=b"# Hr", roles=["hr"])["warnings"] == []
    )
    place = f"/api/v1/documents/{company.documents['hr', 'salaries.md']}/access"
    put = client.put(place, json={"grants": [{"role": "void"}], "inherits": False}, headers=company.headers("cleo"))
    assert put.json()["warnings"] == [NOBODY]
    access = "/api/v1/collections/hr/access"
    later = {"grants": [{"role": "hr", "starts_at": "2090-01-01T00:00:00Z"}]}
    put = client.put(access, json=later, headers=company.headers("root"))
    assert put.json()["warnings"] == ["Nobody can read this before 2090-01-01 00:00:00 UTC."]
    put = client.put(access, json={"grants": [{"user": "hank"}]}, headers=company.headers("root"))
    assert put.json()["warnings"] == ["Nobody but curators of the collection can read this."]
    put = client.put(f"{access}?folder=x", json={"grants": [], "inherits": False}, headers=company.headers("root"))
    assert put.json()["warnings"] == ["no document stands below 'x': the rule is for what comes there", NOBODY]
    shut = {"change": "rule", "collection": "hr", "rule": {"grants": []}}
    assert plan(client, company, shut)["warnings"] == [NOBODY]
    assert "warnings" not in client.get(access, headers=company.headers("root")).json(), "what is read can be sent back"


def test_the_warning_is_what_the_rules_say(client: TestClient, company: Company) -> None:
    """By nested roles, denies and labels: it stands exactly where nobody's list has the document."""
    root = company.headers("root")
    client.post("/api/v1/roles", json={"name": "inner", "inside": ["managers"]}, headers=root)
    client.put("/api/v1/roles/inner/members/ben", headers=root)
    access = "/api/v1/collections/hr/access"
    upload(client, company, "cleo", collection="board", path="x.md", content=b"# X", roles=["managers"])
    work_queued(company.db)
    rules: list[tuple[dict[str, Any], bool]] = [
        ({"grants": [{"role": "managers"}], "label": "internal"}, True),
        ({"grants": [{"role": "inner"}], "label": "internal"}, True),
        ({"grants": [{"role": "inner"}], "label": "confidential"}, False),
        ({"grants": [{"role": "inner"}, {"effect": "deny", "role": "managers"}], "label": "internal"}, False),
        ({"grants": [{"role": "managers"}, {"effect": "deny", "role": "inner"}], "label": "internal"}, True),
        ({"grants": [{"everyone": True}], "label": "restricted"}, True),
        ({"grants": [{"everyone": True}, {"effect": "deny", "everyone": True}], "label": "restricted"}, False),
    ]
    client.patch("/api/v1/users/mia", json={"clearance": "restricted"}, headers=root)
    for rule, somebody in rules:
        put = client.put(access, json=rule, headers=company.headers("hank"))
        assert put.status_code == 200, put.text
        assert (put.json()["warnings"] == []) is somebody, rule


# --- Roles that no rule in force names.


def test_a_role_of_a_deleted_collection_can_be_deleted(client: TestClient, company: Company) -> None:
    """Its rule is interned and stays; the past is still explained."""
    root = company.headers("root")
    client.post("/api/v1/roles", json={"name": "team"}, headers=root)
    client.put("/api/v1/roles/team/members/ben", headers=root)
    client.post("/api/v1/collections", json={"name": "gone", "grants": [{"role": "team"}]}, headers=root)
    client.put("/api/v1/collections/gone/curators/cleo", headers=root)
    upload(client, company, "cleo", collection="gone", path="a.md", content=b"# A\n\nText.", roles=["team"])
    work_queued(company.db)
    [document] = company.rows("select public_id from document where path = 'a.md'")
    then = dt.datetime.now(dt.UTC).isoformat()
    check_problem(client.delete("/api/v1/roles/team", headers=root), 409, "Conflict")
    assert client.delete("/api/v1/collections/gone", headers=root).status_code == 204
    assert company.rows("select 1 from rule_grant g join role r on r.id = g.principal_id where r.name = 'team'")
    assert client.delete("/api/v1/roles/team", headers=root).status_code == 204
    kept = company.rows(
        "select g.principal_id from document_history d join scope_history s on s.scope_id = d.scope_id"
        " join rule r on r.id = s.rule_id"
        " join rule_grant g on g.rule_id in (coalesce(r.own_id, r.id), r.above_id)"
        " join membership_history m on m.role_id = g.principal_id"
        " where d.document = %s and s.valid_from <= %s and m.valid_from <= %s and m.valid_to > %s",
        [document["public_id"], then, then, then],
    )
    assert kept, "who was in it, and what it was granted, is still there"


@pytest.mark.parametrize("where", ["collection", "folder", "document"])
def test_a_role_in_force_stays(client: TestClient, company: Company, where: str) -> None:
    """Also where nothing stands yet that the rule could decide about."""
    root = company.headers("root")
    client.post("/api/v1/roles", json={"name": "team"}, headers=root)
    rule = {"grants": [{"effect": "deny", "role": "team"}], "inherits": False}
    if where == "document":
        place = f"/api/v1/documents/{company.documents['hr', 'salaries.md']}/access"
        assert client.put(place, json=rule, headers=company.headers("cleo")).status_code == 200
    else:
        place = f"/api/v1/collections/board/access{'?folder=x' if where == 'folder' else ''}"
        assert client.put(place, json=rule, headers=root).status_code == 200
    check_problem(client.delete("/api/v1/roles/team", headers=root), 409, "Conflict")
