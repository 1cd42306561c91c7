"""Documents that change their place, and a collection that is made like a folder: whole or not, and nothing unseen."""

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from tests.api.folders import content, ids, put, rule, seen
from tests.api.problems import check_problem
from tests.support.company import Company, copied_company
from tests.support.identities import signed_on
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

SYNC = "/api/v1/collections/hr/sync"
DERIVED = "select id, document_id, text from chunk order by id"


@pytest.fixture(scope="module")
def stocked(company_template: Company) -> Iterator[Company]:
    """The hr collection with five documents of hank's, who reads it, beside the company's own."""
    with copied_company(company_template) as company:
        with client_of(parts_of(company.db)) as client:
            for path in ("a.md", "b.md", "pay/c.md", "pay/d.md", "e.md"):
                put(client, company, path, "hank")
        work_queued(company.db)
        yield company


@pytest.fixture
def company(stocked: Company) -> Iterator[Company]:
    with copied_company(stocked) as made:
        yield made


@pytest.fixture
def hr(company: Company) -> Company:
    return company


def listed(files: dict[str, str | None]) -> bytes:
    """A manifest: by path the first path of the text that stands there; None for what is not compared."""
    digests = {p: "-" if of is None else hashlib.sha256(content(of)).hexdigest() for p, of in files.items()}
    return "".join(f"{digest}  {path}\n" for path, digest in digests.items()).encode()


def sync(client: TestClient, company: Company, files: dict[str, str | None], who: str = "hank", **form: str) -> Any:
    sent = {"file": ("manifest", listed(files))}
    return client.post(SYNC, files=sent, data=form, headers=company.headers(who))


SAME: dict[str, str | None] = {
    **{path: path for path in ("a.md", "b.md", "pay/c.md", "pay/d.md", "e.md")},
    "salaries.md": None,
}


def test_looking_changes_nothing_and_says_all(client: TestClient, hr: Company) -> None:
    before = ids(hr)
    files = {**SAME, "b.md": "other", "new/c.md": "pay/c.md", "fresh.md": "fresh"}
    for path in ("pay/c.md", "e.md"):
        del files[path]
    found = sync(client, hr, files).json()
    assert (found["applied"], found["documents"], found["large"]) == (False, 6, False)
    assert (found["new"], found["changed"], found["unchanged"], found["kept"]) == (["fresh.md"], ["b.md"], 2, 1)
    assert found["moved"] == [{"id": str(before["pay/c.md"]), "old_path": "pay/c.md", "path": "new/c.md"}]
    assert found["gone"] == [{"id": str(before["e.md"]), "path": "e.md"}]
    assert ids(hr) == before
    assert hr.records("document.deleted") == []


def test_what_was_seen_is_done_and_what_moved_keeps_all_it_has(client: TestClient, hr: Company) -> None:
    """Id, passages and vectors; one record a move and a removal. An upload that follows finds it unchanged."""
    before, chunks = ids(hr), hr.rows(DERIVED)
    vectors = hr.rows("select chunk_id, embedding::text from vector_row order by chunk_id")
    files = {k: v for k, v in SAME.items() if k != "pay/c.md"} | {"new/c.md": "pay/c.md"}
    looked = sync(client, hr, files).json()
    done = sync(client, hr, files, fingerprint=looked["fingerprint"])
    assert (done.status_code, done.json()["applied"]) == (200, True), done.text
    assert ids(hr)["new/c.md"] == before["pay/c.md"]
    assert hr.rows(DERIVED) == chunks
    assert hr.rows("select chunk_id, embedding::text from vector_row order by chunk_id") == vectors
    [moved] = [r for r in hr.records("policy.changed") if r["action"] == "document.moved"]
    assert moved["target"] == f"document:{before['pay/c.md']}"
    put(client, hr, "new/c.md", "hank", text="pay/c.md")
    work_queued(hr.db)
    [job] = client.get("/api/v1/jobs", params={"limit": 1}, headers=hr.headers("hank")).json()
    assert (job["state"], job["document"]) == ("unchanged", str(before["pay/c.md"]))
    gone = {k: v for k, v in files.items() if k != "e.md"}
    looked = sync(client, hr, gone).json()
    assert sync(client, hr, gone, fingerprint=looked["fingerprint"]).status_code == 200
    assert "e.md" not in ids(hr)
    assert [r["document"] for r in hr.records("document.deleted")] == [str(before["e.md"])]


