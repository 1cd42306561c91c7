"""A leak test that is started from the service: in whose name, how far it is, what is kept, and one at a time."""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.background import BackgroundWork
from app.admin.leak_test_runs import LeakTestRuns, LeakTestSteps, RunLeakTest
from app.client.errors import UserError
from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company
from tests.support.service import app_of, parts_of
from tests.support.waiting import wait_for

RUNS = "/api/v1/leak-tests"
REPORT = {"ok": True, "failures": [], "matrix": []}
Using = Callable[[RunLeakTest], LeakTestRuns]


@pytest.fixture
def background() -> Iterator[BackgroundWork]:
    made = BackgroundWork()
    yield made
    made.close()


@pytest.fixture
def using(client: TestClient, background: BackgroundWork) -> Using:
    """The service with a leak test that a test writes, in a thread as always."""

    def replace(run: RunLeakTest) -> LeakTestRuns:
        app_of(client).state.leak_tests = LeakTestRuns(run, "http://here", background)
        return app_of(client).state.leak_tests  # type: ignore[no-any-return]

    return replace


def start(client: TestClient, company: Company, who: str = "root") -> Any:
    return client.post(RUNS, headers=company.headers(who))


def ended(client: TestClient, company: Company, run: str) -> Any:
    def look() -> Any:
        return client.get(f"{RUNS}/{run}", headers=company.headers("root")).json()

    wait_for(lambda: look()["state"] != "running", seconds=30)
    return look()


def test_it_acts_in_the_administrators_name_and_its_key_ends_with_it(
    client: TestClient, company: Company, using: Using
) -> None:
    """The key may administer alone, works while it runs and not after; both ends are recorded."""
    seen: dict[str, Any] = {}

    def run(url: str, key: str, steps: LeakTestSteps) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {key}"}
        seen.update(url=url, headers=headers, me=client.get("/api/v1/users/me", headers=headers).json())
        steps.begin_step("asking as everybody")
        steps.advanced(3, 7)
        [listed] = client.get(RUNS, headers=company.headers("root")).json()
        seen["progress"] = tuple(listed[name] for name in ("state", "step", "done", "total"))
        return {**REPORT, "failures": [{"surface": "GET /documents"}]}

    using(run)
    answer = start(client, company)
    assert answer.status_code == 201
    found = ended(client, company, answer.json()["id"])
    assert seen["me"]["name"] == "admin"
    assert seen["progress"] == ("running", "asking as everybody", 3, 7)
    assert (found["state"], found["failures"], found["started_by"], found["error"]) == ("ended", 1, "admin", None)
    assert found["report"]["failures"] == [{"surface": "GET /documents"}]
    check_problem(client.get("/api/v1/users/me", headers=seen["headers"]), 401, "NotSignedIn")
    [key] = company.rows("select prefix, capabilities, expires_at - created_at as life, revoked_at is not null as over"
                         " from api_key where label = 'leak test'")  # fmt: skip
    assert (key["capabilities"], key["life"].total_seconds(), key["over"]) == (["administer"], 7200, True)
    [began], [over] = company.records("leaktest.started"), company.records("leaktest.ended")
    assert (began["run"], began["prefix"], over["failures"]) == (found["id"], key["prefix"], 1)
    assert began["actor"]["name"] == over["actor"]["name"] == "admin"


def test_there_is_one_at_a_time(client: TestClient, company: Company, using: Using) -> None:
    """Also where two services run over one database: the database refuses the second."""
    go_on = threading.Event()

    def run(*_: Any) -> Mapping[str, Any]:
        go_on.wait(30)
        return REPORT

    using(run)
    first = start(client, company).json()["id"]
    check_problem(start(client, company), 409, "Conflict")
    go_on.set()
    assert ended(client, company, first)["failures"] == 0
    assert start(client, company).status_code == 201
    assert len(company.records("leaktest.started")) == 2


def test_what_fails_is_said_without_what_nobody_expected(client: TestClient, company: Company, using: Using) -> None:
    """An error of ours in its words, any other as ours to mend; the key is over all the same."""
    told = iter((UserError("no administrator"), RuntimeError("the password is s3cret")))

    def run(*_: Any) -> Mapping[str, Any]:
        raise next(told)

    using(run)
    first, second = (ended(client, company, start(client, company).json()["id"]) for _ in range(2))
    assert (first["state"], first["error"], first["failures"]) == ("failed", "no administrator", None)
    assert "s3cret" not in str(second)
    assert second["error"].startswith("The test itself failed.")
    assert company.rows("select 1 from api_key where label = 'leak test' and revoked_at is null") == []


def test_a_service_that_stops_ends_it(
    client: TestClient, company: Company, using: Using, background: BackgroundWork
) -> None:
    begun = threading.Event()

    def run(_url: str, _key: str, steps: LeakTestSteps) -> Mapping[str, Any]:
        while True:
            steps.advanced(1, 2)
            begun.set()

    using(run)
    started = start(client, company).json()["id"]
    assert begun.wait(10)
    background.close()
    found = ended(client, company, started)
    assert (found["state"], found["error"]) == ("failed", "the service is being stopped")


def test_one_whose_process_is_gone_holds_nobody_up(client: TestClient, company: Company, using: Using) -> None:
    company.execute("insert into leak_test_run (started_by, beat_at) select id, now() - interval '11 minutes'"
                    " from app_user where name = 'admin'")  # fmt: skip
    [gone] = client.get(RUNS, headers=company.headers("root")).json()
    assert (gone["state"], gone["error"].startswith("The process that ran it is gone")) == ("failed", True)
    using(lambda *_: REPORT)
    ended(client, company, start(client, company).json()["id"])
    states = company.rows("select state from leak_test_run order by started_at")
    assert [row["state"] for row in states] == ["failed", "ended"]


def test_it_is_for_administrators(client: TestClient, company: Company, using: Using) -> None:
    using(lambda *_: REPORT)
    run = start(client, company).json()["id"]
    for who in ("cleo", "audrey"):
        check_problem(start(client, company, who), 403, "MissingCapability")
        check_problem(client.get(f"{RUNS}/{run}", headers=company.headers(who)), 403, "MissingCapability")
    check_problem(client.get(f"{RUNS}/{ABSENT}", headers=company.headers("root")), 404, "NotFound")
    parts = parts_of(company.db)
    cleo = company.rows("select id from app_user where name = 'cleo'")[0]["id"]
    with parts.database.reading(uuid.UUID(str(cleo))) as session:
        assert session.connection().exec_driver_sql("select * from leak_test_run").all() == []
    parts.database.close()
