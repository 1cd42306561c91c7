"""The released answer and its excerpts, kept sealed where the policy says so: opened for a reason, erased by a key."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.audit.encryption import SealBroken
from app.evidence.receipt import verify_receipt
from app.evidence.verify import verify
from app.settings import AuditSettings
from tests.support.audit_order import sequence
from tests.support.cluster import AUDIT_KEY
from tests.support.company import API_KEY, CARD, SALARY, Company
from tests.support.environment import REPOSITORY
from tests.support.log_keys import LOG_KEY
from tests.support.openings import opening
from tests.support.service import client_of, parts_of, saying

COFFEE, TRAVEL = "When is the coffee machine cleaned?", "What is the deploy key of the build server?"
BANDS = "What is the salary band of level five?"
AUDIT = "/api/v1/audit"


def keeping(company: Company, **policy: str) -> AbstractContextManager[TestClient]:
    """The service with this policy of keeping answers."""
    parts = parts_of(company.db)
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, **policy})
    return client_of(dataclasses.replace(parts, settings=parts.settings.model_copy(update={"audit": audit})))


@pytest.fixture
def kept(company: Company) -> Iterator[TestClient]:
    with keeping(company, keep_answers="internal") as client:
        yield client


def ask(client: TestClient, company: Company, question: str, who: str = "ben", mode: str = "quote") -> dict[str, Any]:
    body = {"question": question, "mode": mode}
    answer: dict[str, Any] = client.post("/api/v1/ask", json=body, headers=company.headers(who)).json()
    sequence(company.db)
    return answer


def closed(company: Company) -> dict[str, Any]:
    return company.records("answer.closed")[-1]


def opened(client: TestClient, company: Company) -> dict[str, Any]:
    """The fields of the newest answer's trail, opened."""
    by = opening(client, company, record=closed(company)["id"])
    answer = client.get(f"{AUDIT}/events", params={"opening": by, "limit": 1000}, headers=company.headers("audrey"))
    fields: dict[str, Any] = {}
    for event in answer.json()["events"]:
        fields |= event["opened"]
    return fields


@pytest.mark.parametrize("mode", ["quote", "generate"])
def test_what_was_released_is_kept_sealed(kept: TestClient, company: Company, mode: str) -> None:
    answer = ask(kept, company, COFFEE, mode=mode)
    record = closed(company)
    assert (record["output"]["keeps"], record["excerpts"]["keeps"]) == ("text", "text")
    assert answer["answer"] not in json.dumps(record)
    fields = opened(kept, company)
    assert fields["output"]["text"] == answer["answer"]
    shown = json.loads(fields["excerpts"]["text"])
    assert shown["left_out"] == 0
    assert [(each["chunk"], each["quote"]) for each in shown["excerpts"]] == [
        (source["chunk"], source["quote"]) for source in answer["sources"]
    ]


def test_what_the_guardrail_took_out_is_nowhere(kept: TestClient, company: Company) -> None:
    ask(kept, company, TRAVEL)
    text = json.dumps(opened(kept, company))
    assert "[redacted" in text
    assert API_KEY not in text
    assert CARD not in text


@pytest.mark.parametrize(
    ("policy", "question", "keeps"),
    [
        ({}, COFFEE, "salt"),
        ({"keep_answers": "public"}, COFFEE, "salt"),
        ({"keep_answers": "internal"}, BANDS, "salt"),
        ({"keep_answers": "restricted"}, BANDS, "text"),
        ({"keep_answers": "internal", "keep_answers_of": "hr, board"}, COFFEE, "salt"),
        ({"keep_answers": "internal", "keep_answers_of": "hr, handbook"}, COFFEE, "text"),
        (
            {"keep_answers": "restricted", "keep_answers_of": "handbook"},
            BANDS,
            "salt",
        ),
        ({"keep_answers": "public"}, "xylophone zeppelin quokka", "text"),
    ],
)
def test_the_policy_says_of_what(company: Company, policy: dict[str, str], question: str, keeps: str) -> None:
    """By the highest label of the context, and by its collections; from nothing comes no excerpt."""
    with keeping(company, **policy) as client:
        answer = ask(client, company, question, "ada" if question == BANDS else "ben")
    assert (question == BANDS in question) == any(SALARY in source["quote"] for source in answer["sources"])
    record = closed(company)
    assert record["output"]["keeps"] == keeps
    assert (record["excerpts"] is not None) == (keeps == "text" and bool(answer["sources"]))


def test_a_person_s_key_or_a_document_s_opens_nothing_alone(kept: TestClient, company: Company) -> None:
    """Erasing either erases the answer; who asked keeps their question where it was the document."""
    ask(kept, company, COFFEE)
    documents = closed(company)["output"]["documents"]
    assert str(company.documents["handbook", "kitchen.md"]) in documents
    with pytest.raises(SealBroken):
        company.unsealed(closed(company), "output")
    keys = company.rows("select document::text, wrapped from document_key")
    assert {row["document"] for row in keys} == set(documents)
    company.execute(f"delete from document_key where document = '{documents[-1]}'")
    fields = opened(kept, company)
    assert fields["question"]["text"] == COFFEE
    assert (fields["output"], fields["excerpts"]) == ({"erased": True}, {"erased": True})


def test_a_person_s_key_erases_all_of_it(kept: TestClient, company: Company) -> None:
    ask(kept, company, COFFEE)
    company.execute("delete from person_key where user_id = (select id from app_user where name = 'ben')")
    fields = opened(kept, company)
    for name in ("question", "output", "excerpts"):
        assert fields[name] == {"erased": True}


def test_an_answer_that_fails_in_the_middle_is_kept_as_far_as_it_went(company: Company) -> None:
    parts = parts_of(company.db, chat=saying("The coffee machine is cleaned on Fridays. ", fail_after=1))
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, "keep_answers": "internal"})
    settings = parts.settings.model_copy(update={"audit": audit})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        client.post("/api/v1/ask", json={"question": COFFEE, "mode": "generate"}, headers=company.headers("ben"))
        sequence(company.db)
        assert closed(company)["outcome"] == "failed"
        assert opened(client, company)["output"].keys() == {"text", "salt"}


def test_receipts_and_exports_of_kept_answers_verify(kept: TestClient, company: Company, tmp_path: Path) -> None:
    answer = ask(kept, company, COFFEE)
    place, headers = f"{AUDIT}/receipts/{answer['trail']}", company.headers("audrey")
    sealed = kept.get(place, headers=headers).text
    by = opening(kept, company, record=closed(company)["id"])
    shown = kept.get(place, params={"opening": by}, headers=headers).text
    for text, holds in ((sealed, False), (shown, True)):
        assert (json.dumps(answer["answer"])[1:-1] in text.replace('\\\\"', '\\"')) == holds
        assert verify_receipt(text, trusted=[LOG_KEY.verifier], answer=answer["answer"]).ok
        assert not verify_receipt(text, trusted=[LOG_KEY.verifier], answer="another").ok
    whole = opening(kept, company, q="")
    path = tmp_path / "log.jsonl"
    path.write_text(kept.get(f"{AUDIT}/export", params={"opening": whole}, headers=headers).text)
    report = verify(path, trusted=[LOG_KEY.verifier])
    assert report.ok, report.lines
    assert COFFEE in path.read_text()
    command = [sys.executable, "-I", str(REPOSITORY / "docs" / "verify_log.py"), str(path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
