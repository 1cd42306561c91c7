"""Sealed words opened for tests: with a reason, as an auditor does."""

import datetime as dt
from typing import Any

from starlette.testclient import TestClient

from app.audit.opener import OpenedScope
from tests.support.company import Company

ALL_WORDS = OpenedScope(dt.datetime.max.replace(tzinfo=dt.UTC))
REASON = "Complaint 17: what was she told?"


def opening(client: TestClient, company: Company, who: str = "audrey", **of: Any) -> str:
    """The id of an opening `of` a record or a query (`record=`, `q=`) that this auditor asked for."""
    answer = client.post("/api/v1/audit/openings", json={"reason": REASON, **of}, headers=company.headers(who))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
