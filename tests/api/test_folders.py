"""Folders: a rule of their own between the collection's and the document's, for all that lies below them."""

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
    put(client, company, "pay/tagged.md", roles=["managers"])
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


@pytest.mark.parametrize("path", ["", "/", "..", "pay/../x", "pay//x", "./pay"])
def test_what_is_no_folder(client: TestClient, hr: Company, path: str) -> None:
    check_problem(rule(client, hr, path, {"grants": []}), 422, "InvalidInput")
