"""Two worlds over HTTP: every answer a reader can get and every prompt a model gets, but for trail ids and times."""

import datetime as dt
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.acl.keys import make_key
from app.acl.rules import Label
from app.answer.parts import Parts
from app.audit.seal import Sealer
from app.db.session import Database
from app.db.tables.people import ApiKey
from app.embedding.hashed import HashedEmbedder
from app.guardrail.checks import default_checks
from app.llm.protocol import Endpoint
from app.llm.scripted import ScriptedChat
from app.main import create
from app.settings import ApiSettings, AuditSettings, DatabaseSettings, IdentitySettings, Settings
from tests.conftest import AUDIT_KEY, IDENTITY_KEY, Db
from tests.db.house import House, house_of
from tests.laws.conftest import Report
from tests.laws.shelving import Shelves
from tests.laws.worlds import World, make_world

# What differs between any two requests: the id of the trail and the time of writing.
FLEETING = re.compile(r'"(trail|updated_at)": ?"[^"]*"')


@dataclass(frozen=True)
class Site:
    """The service over one database, with a model that says what it is told and keeps what it was asked."""

    house: House
    shelves: Shelves
    client: TestClient
    chat: ScriptedChat


@pytest.fixture
def site(db: Db, database: Database) -> Iterator[Site]:
    settings = Settings(
        database=DatabaseSettings(app_url=SecretStr(db.url("app"))),
        identity=IdentitySettings(key=SecretStr(IDENTITY_KEY)),
        audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
        api=ApiSettings(rate_per_minute=100_000, burst=10_000),
    )
    endpoint = Endpoint("http://127.0.0.1:1/v1", "scripted", internal=True, max_label=Label.RESTRICTED)
    chat = ScriptedChat(endpoint, lambda messages: ["As ", "they say [1], ", "and [2]."])
    parts = Parts(settings, database, HashedEmbedder(), chat, Sealer(bytes.fromhex(AUDIT_KEY)), tuple(default_checks()))
    with house_of(db) as house, TestClient(create(parts)) as client:
        yield Site(house, Shelves(house, HashedEmbedder()), client, chat)


def key_for(house: House, user: uuid.UUID) -> dict[str, str]:
    """The headers of a fresh key."""
    key = make_key()
    with house.session("owner") as session:
        session.add(ApiKey(prefix=key.prefix, hash=key.hash, user_id=user, capabilities=["ask"]))
    return {"authorization": f"Bearer {key.secret}"}


def everything_said(site: Site, world: World) -> list[str]:
    """All answers to this caller, in order; then the prompts that the model saw."""
    headers = key_for(site.house, world.caller.user_id)
    site.chat.prompts.clear()
    said = []
    for question in world.questions:
        calls = [
            ("/api/v1/search", {"query": question, "limit": 50}),
            ("/api/v1/ask", {"question": question, "mode": "quote"}),
            ("/api/v1/ask", {"question": question, "mode": "generate"}),
            ("/api/v1/ask", {"question": question, "mode": "generate", "stream": True}),
        ]
        said += [site.client.post(path, json=body, headers=headers) for path, body in calls]
    said += [site.client.get(f"/api/v1/{path}", headers=headers) for path in ("collections", "documents", "users/me")]
    for page in world.pages:
        name = world.name("document", page.path)
        said.append(site.client.get(f"/api/v1/documents/{name}", headers=headers))
        said.append(site.client.get("/api/v1/access/explain", params={"document": str(name)}, headers=headers))
    shown = [f"{r.status_code} {FLEETING.sub('', r.text)}" for r in said]
    return [*shown, *(json.dumps([m.content for m in prompt]) for prompt in site.chat.prompts)]


def test_http_says_the_same_in_both_worlds(site: Site, report: Report) -> None:
    """Search, quotes, generated and streamed answers, lists, pages, refusals and prompts: the same bytes."""
    compared, status = 0, Counter[str]()
    for seed in range(3000, 3004):
        world = make_world(seed, dt.datetime.now(dt.UTC))
        site.shelves.put(world.without_hidden())
        bare = everything_said(site, world)
        site.shelves.clear(world)
        site.shelves.put(world)
        assert everything_said(site, world) == bare, f"world {seed}"
        site.shelves.clear(world)
        compared += len(bare)
        status.update(answer[:3] for answer in bare if answer[:1] in "2345")
    report(f"two worlds over HTTP: 4 worlds, {compared} answers and prompts, {dict(status)}")
    assert status["200"] > 100
    assert status["404"] > 50
    assert set(status) == {"200", "404"}
    assert any('"quoted"' in answer for answer in bare)
    assert any('"answered"' in answer for answer in bare)