def test_nothing_unseen_is_removed(client: TestClient, hr: Company) -> None:
    """A document replaced, another one gone, a rule changed since the look: stale, and nothing at all is done."""
    files = {k: v for k, v in SAME.items() if k != "e.md"}
    seen_at = sync(client, hr, files).json()["fingerprint"]
    put(client, hr, "e.md", "hank", text="a newer version")
    work_queued(hr.db)
    check_problem(sync(client, hr, files, fingerprint=seen_at), 409, "PlanStale")
    fewer = {k: v for k, v in files.items() if k != "a.md"}
    fresh = sync(client, hr, files).json()["fingerprint"]
    check_problem(sync(client, hr, fewer, fingerprint=fresh, allow_large_removal="true"), 409, "PlanStale")
    moving = {**files, "x/e.md": "a newer version"}
    looked = sync(client, hr, moving).json()["fingerprint"]
    assert rule(client, hr, "x", {"grants": [{"role": "managers"}]}).status_code == 200
    check_problem(sync(client, hr, moving, fingerprint=looked), 409, "PlanStale")
    assert {"e.md", "a.md"} <= ids(hr).keys()


def test_a_large_removal_is_asked_for_in_so_many_words(client: TestClient, hr: Company) -> None:
    """More than a fifth of six: two. An empty folder is all of them, as when a disk is not there."""
    for files in ({k: v for k, v in SAME.items() if k not in {"a.md", "b.md"}}, {}):
        looked = sync(client, hr, files).json()
        assert looked["large"]
        refused = sync(client, hr, files, fingerprint=looked["fingerprint"])
        check_problem(refused, 409, "Conflict")
        assert "--allow-large-removal" in refused.json()["detail"]
        assert len(ids(hr)) == 6
    done = sync(client, hr, {}, fingerprint=looked["fingerprint"], allow_large_removal="true")
    assert done.status_code == 200
    assert ids(hr) == {}


def test_a_curator_who_does_not_read_is_told_paths_and_nothing_of_content(client: TestClient, hr: Company) -> None:
    """Cleo curates hr and reads none of it; she lists the paths at /documents anyway. A right guess at a content and a
    wrong one look alike, at its own path and as a move.
    """
    right = {k: v for k, v in SAME.items() if k != "e.md"} | {"new.md": "e.md"}
    wrong = {**right, "a.md": "no", "b.md": "no", "new.md": "no"}
    answers = [sync(client, hr, files, "cleo").json() for files in (right, wrong)]
    assert answers[0] == answers[1]
    assert answers[0]["changed"] == ["a.md", "b.md", "pay/c.md", "pay/d.md"]
    assert ([g["path"] for g in answers[0]["gone"]], answers[0]["moved"]) == (["e.md"], [])


def test_a_curator_compares_what_she_brought(client: TestClient, hr: Company) -> None:
    """Until somebody else replaces it: then it is another's content, and hers is an old one."""
    put(client, hr, "mine.md", "cleo")
    work_queued(hr.db)
    files: dict[str, str | None] = {**SAME, "moved.md": "mine.md"}
    assert [m["path"] for m in sync(client, hr, files, "cleo").json()["moved"]] == ["moved.md"]
    put(client, hr, "mine.md", "hank", text="of hank's")
    work_queued(hr.db)
    files["moved.md"] = "of hank's"
    assert sync(client, hr, files, "cleo").json()["moved"] == []


def test_what_she_brought_and_moved_is_unchanged_for_her(client: TestClient, hr: Company) -> None:
    """Cleo reads none of it; the worker knows the bytes for hers by the document, whatever its path is now."""
    put(client, hr, "mine.md", "cleo")
    work_queued(hr.db)
    place = f"/api/v1/documents/{ids(hr)['mine.md']}"
    assert client.patch(place, json={"path": "x/mine.md"}, headers=hr.headers("cleo")).status_code == 200
    put(client, hr, "x/mine.md", "cleo", text="mine.md")
    work_queued(hr.db)
    [job] = client.get("/api/v1/jobs", params={"limit": 1}, headers=hr.headers("cleo")).json()
    assert job["state"] == "unchanged"


def test_a_move_into_a_folder_comes_under_its_rule_and_says_who_gains(client: TestClient, hr: Company) -> None:
    """By its id and as a sync; the old folder's rule no longer counts. Both rules are in the record, whole."""
    rule(client, hr, "boss", {"grants": [{"role": "managers"}], "inherits": False})
    document = ids(hr)["a.md"]
    answer = client.patch(f"/api/v1/documents/{document}", json={"path": "boss/a.md"}, headers=hr.headers("cleo"))
    assert answer.status_code == 200, answer.text
    people = {p["user"]: (p["gains"], p["loses"]) for p in answer.json()["people"]}
    assert people == {"mia": (1, 0), "ada": (0, 1), "hank": (0, 1)}
    assert "boss/a.md" in seen(client, hr, "mia")
    assert seen(client, hr, "ada") == {"b.md", "pay/c.md", "pay/d.md", "e.md"}
    [moved] = [r for r in hr.records("policy.changed") if r["action"] == "document.moved"]
    assert (moved["before"]["label"], moved["after"]["label"]) == ("confidential", "confidential")
    assert (len(moved["before"]["grants"]), len(moved["after"]["grants"])) == (1, 1)
    assert moved["before"]["grants"] != moved["after"]["grants"]
    files = {k: v for k, v in SAME.items() if k != "b.md"} | {"boss/a.md": None, "boss/b.md": "b.md"}
    looked = sync(client, hr, files).json()
    assert {p["user"] for p in looked["people"]} == {"mia", "ada", "hank"}
    assert sync(client, hr, files, fingerprint=looked["fingerprint"]).status_code == 200
    assert {"boss/a.md", "boss/b.md"} <= seen(client, hr, "mia")


