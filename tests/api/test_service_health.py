"""The service checks itself for an administrator: what it says, what it keeps to itself, and how long it takes."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.admin.health import database as databases
from app.admin.health import service
from app.admin.health.service import ServiceParts, check_service
from app.answer.components import Components
from app.db.session import Database
from app.errors import MissingCapability
from app.identity.authenticate import identify
from app.identity.subject import Subject
from tests.support.company import Company
from tests.support.http_stub import http_stub, status
from tests.support.service import parts_of

PASSWORD = "pa55-of-the-model"
# The company was founded some time before, and no sequencer runs here.
JUST_NOW = "alter table audit_leaf disable trigger append_only; update audit_leaf set at = now()"
QUIET = "update procrastinate_workers set last_heartbeat = now() - interval '3 minutes'"


@pytest.fixture
def parts(company: Company) -> Iterator[Components]:
    made = parts_of(company.db)
    yield made
    made.database.close()


def caller(parts: Components, company: Company, who: str) -> Subject:
    with parts.database.anonymous() as session:
        return identify(session, company.keys[who])


def checked(parts: Components, company: Company, *, seconds: float = 10, **settings: Any) -> dict[str, Any]:
    chosen = parts.settings.model_copy(update=settings)
    found = check_service(
        caller(parts, company, "root"), ServiceParts(chosen, parts.database, parts.embedder), seconds=seconds
    )
    return {result.part: result for result in found}


def test_each_part_has_its_state(client: TestClient, company: Company) -> None:
    """Here a worker has worked and is gone, no sequencer runs yet but nothing has waited long, no model answers."""
    company.execute(JUST_NOW)
    answer = client.get("/api/v1/health", headers=company.headers("root"))
    states = {check["part"]: check["state"] for check in answer.json()["checks"]}
    assert {part: state for part, state in states.items() if state != "ok"} == {
        "worker": "fail", "model": "fail", "model context": "warn",
    }  # fmt: skip
    assert {"database", "migrations", "row-level security", "clock", "embedder", "database roles", "audit"} <= set(
        states
    )
    assert all(check["mend"] for check in answer.json()["checks"] if check["state"] != "ok")


def test_what_waits_too_long_is_said(parts: Components, company: Company) -> None:
    """Of uploads and of records; and by the last number given, where more records wait than are looked at."""
    company.execute(
        "insert into procrastinate_workers (last_heartbeat) values (now());"
        "insert into ingest_job (collection_id, scope_id, path, uploaded_by, size, sha256, created_at)"
        " select c.id, s.id, 'a.md', u.id, 1, sha256(''), now() - interval '7 minutes' from collection c"
        " join scope s on s.collection_id = c.id, app_user u where c.name = 'hr' and u.name = 'cleo' limit 1"
    )
    company.execute(JUST_NOW)
    late = checked(parts, company)
    assert (late["worker"].state, "1 uploads wait, the oldest for 7 min" in late["worker"].says) == ("warn", True)
    assert late["audit"].state == "ok"
    company.execute("alter table audit_leaf disable trigger append_only;"
                    "update audit_leaf set at = now() - interval '90 seconds'")  # fmt: skip
    waiting = checked(parts, company)["audit"]
    assert (waiting.state, "the oldest for 90 s: the sequencer does not run" in waiting.says) == ("fail", True)
    company.execute(QUIET)
    assert checked(parts, company)["worker"].says.startswith("no worker: the last heartbeat is 3 min old")


def test_a_directory_that_is_silent_is_said(parts: Components, company: Company) -> None:
    company.execute(
        "insert into directory_state (source, kind, synced_at, fresh_until, people, last_error) values"
        " ('okta', 'ldap', now(), now() + interval '1 hour', 7, null),"
        " ('corp', 'ldap', now(), now() - interval '1 hour', 7, null),"
        " ('acme', 'ldap', now(), now() + interval '1 hour', 7, 'no answer')"
    )
    found = checked(parts, company)
    assert [found[f"directory {name}"].state for name in ("okta", "corp", "acme")] == ["ok", "fail", "warn"]


def test_an_index_of_another_embedder_is_said(parts: Components, company: Company) -> None:
    assert checked(parts, company)["embedder"].state == "ok"
    company.execute("insert into index_profile (embedder) values ('another one')")
    found = checked(parts, company)["embedder"]
    assert (found.state, found.says.startswith("the index was made with another one…")) == ("fail", True)


def test_a_check_that_hangs_is_a_result_and_holds_up_no_other(
    parts: Components, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "check_model_context", lambda _: time.sleep(5))
    began = time.monotonic()
    found = checked(parts, company, seconds=1)
    assert time.monotonic() - began < 4
    assert (found["model context"].state, found["model context"].says) == ("fail", "no answer within 1 s")
    assert found["database"].state == "ok"


def test_nothing_secret_is_said(parts: Components, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the password in an address, and not the words of an error that nobody expected."""

    def broken(_database: Database) -> None:
        raise RuntimeError(f"could not connect with {PASSWORD}")

    monkeypatch.setattr(databases, "probe", broken)
    with http_stub(status(500)) as url:
        address = url.replace("http://", f"http://clearance:{PASSWORD}@")
        model = parts.settings.model.model_copy(update={"base_url": address})
        found = checked(parts, company, model=model)
    assert PASSWORD not in repr(found)
    assert found["row-level security"].says == "the check itself failed: RuntimeError"
    assert found["model"].says == f"{url} answers with HTTP status 500"


def test_it_is_for_administrators(parts: Components, company: Company) -> None:
    """On the floor, and by the database itself, which tells nobody else what waits."""
    for who in ("cleo", "audrey", "ben"):
        subject = caller(parts, company, who)
        with pytest.raises(MissingCapability):
            check_service(subject, ServiceParts(parts.settings, parts.database, parts.embedder))
        with parts.database.reading(subject.user_id) as session:
            assert session.execute(text("select * from clearance.process_states()")).all() == []
