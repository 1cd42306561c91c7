"""A file that failed stays with its bytes and its reason: retried as it was asked for, or removed, by its uploader."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import content, put, rule, seen
from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company, administering
from tests.support.worker import work_queued


@pytest.fixture
def failed(client: TestClient, company: Company) -> str:
    """An upload of Cleo's to the hr collection, tagged for managers, that failed."""
    put(client, company, "pay/a.md", roles=["managers"], label="restricted")
    [job] = jobs(client, company, state="queued")
    fail(company, job["id"])
    return str(job["id"])


def fail(company: Company, job: str) -> None:
    """As the worker ends what it cannot read."""
    company.execute(
        "update ingest_job set state = 'failed', reason = 'The file is damaged.', finished_at = now()"
        f" where id = '{job}'"
    )


def jobs(client: TestClient, company: Company, who: str = "cleo", **query: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/jobs", params=query, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def retry(client: TestClient, company: Company, job: str, who: str = "cleo") -> Any:
    return client.post(f"/api/v1/jobs/{job}/retry", headers=company.headers(who))


def remove(client: TestClient, company: Company, job: str, who: str = "cleo") -> Any:
    return client.delete(f"/api/v1/jobs/{job}", headers=company.headers(who))


def bytes_of(company: Company) -> dict[str, bytes | None]:
    return {str(row["id"]): row["content"] for row in company.rows("select id, content from ingest_job")}


def test_a_retry_is_the_upload_once_more(client: TestClient, company: Company, failed: str) -> None:
    """The same bytes, path and tags, recorded as an upload; the first one says which, and gives its bytes away."""
    assert bytes_of(company)[failed] == content("pay/a.md")
    answer = retry(client, company, failed)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["path"], job["state"], job["reason"], job["retried_by"]) == ("pay/a.md", "queued", None, None)
    [first] = jobs(client, company, state="failed")
    assert (first["id"], first["retried_by"], first["reason"]) == (failed, job["id"], "The file is damaged.")
    assert (bytes_of(company)[failed], bytes_of(company)[job["id"]]) == (None, content("pay/a.md"))
    uploads = company.records("document.uploaded")[-2:]
    assert [record["job"] for record in uploads] == [failed, job["id"]]
    assert len({(r["actor"]["user"], r["collection"], r["scope"], r["size"]) for r in uploads}) == 1
    work_queued(company.db)
    assert (seen(client, company, "mia"), seen(client, company, "ada")) == ({"pay/a.md"}, set())
    [document] = company.rows("select sha256 from document where path = 'pay/a.md'")
    assert document["sha256"] == hashlib.sha256(content("pay/a.md")).digest()
    assert bytes_of(company)[job["id"]] is None


def test_it_comes_under_the_folders_rule_of_now(client: TestClient, company: Company) -> None:
    """Its own rule is as it was asked; what lies above may have changed while it lay there."""
    put(client, company, "pay/a.md")
    [job] = jobs(client, company, state="queued")
    fail(company, job["id"])
    rule(client, company, "pay", {"grants": [{"role": "managers"}], "inherits": False})
    assert retry(client, company, job["id"]).status_code == 202
    work_queued(company.db)
    assert (seen(client, company, "mia"), seen(client, company, "ada")) == ({"pay/a.md"}, set())


def test_it_is_retried_once_and_what_failed_again_goes_on_from_there(
    client: TestClient, company: Company, failed: str
) -> None:
    again = retry(client, company, failed).json()["id"]
    check_problem(retry(client, company, failed), 409, "Conflict")
    check_problem(retry(client, company, again), 409, "Conflict")
    fail(company, again)
    assert retry(client, company, again).status_code == 202


def test_only_its_uploader_retries_it_and_only_while_they_curate(
    client: TestClient, company: Company, failed: str
) -> None:
    """To another curator of the collection it is not there, as to everybody; nothing is uploaded."""
    hidden, absent = retry(client, company, failed, "hank"), retry(client, company, str(ABSENT), "hank")
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    check_problem(retry(client, company, failed, "ada"), 403, "MissingCapability")
    before = bytes_of(company)
    administering(client, company)("DELETE", "/collections/hr/curators/cleo", None)
    check_problem(retry(client, company, failed), 404, "NotFound")
    assert bytes_of(company) == before


def test_what_has_ended_can_be_removed_by_its_uploader(client: TestClient, company: Company, failed: str) -> None:
    """With its bytes, and recorded; what is on its way cannot."""
    hidden, absent = remove(client, company, failed, "hank"), remove(client, company, str(ABSENT), "hank")
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    again = retry(client, company, failed).json()["id"]
    check_problem(remove(client, company, again), 409, "Conflict")
    work_queued(company.db)
    for job in (again, failed):
        assert remove(client, company, job).status_code == 204
        check_problem(remove(client, company, job), 404, "NotFound")
    assert not {failed, again} & bytes_of(company).keys()
    assert [record["job"] for record in company.records("upload.removed")] == [again, failed]
    assert seen(client, company, "mia") == {"pay/a.md"}
