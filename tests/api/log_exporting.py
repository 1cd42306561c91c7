"""Asks for exports of the log in the background, watches and downloads them."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.background import BackgroundWork
from tests.support.audit_order import sequence
from tests.support.company import Company
from tests.support.waiting import wait_for

EXPORTS = "/api/v1/audit/exports"


def make_busy(client: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A company of some searches, whose exports have several parts."""
    monkeypatch.setattr("app.audit.listing.FETCH", 5)
    for number in range(12):
        answer = client.post("/api/v1/search", json={"query": f"coffee {number}"}, headers=company.headers("ben"))
        assert answer.status_code == 200
    sequence(company.db)
    return company


def start(client: TestClient, company: Company, who: str = "audrey", **body: Any) -> Any:
    return client.post(EXPORTS, json=body, headers=company.headers(who))


def state(client: TestClient, company: Company, export: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{EXPORTS}/{export}", headers=company.headers("audrey")).json()
    return found


def ended(client: TestClient, company: Company, export: str) -> dict[str, Any]:
    wait_for(lambda: state(client, company, export)["state"] != "running", seconds=30)
    return state(client, company, export)


def download(client: TestClient, company: Company, export: str, who: str = "audrey") -> Any:
    return client.get(f"{EXPORTS}/{export}/file", headers=company.headers(who))


def ending_after(work: BackgroundWork, company: Company, *, parts: int) -> BackgroundWork:
    """The same, whose `stopping` is set once so many parts are written."""

    class Ending(threading.Event):
        def is_set(self) -> bool:
            [row] = company.rows("select max(parts) as parts from log_export")
            return bool(row["parts"] >= parts)

    work.stopping = Ending()
    return work
