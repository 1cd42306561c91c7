"""Folders: a rule of their own between the collection's and the document's, for all that lies below them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import ACCESS, put, rule, seen
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.worker import work_queued

FOLDERS = "/api/v1/collections/hr/folders"


@pytest.fixture
def hr(client: TestClient, company: Company) -> Company:
    """The hr collection with documents that inherit, at its top, in a folder and in one below it; and a tagged one."""
    for path in ("top.md", "pay/a.md", "pay/2026/b.md", "payroll/c.md"):
        put(client, company, path)
    put(client, company, "pay/tagged.md", inherits=False, roles=["managers"])
    work_queued(company.db)
    return company


ALL = {"top.md", "pay/a.md", "pay/2026/b.md", "payroll/c.md"}


def test_a_folder_adds_to_what_lies_above(client: TestClient, hr: Company) -> None:
    """Its grants are added, for what is there and for what comes; a folder whose name begins alike is another one."""
    assert (seen(client, hr, "ada"), seen(client, hr, "mia")) == (ALL, {"pay/tagged.md"})
    answer = rule(client, hr, "pay", {"grants": [{"role": "managers"}]})
    assert answer.status_code == 200, answer.text
    put(client, hr, "pay/2027/new.md")
    work_queued(hr.db)
    below = {"pay/a.md", "pay/2026/b.md", "pay/2027/new.md"}
    assert (seen(client, hr, "ada"), seen(client, hr, "mia")) == (
        ALL | below,
        below | {"pay/tagged.md"},
    )


def test_a_folder_breaks_with_what_lies_above(client: TestClient, hr: Company) -> None:
    """`inherits: false`: only what it says itself; the folder below it inherits that, or breaks once more."""
    rule(client, hr, "pay", {"grants": [{"role": "managers"}], "inherits": False})
    assert seen(client, hr, "ada") == {"top.md", "payroll/c.md"}
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/2026/b.md", "pay/tagged.md"}
    rule(client, hr, "pay/2026", {"grants": [{"role": "hr"}], "inherits": False})
    assert seen(client, hr, "ada") == {"top.md", "payroll/c.md", "pay/2026/b.md"}
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/tagged.md"}
    rule(client, hr, "pay/2026", {"grants": [{"effect": "deny", "user": "mia"}]})
    assert seen(client, hr, "ada") == {"top.md", "payroll/c.md"}
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/tagged.md"}


def test_a_folder_has_a_label(client: TestClient, hr: Company) -> None:
    """It holds for what lies below, unless that has one of its own."""
    rule(client, hr, "pay", {"grants": [], "label": "restricted"})
    assert seen(client, hr, "ada") == {"top.md", "payroll/c.md"}


def test_a_folder_without_its_rule_is_as_before(client: TestClient, hr: Company) -> None:
    """Taken away, what lies below comes under the next folder above, or the collection."""
    rule(client, hr, "pay", {"grants": [{"role": "managers"}], "inherits": False})
    rule(client, hr, "pay/2026", {"grants": [{"role": "engineering"}]})
    cleared = client.patch("/api/v1/users/ben", json={"clearance": "confidential"}, headers=hr.headers("root"))
    assert cleared.status_code == 200
    assert seen(client, hr, "ben") == {"pay/2026/b.md"}
    gone = client.delete(ACCESS, params={"folder": "pay/2026"}, headers=hr.headers("root"))
    assert gone.status_code == 204
    assert (seen(client, hr, "ben"), seen(client, hr, "mia")) == (
        set(), {"pay/a.md", "pay/2026/b.md", "pay/tagged.md"})  # fmt: skip
    client.delete(ACCESS, params={"folder": "pay"}, headers=hr.headers("root"))
    assert (seen(client, hr, "ada"), seen(client, hr, "mia")) == (ALL, {"pay/tagged.md"})
    again = client.delete(ACCESS, params={"folder": "pay"}, headers=hr.headers("root"))
    check_problem(again, 404, "NotFound")
    assert client.get(FOLDERS, headers=hr.headers("root")).json() == []


def test_an_upload_on_its_way_comes_under_a_folder_that_is_ruled_meanwhile(client: TestClient, hr: Company) -> None:
    """Queued before the folder had a rule, written after: it stands under the folder's rule."""
    put(client, hr, "pay/late.md")
    rule(client, hr, "pay", {"grants": [{"role": "managers"}], "inherits": False})
    work_queued(hr.db)
    assert "pay/late.md" not in seen(client, hr, "ada")
    assert "pay/late.md" in seen(client, hr, "mia")


