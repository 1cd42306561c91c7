"""What auditors, administrators and metrics are told of the log's delivery, and how refused records are sent again."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.cli.doctor.checks import check_deliveries
from app.cli.doctor.installation import Installation
from app.settings import AuditSettings
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.cluster import AUDIT_KEY
from tests.support.company import Company
from tests.support.service import METRICS_KEY, parts_of

PATH = "/api/v1/audit/deliveries"
TARGETS = """
    insert into audit_delivery (target, kind, form, delivered, delivered_at, error, failures, configured) values
      ('siem', 'http', 'ocsf', 3, now(), 'HTTP 503', 7, true), ('old', 'folder', 'jsonl', 0, null, null, 0, false),
      ('well', 'syslog', 'cef', (select max(size) from audit_head), now(), null, 0, true);
    insert into audit_dead_letter (target, seq, reason) values ('siem', 1, 'HTTP 400'), ('siem', 2, 'HTTP 413');
    alter table audit_entry disable trigger append_only;
    update audit_entry set at = now() - interval '20 minutes' where seq = 3;
"""


@pytest.fixture
def delivered(company: Company) -> Company:
    sequence(company.db)
    company.execute(TARGETS)
    return company


def states(client: TestClient, company: Company) -> dict[str, dict[str, Any]]:
    answer = client.get(PATH, headers=company.headers("audrey"))
    assert answer.status_code == 200
    return {each["target"]: each for each in answer.json()}


def test_auditors_see_how_far_each_target_is(client: TestClient, delivered: Company) -> None:
    found = states(client, delivered)
    siem, size = found["siem"], found["well"]["delivered"]
    assert list(found) == ["old", "siem", "well"]
    assert (siem["delivered"], siem["waiting"], siem["dead_letters"], siem["retrying"]) == (3, size - 3, 2, 0)
    assert 1_200 <= siem["lag_seconds"] < 1_300
    assert (siem["error"], siem["failures"], siem["configured"]) == ("HTTP 503", 7, True)
    assert (found["well"]["lag_seconds"], found["old"]["configured"]) == (0, False)
    for who in ("ada", "root"):
        check_problem(client.get(PATH, headers=delivered.headers(who)), 403, "MissingCapability")


def test_refused_records_are_listed_and_sent_again(client: TestClient, delivered: Company) -> None:
    headers = delivered.headers("audrey")
    letters = client.get(f"{PATH}/siem/dead-letters?limit=1", headers=headers)
    assert [(each["seq"], each["reason"], each["retry"]) for each in letters.json()] == [(1, "HTTP 400", False)]
    assert 'rel="next"' in letters.headers["Link"]
    check_problem(client.get(f"{PATH}/nowhere/dead-letters", headers=headers), 404, "NotFound")
    check_problem(client.post(f"{PATH}/nowhere/retry", headers=headers), 404, "NotFound")
    check_problem(client.post(f"{PATH}/siem/retry", headers=delivered.headers("root")), 403, "MissingCapability")
    assert states(client, delivered)["siem"]["retrying"] == 0
    for _ in range(2):
        assert client.post(f"{PATH}/siem/retry", headers=headers).status_code == 204
    assert states(client, delivered)["siem"]["retrying"] == 2
    [record] = delivered.records("delivery.retried")
    assert (record["target"], record["records"], record["actor"]["name"]) == ("siem", 2, "audrey")


def test_metrics_say_how_late_a_target_is_and_no_number_of_records(client: TestClient, delivered: Company) -> None:
    said = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    lines = [line for line in said.splitlines() if line.startswith("clearance_delivery_")]
    values = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
    late = values.pop('clearance_delivery_lag_seconds{target="siem"}')
    assert 1_200 <= late < 1_300
    assert values == {
        'clearance_delivery_lag_seconds{target="well"}': 0,
        'clearance_delivery_dead_letters{target="siem"}': 2,
        'clearance_delivery_dead_letters{target="well"}': 0,
    }


def test_the_service_alarms_an_administrator(client: TestClient, delivered: Company) -> None:
    answer = client.get("/api/v1/health", headers=delivered.headers("root"))
    found = {check["part"]: check for check in answer.json()["checks"] if check["part"].startswith("delivery")}
    assert {part: check["state"] for part, check in found.items()} == {"delivery siem": "fail", "delivery well": "ok"}
    assert "the oldest for 20 min (HTTP 503)" in found["delivery siem"]["says"]


def test_the_doctor_alarms_whoever_runs_it(delivered: Company) -> None:
    """With the database role of delivery, where its URL is known; else it says that it did not look."""
    parts = parts_of(delivered.db)
    named = {"deliveries": "siem http https://siem.example.com ocsf, gone folder /log jsonl"}
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, **named})
    settings = parts.settings.model_copy(update={"audit": audit})
    parts.database.close()

    def found(urls: dict[str, str]) -> dict[str, str]:
        setup = Installation(settings=settings, urls=urls, api_url="", home=Path(), instance=None, embedded=False)
        return {result.part: result.state for result in check_deliveries(setup)}

    states = {"delivery siem": "fail", "delivery gone": "fail", "delivery well": "ok"}
    assert found({"clearance_delivery": delivered.db.url("delivery")}) == states
    assert found({}) == {"delivery": "warn"}
