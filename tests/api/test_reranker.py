"""A cross-encoder over the service: it orders search and answer, shows in `explain`, and is named in the record."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import QueuePool

from app.answer.components import Components
from app.cli.doctor import pair_models
from app.cli.doctor.installation import Installation
from app.embedding.shared_words import SharedWords
from app.retrieval.rerank import Reranking
from app.settings import RerankerSettings
from app.wiring import build_reranking
from tests.support.company import Company
from tests.support.cross_encoders import made_in
from tests.support.questions import ask
from tests.support.service import client_of, parts_of, saying

QUERY = "parental leave weeks"


class Kitchen(SharedWords):
    """Prefers whatever speaks of the kitchen, and remembers what it was shown."""

    name = "kitchen"
    digest = "ab" * 32

    def __init__(self) -> None:
        self.read: list[str] = []

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """10 for the kitchen, -10 for all else."""
        self.read += passages
        return [10.0 if "kitchen" in passage.lower() else -10.0 for passage in passages]


def found(client: TestClient, company: Company, who: str = "ben", **more: Any) -> dict[str, Any]:
    body = {"query": QUERY, "explain": True, **more}
    response = client.post("/api/v1/search", json=body, headers=company.headers(who))
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


def parts_with(company: Company, reranker: Any, candidates: int = 20) -> Components:
    parts = parts_of(company.db, chat=saying("It says so [1]."))
    return dataclasses.replace(parts, reranking=Reranking(reranker, candidates))


def test_it_is_off_by_default(client: TestClient, company: Company) -> None:
    hits = found(client, company)["hits"]
    assert {hit["explained"]["reranked"] for hit in hits} == {None}
    assert company.records("search.done")[-1]["reranker"] is None
    ask(client, company, "ben", QUERY)
    assert company.records("answer.opened")[-1]["reranker"] is None
    assert build_reranking(parts_of(company.db).settings) is None


def test_it_orders_what_is_found_and_says_so(client: TestClient, company: Company) -> None:
    plain = found(client, company)["hits"]
    assert plain[0]["path"] == "leave.md"
    kitchen = Kitchen()
    with client_of(parts_with(company, kitchen)) as reranked:
        hits = found(reranked, company)["hits"]
        [first] = found(reranked, company, limit=1)["hits"]
    assert hits[0]["path"] == first["path"] == "kitchen.md", "it looks at more than is asked for"
    assert hits[0]["explained"]["reranked"] == 10.0
    assert {hit["explained"]["reranked"] for hit in hits[1:]} == {-10.0}
    assert {hit["chunk"] for hit in hits} == {hit["chunk"] for hit in plain}
    assert [hit["score"] for hit in hits] == [hit["score"] for hit in plain], "scores still order the hits"
    rest = [hit["chunk"] for hit in plain if hit["path"] != "kitchen.md"]
    assert [hit["chunk"] for hit in hits[1:]] == rest, "ties stay as they were"
    assert company.records("search.done")[-1]["reranker"] == kitchen.digest


def test_an_answer_is_made_in_its_order(company: Company) -> None:
    kitchen = Kitchen()
    with client_of(parts_with(company, kitchen)) as client:
        answer = ask(client, company, "ben", "How many weeks of parental leave does every employee get?")
    assert answer.status_code == 200
    opened = company.records("answer.opened")[-1]
    assert opened["reranker"] == kitchen.digest
    assert opened["passages"][0]["document"] == str(company.documents["handbook", "kitchen.md"])


def test_no_connection_is_held_while_it_reads(company: Company) -> None:
    """A large model takes seconds: whoever wants the database meanwhile must find a connection."""
    parts, held = parts_of(company.db), []
    pool = parts.database.engine.pool
    assert isinstance(pool, QueuePool)
    out = pool.checkedout

    class Watching(SharedWords):
        def scores(self, question: str, passages: Sequence[str]) -> list[float]:
            held.append(out())
            return super().scores(question, passages)

    with client_of(dataclasses.replace(parts, reranking=Reranking(Watching(), 20))) as client:
        found(client, company, neighbours=1)
        ask(client, company, "ben", QUERY)
    assert held == [0, 0]
    [closed] = company.records("answer.closed")
    assert closed["latency_us"]["rerank"] > 0


def test_it_never_reads_what_its_asker_may_not(company: Company) -> None:
    kitchen = Kitchen()
    with client_of(parts_with(company, kitchen)) as client:
        ask(client, company, "ben", "What is the salary band of level five?")
        ask(client, company, "ben", "When does the merger with Quillfeather close?")
        found(client, company, query="salary merger florins")
    assert kitchen.read
    assert not [passage for passage in kitchen.read if "florins" in passage or "November" in passage]


@pytest.mark.real
def test_a_real_one_is_built_from_the_settings_and_orders(company: Company, tmp_path: Path) -> None:
    """Random weights: an order like any other, the same each time and for each company of candidates."""
    chosen = RerankerSettings(name=made_in(tmp_path), candidates=3)
    parts = parts_of(company.db)
    reranking = build_reranking(parts.settings.model_copy(update={"reranker": chosen}))
    assert reranking is not None
    with client_of(dataclasses.replace(parts, reranking=reranking)) as client:
        hits = found(client, company)["hits"]
        again = found(client, company)["hits"]
    given = [hit["explained"]["reranked"] for hit in hits[:3]]
    assert given == sorted(given, reverse=True)
    assert len(set(given)) == 3
    assert hits == again
    assert company.records("search.done")[-1]["reranker"] == reranking.reranker.digest
    [ready] = pair_models.check_reranker(setup_of(parts, chosen))
    assert (ready.part, ready.state) == ("reranker", "ok")
    assert "the 3 best" in ready.says


def setup_of(parts: Components, chosen: RerankerSettings) -> Installation:
    settings = parts.settings.model_copy(update={"reranker": chosen})
    return Installation(settings=settings, urls={}, api_url="", home=Path(), instance=None, embedded=False)


def test_the_doctor_says_what_is_missing(company: Company) -> None:
    parts = parts_of(company.db)
    assert list(pair_models.check_reranker(setup_of(parts, RerankerSettings()))) == []
    absent = RerankerSettings(name="nobody/nothing")
    [missing] = pair_models.check_reranker(setup_of(parts, absent))
    assert missing.state == "fail"
    assert "unset CLEARANCE_RERANKER__NAME" in missing.mend