def test_re_granting_the_collection_reaches_the_folders(client: TestClient, hr: Company) -> None:
    """What a folder inherits follows; what it broke with does not."""
    rule(client, hr, "pay", {"grants": [{"role": "managers"}]})
    rule(client, hr, "pay/2026", {"grants": [{"role": "managers"}], "inherits": False})
    client.patch("/api/v1/users/ben", json={"clearance": "confidential"}, headers=hr.headers("root"))
    client.put(ACCESS, json={"grants": [{"role": "engineering"}]}, headers=hr.headers("root"))
    assert seen(client, hr, "ben") == {"top.md", "pay/a.md", "payroll/c.md"}
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/2026/b.md", "pay/tagged.md"}


def test_re_granting_a_folder_writes_no_passage(client: TestClient, hr: Company) -> None:
    """Its first rule moves what lies below; every later one changes a scope or two, and nothing else."""
    rule(client, hr, "pay", {"grants": [{"role": "managers"}]})
    stamps = "select string_agg(xmin::text, ',' order by id) as x from {}"
    before = [hr.rows(stamps.format(table)) for table in ("document", "chunk")]
    rule(client, hr, "pay", {"grants": [{"role": "managers"}, {"role": "engineering"}]})
    assert [hr.rows(stamps.format(table)) for table in ("document", "chunk")] == before


def test_grants_of_a_folder_one_by_one(client: TestClient, hr: Company) -> None:
    """As those of a collection; only for a folder that has a rule."""
    target = {"collection": "hr", "folder": "/pay/"}
    early = client.post("/api/v1/grants", params=target, json={"role": "managers"}, headers=hr.headers("root"))
    check_problem(early, 404, "NotFound")
    rule(client, hr, "pay", {"grants": []})
    made = client.post("/api/v1/grants", params=target, json={"role": "managers"}, headers=hr.headers("root"))
    assert made.status_code == 201
    assert "pay/a.md" in seen(client, hr, "mia")
    gone = client.delete(f"/api/v1/grants/{made.json()['id']}", params=target, headers=hr.headers("root"))
    assert gone.status_code == 204
    assert "pay/a.md" not in seen(client, hr, "mia")


def test_whose_business_it_is(client: TestClient, hr: Company) -> None:
    """Curators and administrators; readers of the collection are told so, strangers that there is nothing."""
    body: dict[str, Any] = {"grants": []}
    assert rule(client, hr, "pay", body, "cleo").status_code == 200
    check_problem(rule(client, hr, "pay", body, "ada"), 403, "NotAllowed")
    check_problem(rule(client, hr, "pay", body, "ben"), 404, "NotFound")
    check_problem(client.get(FOLDERS, headers=hr.headers("ada")), 403, "NotAllowed")
    check_problem(client.get(FOLDERS, headers=hr.headers("ben")), 404, "NotFound")
    assert [f["path"] for f in client.get(FOLDERS, headers=hr.headers("cleo")).json()] == ["pay"]


def test_nobody_opens_a_folder_to_himself(client: TestClient, hr: Company) -> None:
    """Hank is in hr and curates its collection: with a folder's first rule and with a later one."""
    rule(client, hr, "pay", {"grants": [], "inherits": False})
    opened = {"grants": [{"role": "hr"}], "inherits": False}
    check_problem(rule(client, hr, "pay", opened, "hank"), 403, "SelfGrant")
    gone = client.delete(ACCESS, params={"folder": "pay"}, headers=hr.headers("hank"))
    check_problem(gone, 403, "SelfGrant")
    assert seen(client, hr, "ada") == {"top.md", "payroll/c.md"}, "nothing of it was made"
    refused = hr.records("change.refused")
    assert [(r["reason"], r["route"].split()[0]) for r in refused] == [("SelfGrant", "PUT"), ("SelfGrant", "DELETE")]


@pytest.mark.parametrize("path", ["", "/", "..", "pay/../x", "pay//x", "./pay"])
def test_what_is_no_folder(client: TestClient, hr: Company, path: str) -> None:
    check_problem(rule(client, hr, path, {"grants": []}), 422, "InvalidInput")
