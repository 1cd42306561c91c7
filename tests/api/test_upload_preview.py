"""An upload foreseen: what the preview says is what the upload then does, and nothing is done by looking."""

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.access_plans import everything
from tests.api.folders import put, rule
from tests.api.problems import check_problem
from tests.support.company import CARD, PEOPLE, Company
from tests.support.service import parts_of
from tests.support.worker import work_queued

PREVIEW = "/api/v1/collections/hr/documents/preview"
# Each person with the name of their key.
READERS = {**{name: name for name in (*PEOPLE, "max")}, "admin": "root"}
# A new file at the top, one below a folder with a rule, one in a new folder, and two that replace what stands there.
PATHS = ("new.md", "pay/new.md", "plans/2027/new.md", "pay/a.md", "top.md")


@pytest.fixture
def hr(client: TestClient, company: Company) -> Company:
    """The hr collection with a document for hr at its top, and one below a folder that managers read as well."""
    put(client, company, "top.md")
    put(client, company, "pay/a.md")
    work_queued(company.db)
    rule(client, company, "pay", {"grants": [{"role": "managers"}, {"effect": "deny", "user": "hank"}]})
    return company


def preview(
    client: TestClient, company: Company, files: Mapping[str, int], who: str = "cleo", **tags: Any
) -> dict[str, Any]:
    answer = asked(client, company, "".join(f"{size}  {path}\n" for path, size in files.items()), who, **tags)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def asked(client: TestClient, company: Company, listed: str, who: str = "cleo", **tags: Any) -> Any:
    form = tags or {"inherits": "true"}
    return client.post(PREVIEW, files={"file": ("files", listed.encode())}, data=form, headers=company.headers(who))


def reading(client: TestClient, company: Company) -> dict[str, set[str]]:
    """What each reader reads of the hr collection, by path."""
    found = {}
    for who, key in READERS.items():
        answer = client.get("/api/v1/documents", params={"collection": "hr"}, headers=company.headers(key))
        # Who curates sees paths; they read what has a title.
        found[who] = {document["path"] for document in answer.json() if document["title"]}
    return found


