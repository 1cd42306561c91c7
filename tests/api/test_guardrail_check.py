"""POST /guardrail/check: for administrators; the record says that it was asked, and nothing of the text."""

import dataclasses
import json

from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.support.company import API_KEY, Company
from tests.support.failing_checks import Raising, failing_check
from tests.support.guardrail_policy import with_checks
from tests.support.service import client_of, parts_of

TEXT = f"Write to ben@example.org.\nThe deploy key is {API_KEY}."


def test_an_administrator_is_shown_what_would_be_hidden_and_why(client: TestClient, company: Company) -> None:
    answer = client.post("/api/v1/guardrail/check", json={"text": TEXT}, headers=company.headers("root"))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["redacted"] == "Write to [redacted: email].\nThe deploy key is [redacted: credential]."
    assert [TEXT[span["start"] : span["end"]] for span in found["hidden"]] == ["ben@example.org", API_KEY]
    assert found["hidden"][0] == {
        "start": 9, "end": 24, "kind": "email", "action": "remove", "reason": "address with a domain",
        "rule": "email.CHECK",
    }  # fmt: skip
    assert API_KEY not in answer.text
    [asked] = company.records("guardrail.checked")
    assert (asked["characters"], asked["redactions"]) == (len(TEXT), {"credential": 1, "email": 1})
    assert asked["actor"]["name"] == "admin"
    for secret in ("ben@example.org", API_KEY, "deploy"):
        assert secret not in json.dumps(asked)
    assert company.rows("select 1 from audit_leaf where strpos(body, %s) > 0", [API_KEY]) == []


def test_nobody_else_is_and_no_text_is_too_long(client: TestClient, company: Company) -> None:
    for who in ("ben", "cleo", "audrey"):
        answer = client.post("/api/v1/guardrail/check", json={"text": TEXT}, headers=company.headers(who))
        check_problem(answer, 403, "MissingCapability")
    for text in ("", "a" * 60_001):
        answer = client.post("/api/v1/guardrail/check", json={"text": text}, headers=company.headers("root"))
        check_problem(answer, 422, "InvalidInput")
    assert company.records("guardrail.checked") == []


def test_a_text_that_cannot_be_checked_is_an_error_without_it(company: Company) -> None:
    parts = parts_of(company.db)
    with client_of(dataclasses.replace(parts, policy=with_checks((*parts.checks, failing_check(Raising))))) as client:
        headers = company.headers("root")
        answer = client.post("/api/v1/guardrail/check", json={"text": "on the intranet 2024"}, headers=headers)
    check_problem(answer, 500, "GuardrailFailed")
    assert "intranet" not in answer.text
    assert company.records("guardrail.checked") == []
