"""The depth that is set reaches every search and its record; the service gets no more settings than it must have."""

import dataclasses
from typing import Any

import pytest

from app.local.environment import BACKUP_URL, RuntimeConfig, api_environment
from app.retrieval import search as retrieval
from app.retrieval.dense import Nearest, nearest
from app.settings import SearchSettings
from tests.support.company import Company
from tests.support.questions import ON_LEAVE, ask
from tests.support.service import client_of, parts_of

SET = 90


@pytest.mark.parametrize("outcome", ["lists", "lost"])
def test_the_depth_that_is_set_is_searched_and_recorded(
    company: Company, monkeypatch: pytest.MonkeyPatch, outcome: Any
) -> None:
    """Recorded with the codebook, where lists took part: without them every visible passage was compared."""
    depths = []

    def watched(*given: Any, depth: int, **options: Any) -> Nearest:
        depths.append(depth)
        return dataclasses.replace(nearest(*given, depth=depth, **options), outcome=outcome)

    monkeypatch.setattr(retrieval, "nearest", watched)
    parts = parts_of(company.db)
    settings = parts.settings.model_copy(update={"search": SearchSettings(depth=SET)})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        assert ask(client, company, "ben", ON_LEAVE).status_code == 200
        found = client.post("/api/v1/search", json={"query": ON_LEAVE}, headers=company.headers("ben"))
        assert found.status_code == 200
    assert depths == [SET, SET]
    for kind in ("answer.opened", "search.done"):
        [record] = company.records(kind)
        assert record["depth"] == (SET if outcome == "lists" else None)
        assert (record["codebook"] is None) == (record["depth"] is None)


def test_the_service_gets_what_it_needs_and_not_the_url_that_reads_everything() -> None:
    wiring = RuntimeConfig(
        app_url="app", ingest_url="ingest", sequencer_url="sequencer", delivery_url="delivery", search_url="search",
        identity_key="identity", audit_key="audit", signing_key="signing", metrics_key="metrics", model={},
        embedder_cache="cache",
    )  # fmt: skip
    wanted = {"CLEARANCE_SEARCH__DEPTH": "450", "CLEARANCE_RERANKER__NAME": "some/model"}
    given = api_environment({**wanted, BACKUP_URL: "everything"}, wiring)
    assert given.items() >= wanted.items()
    assert "everything" not in given.values()