def test_nobody_moves_a_document_to_where_he_reads_it(client: TestClient, hr: Company) -> None:
    """Hank is in hr: out of a folder that is closed to it, by id and as a sync. Recorded, and nothing is done."""
    rule(client, hr, "boss", {"grants": [{"role": "managers"}], "inherits": False})
    put(client, hr, "boss/x.md", "hank")
    work_queued(hr.db)
    document = ids(hr)["boss/x.md"]
    refused = client.patch(f"/api/v1/documents/{document}", json={"path": "x.md"}, headers=hr.headers("hank"))
    check_problem(refused, 403, "SelfGrant")
    check_problem(sync(client, hr, {**SAME, "x.md": "boss/x.md"}), 403, "SelfGrant")
    assert ids(hr)["boss/x.md"] == document
    assert [r["route"] for r in hr.records("change.refused")] == [
        "PATCH /documents/{document}", "POST /collections/{name}/sync"]  # fmt: skip
    cleo = client.patch(f"/api/v1/documents/{document}", json={"path": "x.md"}, headers=hr.headers("cleo"))
    assert cleo.status_code == 200


def test_an_upload_on_its_way_is_waited_for(client: TestClient, hr: Company) -> None:
    """It would bring back what is removed, or put its content under the rule of what was moved to its path."""
    documents = ids(hr)
    put(client, hr, "e.md", "cleo", text="newer")
    put(client, hr, "new/a.md", "cleo", text="secret")
    files = {k: v for k, v in SAME.items() if k != "e.md"}
    check_problem(sync(client, hr, files), 409, "Conflict")
    for path in ("e.md", "a.md"):
        answer = client.patch(
            f"/api/v1/documents/{documents[path]}", json={"path": "new/a.md"}, headers=hr.headers("hank")
        )
        check_problem(answer, 409, "Conflict")
    work_queued(hr.db)
    assert sync(client, hr, files).status_code == 200


def test_a_move_takes_no_path_that_is_taken_and_no_other_kind(client: TestClient, hr: Company) -> None:
    document = ids(hr)["a.md"]
    for path in ("b.md", "a.md", "a.txt", "a", "a.md.txt"):
        answer = client.patch(f"/api/v1/documents/{document}", json={"path": path}, headers=hr.headers("hank"))
        check_problem(answer, 409, "Conflict")
    hidden = client.patch(f"/api/v1/documents/{document}", json={"path": "z.md"}, headers=hr.headers("ada"))
    check_problem(hidden, 403, "MissingCapability")


def test_ten_thousand_files_are_one_request(client: TestClient, hr: Company) -> None:
    """What is a body of its own, and no JSON: some 900 KB."""
    files: dict[str, str | None] = {**SAME, **{f"many/{n:05d}.md": f"{n}" for n in range(10_000)}}
    answer = sync(client, hr, files)
    assert (answer.status_code, len(answer.json()["new"])) == (200, 10_000)


def test_the_database_moves_nothing_to_where_it_does_not_belong(client: TestClient, hr: Company) -> None:
    """As the API's own role, with an injected statement: no scope but that of the nearest folder; no path by itself."""
    rule(client, hr, "boss", {"grants": [{"role": "managers"}], "inherits": False})
    put(client, hr, "boss/y.md")
    work_queued(hr.db)
    [row] = hr.rows("select d.id, d.scope_id, d.collection_id, u.id as hank from document d, app_user u"
                       " where d.path = 'boss/y.md' and u.name = 'hank'")  # fmt: skip
    statements = [
        "select clearance.move_documents(%(collection_id)s, array[%(id)s], array['z.md'], array[%(scope_id)s])",
        "update document set path = 'z.md' where id = %(id)s",
    ]
    for statement in statements:
        with psycopg.connect(hr.db.libpq("app")) as connection:
            identity = signed_on(connection, row["hank"])
            connection.execute("select set_config('clearance.identity', %s, true)", [identity])
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), row)
