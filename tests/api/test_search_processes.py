"""The service over search processes: its answers are the same with and without them; log, metrics and doctor tell."""

import contextlib
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.admin.health.check_result import CheckResult
from app.admin.health.search_processes import check_search_processes
from app.answer.components import Components
from app.indexing.quantizer import ProductQuantizer
from app.retrieval import search as retrieval
from app.scope_index.sharding import Shard
from app.settings import EmbedderSettings, ListsSettings, SearchSettings
from app.wiring import build_index
from tests.support.certificates import certified, written
from tests.support.company import Company
from tests.support.processes import Process
from tests.support.questions import ON_LEAVE, ask
from tests.support.search_processes import PATIENCE, search_process
from tests.support.service import METRICS_KEY, client_of, parts_of
from tests.support.waiting import wait_for

DIMENSIONS = 384


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return written(tmp_path / "search.pem", certified().pem)


@pytest.fixture
def started(company: Company, tmp_path: Path, certificate: Path) -> Iterator[list[tuple[Process, str]]]:
    """Two search processes with their addresses, loading: one on a Unix socket and one on TCP."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                search_process(tmp_path, company.db, Shard(n, 2), dimensions=DIMENSIONS, certificate=given)
            )
            for n, given in ((1, None), (2, certificate))
        ]


def parts_over(company: Company, addresses: list[str], certificate: Path) -> Components:
    """The service's parts over these. However few passages there are, the lists are asked."""
    parts = parts_of(company.db)
    lists = {"servers": ", ".join(addresses), "certificate": str(certificate), "seconds": PATIENCE}
    settings = parts.settings.model_copy(
        update={
            "lists": ListsSettings.model_validate(lists),
            "embedder": EmbedderSettings(kind="hashed"),
            "search": SearchSettings.model_construct(depth=1),
        }
    )
    return dataclasses.replace(parts, settings=settings, index=build_index(settings, DIMENSIONS))


def examined(parts: Components, company: Company) -> list[CheckResult]:
    return list(check_search_processes(parts.settings.lists, company.db.url("app"), parts.embedder.dimensions))


def counted(client: TestClient) -> dict[str, float]:
    """The numbers of searches, and of losses, in the metrics."""
    text = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    lines = [
        line.rsplit(" ", 1)
        for line in text.splitlines()
        if line.startswith(("clearance_searches_total", "clearance_lists"))
    ]
    return {name: float(number) for name, number in lines if float(number) and "_created" not in name}


def test_log_and_metrics_say_who_found_the_nearest(
    company: Company,
    started: list[tuple[Process, str]],
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.retrieval.dense.EXACT_SCAN_LIMIT", 0)
    monkeypatch.setattr(retrieval, "FUSION_DEPTH", 2)
    parts = parts_over(company, [address for _, address in started], certificate)
    wait_for(
        lambda: [f.state for f in examined(parts, company)] == ["ok", "ok"],
        seconds=PATIENCE,
        message=lambda: str(examined(parts, company)),
    )

    def hits() -> Any:
        found = client.post("/api/v1/search", json={"query": ON_LEAVE}, headers=company.headers("ben"))
        assert found.status_code == 200
        return found.json()["hits"]

    with client_of(parts) as client:
        by_lists = hits()
        assert ask(client, company, "ben", ON_LEAVE).status_code == 200
        assert counted(client) == {'clearance_searches_total{nearest="lists"}': 2.0}
        started[1][0].kill()
        assert by_lists == hits()
        assert ask(client, company, "ben", ON_LEAVE).status_code == 200
        assert counted(client) == {
            'clearance_searches_total{nearest="lists"}': 2.0,
            'clearance_searches_total{nearest="unready"}': 2.0,
            'clearance_lists_lost_total{shard="2/2"}': pytest.approx(1.5, abs=0.5),
        }
    for kind in ("search.done", "answer.opened"):
        assert [r["codebook"] for r in company.records(kind)] == [ProductQuantizer(DIMENSIONS).digest, None]
        assert [r["depth"] for r in company.records(kind)] == [1, None]
    assert [f.state for f in examined(parts, company)] == ["ok", "fail"]


def test_the_doctor_finds_what_is_wrong(
    company: Company, started: list[tuple[Process, str]], certificate: Path, tmp_path: Path
) -> None:
    """Addresses in another order, one shard alone, another certificate; and nothing where there are none."""
    addresses = [address for _, address in started]
    right = parts_over(company, addresses, certificate)
    wait_for(
        lambda: [f.state for f in examined(right, company)] == ["ok", "ok"],
        seconds=PATIENCE,
        message=lambda: str(examined(right, company)),
    )
    turned = examined(parts_over(company, addresses[::-1], certificate), company)
    assert [(f.state, "in their order" in f.says) for f in turned] == [("fail", True)] * 2
    [alone] = examined(parts_over(company, addresses[:1], certificate), company)
    assert "shard 1/2 and not 1/1" in alone.says
    another = written(tmp_path / "another.pem", certified(days=29).pem)
    strange = examined(parts_over(company, addresses, another), company)
    assert [(f.part, f.state) for f in strange] == [
        ("search certificate", "warn"),
        ("search process 1/2", "ok"),
        ("search process 2/2", "fail"),
    ]
    assert f"expires on {datetime.now(UTC) + timedelta(days=29):%Y-%m-%d}" in strange[0].says
    assert "does not show the certificate" in strange[2].says
    assert examined(parts_of(company.db), company) == []
