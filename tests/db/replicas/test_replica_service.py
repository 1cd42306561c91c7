"""The service with a standby: its searches go there, all else does not; what metrics and the doctor say about it."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.admin.health.replicas import check_replicas
from app.answer import pipeline
from app.answer import search as search_route
from app.db.session import ReadSession
from app.db.tables.people import ApiKey
from app.identity.api_keys import make_key
from app.retrieval.search import Candidates, search
from app.settings import AuditSettings, DatabaseSettings, IdentitySettings, Settings
from app.wiring import build_replicas
from tests.db.replicas.replicated_db import DOCUMENTS, Pair, end_at_once, lock, outcomes
from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY
from tests.support.service import METRICS_KEY, client_of, parts_of

pytestmark = pytest.mark.alone

QUESTION = "What does the alder note say?"
ASKED = (("/api/v1/search", {"query": QUESTION}), ("/api/v1/ask", {"question": QUESTION, "mode": "quote"}))
GONE = "postgresql+psycopg://clearance_app:s3cret@127.0.0.1:1/x"


@pytest.fixture
def client(pair: Pair) -> Iterator[TestClient]:
    key = make_key()
    with pair.library.session("owner") as session:
        session.add(ApiKey(prefix=key.prefix, hash=key.hash, user_id=pair.ada, capabilities=["ask"]))
    parts = dataclasses.replace(parts_of(pair.library.db), database=pair.database)
    with client_of(parts) as made:
        made.headers["Authorization"] = f"Bearer {key.secret}"
        yield made


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_a_search_is_answered_by_the_standby_and_holds_what_was_revoked_back(
    pair: Pair, client: TestClient, path: str, body: dict[str, str]
) -> None:
    for _ in pair.tries():
        used = outcomes(pair.database)["used"]
        shown = client.post(path, json=body)
        assert shown.status_code == 200
        assert "the alder note" in shown.text
        if outcomes(pair.database)["used"] == used + 1:
            break
    pair.standby.pause()
    pair.revoke()
    assert "the alder note" not in client.post(path, json=body).text


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_a_search_that_replay_ends_is_answered_all_the_same(
    pair: Pair, client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str]
) -> None:
    """By the primary, as if nothing had been; metrics tell."""
    end_at_once(pair)

    def interrupted(session: ReadSession, *arguments: Any, **options: Any) -> Candidates:
        if session.on_standby:
            session.scalar(DOCUMENTS)
            lock(pair)
        return search(session, *arguments, **options)

    for module in (pipeline, search_route):
        monkeypatch.setattr(module, "search", interrupted)
    for _ in pair.tries():
        answer = client.post(path, json=body)
        assert answer.status_code == 200
        assert "the alder note" in answer.text
        if outcomes(pair.database)["lost"]:
            break
    said = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert 'clearance_replica_searches_total{outcome="lost",replica="1"} 1.0' in said


def test_what_else_is_asked_is_the_primarys(pair: Pair, client: TestClient) -> None:
    assert client.get("/api/v1/documents?collection=collection").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert not outcomes(pair.database)


def _settings(pair: Pair, *urls: str) -> Settings:
    return Settings(
        database=DatabaseSettings(
            app_url=SecretStr(pair.library.db.url("app")), replica_urls=SecretStr(" ".join(urls))
        ),
        identity=IdentitySettings(key=SecretStr(IDENTITY_KEY)),
        audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
    )


def test_the_doctor_looks_at_each_standby(pair: Pair) -> None:
    """The good one, one that is not there, one that another database role would read; no password is shown."""
    settings = _settings(pair, pair.url(), GONE, pair.url("search"))
    assert pair.looks_there() == 1
    found = list(check_replicas(settings, pair.library.db.url("app")))
    assert [(f.part, f.state) for f in found] == [("replica 1", "ok"), ("replica 2", "fail"), ("replica 3", "fail")]
    assert "s3cret" not in repr(found) + repr(settings) + repr(settings.database)


def test_without_the_setting_there_is_none_and_nobody_is_asked(pair: Pair) -> None:
    for urls, number in (((), 0), ((GONE,), 1), ((GONE, pair.url()), 2)):
        made = build_replicas(_settings(pair, *urls).database)
        with pair.also() as database:
            database.replicas = made
            assert pair.looks(database) in {(False, 1), (True, 1)}
            assert len({c.replica for c in made.counts()}) == number
