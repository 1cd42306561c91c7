"""Lists of documents: of a folder, by a text in the path, by path or by change; and as their curators see them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import put, rule
from tests.api.pages import every
from tests.api.problems import check_problem
from tests.support.company import CARD, Company
from tests.support.worker import work_queued

LIST = "/api/v1/documents"
CURATED = "/api/v1/collections/hr/documents"
PATHS = ["pay/2026/b.md", "pay/a.md", "pay/tagged.md", "pay2/e.md", "payroll/c.md", "salaries.md", "Zebra.md"]


@pytest.fixture
def hr(client: TestClient, company: Company) -> Company:
    """The hr collection with documents in folders whose names begin alike, one of them with tags."""
    for path in ("pay/a.md", "pay/2026/b.md", "payroll/c.md", "pay2/e.md", "Zebra.md"):
        put(client, company, path)
    put(client, company, "pay/tagged.md", roles=["managers"])
    work_queued(company.db)
    return company


def listed(client: TestClient, company: Company, who: str, **query: str) -> list[str]:
    answer = client.get(LIST, params=query, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    return [document["path"] for document in answer.json()]


def rows(client: TestClient, company: Company, who: str = "cleo", **query: str) -> dict[str, dict[str, Any]]:
    answer = client.get(CURATED, params=query, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    return {row["path"]: row for row in answer.json()}


def test_a_folder_holds_what_lies_in_it_and_below(client: TestClient, hr: Company) -> None:
    """And nothing of folders whose names begin alike; a reader gets of it what they read."""
    assert listed(client, hr, "cleo", folder="pay") == ["pay/2026/b.md", "pay/a.md", "pay/tagged.md"]
    assert listed(client, hr, "ada", folder="/pay/") == ["pay/2026/b.md", "pay/a.md"]
    assert listed(client, hr, "mia", folder="pay", order="changed") == ["pay/tagged.md"]
    assert listed(client, hr, "ben", folder="pay") == listed(client, hr, "ben", folder="nothing") == []
    check_problem(client.get(LIST, params={"folder": "../x"}, headers=hr.headers("ada")), 422, "InvalidInput")


def test_paths_are_in_one_order_on_every_server(client: TestClient, hr: Company) -> None:
    """By their bytes, whatever the language of the database: so what lies in a folder stands together."""
    assert listed(client, hr, "cleo", collection="hr") == sorted(PATHS)


def test_a_text_in_the_path_is_for_those_who_may_know_paths(client: TestClient, hr: Company) -> None:
    """A reader's list by it is empty, also of what they read: they could find out what is redacted in a path."""
    put(client, hr, f"cards/{CARD}.md")
    work_queued(hr.db)
    assert listed(client, hr, "cleo", contains="PAY/") == ["pay/2026/b.md", "pay/a.md", "pay/tagged.md"]
    assert listed(client, hr, "cleo", contains="zebra", order="changed") == ["Zebra.md"]
    [shown] = listed(client, hr, "hank", contains=CARD)
    assert CARD not in shown
    assert "cards/" in str(listed(client, hr, "ada"))
    for text in ("pay", CARD[:4], "cards"):
        assert listed(client, hr, "ada", contains=text) == [], text


def test_pages_by_path_and_by_change_are_the_whole_list(client: TestClient, hr: Company) -> None:
    """What one both curates and reads stands in it once, and a page begins where the one before ended."""
    for who in ("hank", "ada"):
        for order in ("path", "changed"):
            headers, path = hr.headers(who), f"{LIST}?order={order}"
            whole = client.get(path, headers=headers).json()
            assert len({document["id"] for document in whole}) == len(whole) > 5
            for limit in (1, 3, len(whole)):
                assert every(client, path, headers, limit) == whole, (who, order)
    latest_first = client.get(f"{LIST}?order=changed", headers=hr.headers("hank")).json()
    times = [document["updated_at"] for document in latest_first]
    assert times == sorted(times, reverse=True)


def test_a_page_by_change_skips_nothing_when_its_last_document_changes(client: TestClient, hr: Company) -> None:
    """It begins behind a moment, not behind a document that may have come to the top since."""
    headers = hr.headers("cleo")
    whole = listed(client, hr, "cleo", order="changed", collection="hr")
    first = client.get(f"{LIST}?order=changed&collection=hr&limit=3", headers=headers)
    put(client, hr, whole[2], text="anew")
    work_queued(hr.db)
    second = client.get(LIST + first.links["next"]["url"], headers=headers)
    assert [document["path"] for document in second.json()] == whole[3:6]


def test_a_curator_sees_how_many_read_each_document(client: TestClient, hr: Company) -> None:
    """As many as /access/readers names, under folders' rules and tags; titles where they read themselves."""
    rule(client, hr, "pay", {"grants": [{"role": "managers"}, {"effect": "deny", "user": "hank"}]})
    found = rows(client, hr, "hank")
    assert list(found) == sorted(PATHS)
    for path, row in found.items():
        named = client.get("/api/v1/access/readers", params={"document": row["id"]}, headers=hr.headers("hank")).json()
        assert row["readers"] == len(named), path
    assert {row["readers"] for row in found.values()} == {1, 2}
    assert [path for path, row in found.items() if row["title"]] == [
        path for path in sorted(PATHS) if not path.startswith("pay/")
    ]
    assert [path for path, row in found.items() if row["tagged"]] == ["pay/tagged.md", "salaries.md"]
    assert {row["label"] for row in found.values()} == {"confidential"}


def test_an_upload_that_failed_or_waits_shows_at_its_document(client: TestClient, hr: Company) -> None:
    """One's own last one, until the document is brought again; what another curator sent is theirs."""
    assert {row["upload"] for row in rows(client, hr).values()} == {None}
    put(client, hr, "pay/a.md", text="again")
    assert rows(client, hr)["pay/a.md"]["upload"]["state"] == "queued"
    fail(hr)
    upload = rows(client, hr)["pay/a.md"]["upload"]
    assert (upload["state"], upload["reason"]) == ("failed", "It cannot be read.")
    assert rows(client, hr, "hank")["pay/a.md"]["upload"] is None
    put(client, hr, "pay/a.md", "hank", text="third")
    work_queued(hr.db)
    assert rows(client, hr)["pay/a.md"]["upload"] is None


def fail(company: Company) -> None:
    """Let the upload that waits fail."""
    company.execute(
        "update ingest_job set state = 'failed', reason = 'It cannot be read.', finished_at = now()"
        " where state = 'queued'"
    )


def test_the_rows_are_for_curators_of_the_collection(client: TestClient, hr: Company) -> None:
    """To who curates another one it is not there, unless they read from it."""
    check_problem(client.get(CURATED, headers=hr.headers("ada")), 403, "MissingCapability")
    board = "/api/v1/collections/board/documents"
    hidden, absent = (client.get(p, headers=hr.headers("hank")) for p in (board, board.replace("board", "none")))
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    check_problem(
        client.get("/api/v1/collections/handbook/documents", headers=hr.headers("hank")), 403, "MissingCapability"
    )