@pytest.mark.parametrize(
    "tags",
    [
        {"inherits": "true"},
        {"roles": ["managers"]},
        {"roles": ["everyone"], "deny": ["hr"], "label": "internal"},
        {"roles": ["engineering"], "inherits": "true", "label": "restricted"},
        {"roles": ["hr"], "starts_at": "2090-01-01T00:00:00Z"},
        {"roles": ["managers"], "ends_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_the_upload_does_what_the_preview_says(client: TestClient, hr: Company, tags: dict[str, Any]) -> None:
    """Each person gains and loses as many as it counts, and each file has as many readers as it says."""
    before = reading(client, hr)
    said = preview(client, hr, dict.fromkeys(PATHS, 100), **tags)
    for path in PATHS:
        put(client, hr, path, text=f"again {path}", **tags)
    work_queued(hr.db)
    after = reading(client, hr)
    changed = {who: (len(after[who] - before[who]), len(before[who] - after[who])) for who in READERS}
    foreseen = {person["user"]: (person["gains"], person["loses"]) for person in said["people"]}
    assert {who: counts for who, counts in foreseen.items() if any(counts)} == {
        who: counts for who, counts in changed.items() if any(counts)
    }
    assert {file["path"]: file["fate"] for file in said["files"]} == {
        path: "replaces" if path in {"pay/a.md", "top.md"} else "new" for path in PATHS
    }
    rows = client.get("/api/v1/collections/hr/documents", headers=hr.headers("cleo")).json()
    assert {file["path"]: file["readers"] for file in said["files"]} == {
        row["path"]: row["readers"] for row in rows if row["path"] in PATHS
    }


def test_nothing_is_changed_by_looking(client: TestClient, hr: Company) -> None:
    """No scope, no rule, no record; the policy epoch stays."""
    before = everything(hr)
    preview(client, hr, dict.fromkeys(PATHS, 100), roles=["everyone"], label="public")
    assert everything(hr) == before


def test_those_who_gain_are_counted_by_role_and_by_the_clock(client: TestClient, hr: Company) -> None:
    """Ada and Hank come by hr, whose grant starts later; Mia by managers, now."""
    now = preview(client, hr, {"a.md": 1, "b.md": 1}, roles=["hr", "managers"])
    assert [(p["user"], p["gains"], p["gains_later"]) for p in now["people"]] == [
        ("ada", 2, 0), ("hank", 2, 0), ("mia", 2, 0),
    ]  # fmt: skip
    assert now["roles"] == [{"role": "hr", "people": 2}, {"role": "managers", "people": 1}]
    later = preview(client, hr, {"a.md": 1}, roles=["hr"], starts_at="2090-01-01T00:00:00Z")
    assert [(p["user"], p["gains"], p["gains_later"], p["gains_from"]) for p in later["people"]] == [
        ("ada", 0, 1, "2090-01-01T00:00:00Z"), ("hank", 0, 1, "2090-01-01T00:00:00Z"),
    ]  # fmt: skip
    assert later["roles"] == []


def test_what_nobody_could_read_is_said_with_its_reason(client: TestClient, hr: Company) -> None:
    """In the words of the upload's own warning, and only of the files that it is about."""
    said = preview(client, hr, {"a.md": 1, "b.md": 1, "c.exe": 1}, roles=["engineering"])
    [unread] = said["unread"]
    assert unread["paths"] == ["a.md", "b.md"]
    sent = client.post(
        "/api/v1/collections/hr/documents",
        headers=hr.headers("cleo"),
        files={"file": ("a.md", b"# A\n\nText.")},
        data={"roles": ["engineering"]},
    )
    assert sent.json()["warnings"] == [unread["reason"]]
    assert said["people"] == said["roles"] == []


def test_files_that_are_refused_or_not_read_count_for_nobody(client: TestClient, hr: Company) -> None:
    """By path, size or name; with the words of the refusal, or of the worker."""
    largest = parts_of(hr.db).settings.api.max_body_mb * 2**20
    sizes = {"empty.md": 0, "huge.pdf": largest, "old.doc": 1, "x.exe": 1, "café.md": 1, "cafe\u0301.md": 1}
    said = preview(client, hr, {"a.md": 100, "../b.md": 1, **sizes})
    assert {file["path"]: (file["fate"], (file["reason"] or "")[:20]) for file in said["files"]} == {
        "a.md": ("new", ""),
        "../b.md": ("refused", "The path has the nam"),
        "empty.md": ("refused", "The file has no byte"),
        "huge.pdf": ("refused", "The file has more th"),
        "old.doc": ("unreadable", "The file is named as"),
        "x.exe": ("unreadable", "This kind of file is"),
        # Two names that nobody tells apart.
        "café.md": ("refused", "Two of the files wou"),
    }
    assert [(p["user"], p["gains"]) for p in said["people"]] == [("ada", 1), ("hank", 1)]


def test_an_upload_on_its_way_and_folders_that_look_alike_are_named(client: TestClient, hr: Company) -> None:
    """A folder beside a new one, that differs in case, in marks or in one letter; years are no letters."""
    for path in ("payroll/x.md", "2026/x.md", f"cards {CARD}/x.md"):
        put(client, hr, path)
    work_queued(hr.db)
    put(client, hr, "waiting.md")
    said = preview(client, hr, {
        "waiting.md": 1, "Pay/x.md": 1, "payrol/deep/x.md": 1, "2027/x.md": 1, "pay/pay/x.md": 1, "cards  4111/x.md": 1,
    })  # fmt: skip
    assert [file["path"] for file in said["files"] if file["awaited"]] == ["waiting.md"]
    assert said["alike"] == [
        {"folder": "Pay", "existing": "pay"},
        {"folder": "payrol", "existing": "payroll"},
    ]
    [alike] = preview(client, hr, {f"Cards {CARD}/y.md": 1})["alike"]
    assert CARD not in alike["existing"]


def test_it_is_for_the_curators_of_the_collection(client: TestClient, hr: Company) -> None:
    """And refuses what the upload would refuse."""
    check_problem(asked(client, hr, "1  a.md\n", "ada"), 403, "MissingCapability")
    board = PREVIEW.replace("hr", "board")
    hidden, absent = (
        client.post(path, files={"file": ("f", b"1  a.md")}, data={"inherits": "true"}, headers=hr.headers("hank"))
        for path in (board, PREVIEW.replace("hr", "none"))
    )
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    check_problem(asked(client, hr, "1  a.md\n", roles=["nobody-knows"]), 422, "UnknownRole")
    check_problem(asked(client, hr, "1  a.md\n", inherits="false"), 422, "Untagged")
    for listed in ("a.md\n", "-1  a.md\n", "1  \n", "1 a.md\n", "1  a.md\n" * 10_001):
        check_problem(asked(client, hr, listed), 422, "InvalidInput")
