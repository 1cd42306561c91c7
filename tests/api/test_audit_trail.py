"""No model call without a committed record, and each record closed: on success, on failure, on hang-up."""

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, Depends
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.answer import pipeline
from app.db.session import WriteSession
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.settings import ApiSettings
from app.web.http import dependencies
from tests.api.hang_up import hanging_up
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.questions import ON_LEAVE, ask
from tests.support.service import app_of, client_of, endpoint, parts_of, saying, serve
from tests.support.waiting import wait_for

REFUSE_AUDIT = "revoke insert on audit_leaf from clearance_audit"
FAIL_AUDIT = """
    create function fail() returns trigger language plpgsql as $$ begin raise exception 'refused here'; end $$;
    create constraint trigger fail after insert on audit_leaf deferrable initially deferred
      for each row execute function fail()
"""


def test_the_record_is_committed_before_the_model_is_called(company: Company) -> None:
    """Seen through another connection, from inside the model."""
    seen: list[list[dict[str, Any]]] = []

    def look(_: Sequence[Message]) -> list[str]:
        seen.append(company.records("answer.opened"))
        assert company.records("answer.closed") == []
        return ["Weeks [1]."]

    with client_of(parts_of(company.db, chat=ScriptedChat(endpoint(), look))) as client:
        answer = ask(client, company, "ben", ON_LEAVE).json()
    [[record]] = seen
    assert record["trail"] == answer["trail"]
    assert record["prompt"] is not None


@pytest.mark.parametrize("refusal", [REFUSE_AUDIT, FAIL_AUDIT], ids=["insert refused", "commit refused"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", ["generate", "quote"])
def test_without_a_record_nothing_is_shown(company: Company, refusal: str, stream: bool, mode: str) -> None:
    chat = saying("Weeks [1].")
    with client_of(parts_of(company.db, chat=chat)) as client:
        company.execute(refusal)
        check_problem(ask(client, company, "ben", ON_LEAVE, stream=stream, mode=mode), 503, "DatabaseUnavailable")
        search = client.post("/api/v1/search", json={"query": ON_LEAVE}, headers=company.headers("ben"))
        assert search.status_code >= 500
        document = company.documents["handbook", "leave.md"]
        opened = client.get(f"/api/v1/documents/{document}", headers=company.headers("ben"))
        assert opened.status_code >= 500
        assert "weeks" not in search.text + opened.text
    assert chat.prompts == []
    assert company.records("answer.opened") == []


class _Stalling(ScriptedChat):
    """Says some words, then nothing for a long time."""

    async def stream(self, messages: Sequence[Message]) -> Any:
        async for piece in super().stream(messages):
            yield piece
        await anyio.sleep(60)


def words(_: Sequence[Message]) -> list[str]:
    return ["Twenty-six weeks of leave. ", *["word "] * 400]


@pytest.mark.parametrize(
    "chat",
    [
        pytest.param(lambda: ScriptedChat(endpoint(), words, delay=0.02), id="while it speaks"),
        pytest.param(lambda: _Stalling(endpoint(), words), id="while it is waited for"),
    ],
)
def test_who_hangs_up_leaves_a_closing_record(company: Company, chat: Callable[[], ScriptedChat]) -> None:
    with serve(parts_of(company.db, chat=chat())) as url:
        with hanging_up(url, company, after=b"event: delta"):
            assert company.records("answer.closed") == []
        [closed] = wait_for(lambda: company.records("answer.closed"), seconds=1)
    assert closed["outcome"] == "hung_up"
    assert closed["trail"] == company.records("answer.opened")[0]["trail"]
    assert closed["output"] is not None


class _Unshielded:
    """anyio, but for a shield that does not shield."""

    def __getattr__(self, name: str) -> Any:
        return getattr(anyio, name)

    def CancelScope(self, *, shield: bool) -> anyio.CancelScope:
        assert shield
        return anyio.CancelScope()


def test_without_the_shield_the_record_would_be_lost(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation of the test above: it shows that the shield is what holds it."""
    monkeypatch.setattr(pipeline, "anyio", _Unshielded())
    with serve(parts_of(company.db, chat=_Stalling(endpoint(), words))) as url:
        with hanging_up(url, company, after=b"event: delta"):
            pass
        time.sleep(2)
        assert company.records("answer.closed") == []


def test_who_hangs_up_gives_the_slot_of_the_key_back(company: Company) -> None:
    api = ApiSettings(concurrent=1, burst=100)
    with serve(parts_of(company.db, chat=_Stalling(endpoint(), words), api=api)) as url:
        for count in (1, 2, 3):
            with hanging_up(url, company, after=b"event: delta"):
                pass
            wait_for(lambda count=count: len(company.records("answer.closed")) == count)  # type: ignore[misc]
            time.sleep(0.05)  # the slot is given back after the record
    assert [c["outcome"] for c in company.records("answer.closed")] == ["hung_up"] * 3


def test_a_record_that_cannot_be_closed_is_an_error_and_no_answer(company: Company) -> None:
    """The opening record stands alone; the sequencer closes it as abandoned."""
    fail = FAIL_AUDIT.replace("for each row execute", "for each row when (new.kind = 'answer.closed') execute")
    with client_of(parts_of(company.db)) as client:
        company.execute(fail)
        check_problem(ask(client, company, "ben", ON_LEAVE), 503, "DatabaseUnavailable")
    assert len(company.records("answer.opened")) == 1


# --- A commit that fails is never reported as a success.

INSERT_ROLE = text("insert into role (name) values ('legal')")
FAIL_ROLE = """
    create function fail() returns trigger language plpgsql as $$ begin raise exception 'not at commit'; end $$;
    create constraint trigger fail after insert on role deferrable initially deferred
      for each row execute function fail()
"""


@pytest.mark.parametrize(("scope", "status"), [("function", 500), ("request", 201)])
def test_the_scope_of_the_transaction_is_what_holds_that(company: Company, scope: Any, status: int) -> None:
    """With FastAPI's own default, `request`, the client would be told 201 of what was rolled back."""
    router = APIRouter()

    def make(session: WriteSession = Depends(dependencies.writing, scope=scope)) -> dict[str, str]:
        session.execute(INSERT_ROLE)
        return {"made": "legal"}

    router.add_api_route("/mutated", make, methods=["POST"], status_code=201)
    company.execute(FAIL_ROLE)
    with client_of(parts_of(company.db)) as client:
        app_of(client).include_router(router)
        answer = client.post("/mutated", headers=company.headers("root"))
    assert answer.status_code == status
    assert company.rows("select 1 from role where name = 'legal'") == []


def test_every_route_that_writes_commits_before_it_answers(client: TestClient) -> None:
    for name in ("Reading", "Writing"):
        [marker] = getattr(dependencies, name).__metadata__
        assert marker.scope == "function"
    assert "Depends(writing)" not in inspect.getsource(dependencies)
