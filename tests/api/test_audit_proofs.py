"""What an auditor takes away over the API: signed heads, their proofs, and a receipt that a stranger checks."""

import hashlib
import json
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from app.evidence.checkpoint import Checkpoint
from app.evidence.consistency import is_consistent
from app.evidence.merkle import decode, encode
from app.evidence.receipt import verify_receipt
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.company import Company
from tests.support.log_keys import LOG_KEY
from tests.support.openings import opening

AUDIT = "/api/v1/audit"
QUESTION = {"question": "How long is parental leave?", "mode": "quote"}


@pytest.fixture(params=["quote", "generate"])
def asked(client: TestClient, company: Company, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Ada asked something, which is in the signed log: the trail, and the words of the answer."""
    question = QUESTION | {"mode": request.param}
    answer = client.post("/api/v1/ask", json=question, headers=company.headers("ada")).json()
    sequence(company.db)
    return answer["trail"], answer["answer"]


def get(client: TestClient, company: Company, path: str, **params: Any) -> Any:
    answer = client.get(f"{AUDIT}{path}", params=params, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def receipt(client: TestClient, company: Company, trail: str, **params: Any) -> str:
    answer = client.get(f"{AUDIT}/receipts/{trail}", params=params, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''clearance-receipt-{trail}.json"
    return answer.text


@pytest.mark.usefixtures("asked")
def test_a_signed_head_comes_with_its_time_stamps(client: TestClient, company: Company) -> None:
    [newest, *_] = get(client, company, "/checkpoints")
    assert newest["timestamps"] == {}
    token = b"token over " + hashlib.sha256(Checkpoint.parse(newest["note"]).note.text.encode()).digest()
    engine = create_engine(company.db.url("sequencer"))
    with engine.begin() as connection:
        given = {"size": newest["size"], "token": token}
        connection.execute(text("select clearance.keep_timestamp(:size, 'https://tsa.example', :token)"), given)
    engine.dispose()
    assert get(client, company, "/checkpoints")[0]["timestamps"] == {"https://tsa.example": encode(token)}


@pytest.mark.usefixtures("asked")
def test_signed_heads_continue_one_another(client: TestClient, company: Company) -> None:
    client.post("/api/v1/search", json={"query": "coffee"}, headers=company.headers("ben"))
    sequence(company.db)
    later, earlier = (Checkpoint.parse(each["note"]) for each in get(client, company, "/checkpoints"))
    for checkpoint in (later, earlier):
        assert checkpoint.log_signers([LOG_KEY.verifier])
    sizes = {"earlier": earlier.head.size, "later": later.head.size}
    proof = get(client, company, "/consistency", **sizes)
    assert proof == sizes | {"path": proof["path"]}
    assert is_consistent(earlier.head, later.head, [decode(each) for each in proof["path"]])
    headers = company.headers("audrey")
    backwards = {"earlier": later.head.size, "later": earlier.head.size}
    check_problem(client.get(f"{AUDIT}/consistency", params=backwards, headers=headers), 422, "InvalidInput")
    never = {"earlier": 1, "later": later.head.size + 1}
    check_problem(client.get(f"{AUDIT}/consistency", params=never, headers=headers), 404, "NotFound")


def test_a_stranger_checks_a_receipt(client: TestClient, company: Company, asked: tuple[str, str]) -> None:
    trail, words = asked
    sealed = receipt(client, company, trail)
    report = verify_receipt(sealed, trusted=[LOG_KEY.verifier], answer=words)
    assert report.ok, report.lines
    assert verify_receipt(sealed, trusted=[LOG_KEY.verifier], answer=words + ".").ok is False
    assert QUESTION["question"] not in sealed
    asked_in = company.records("answer.opened")[-1]["id"]
    opened = receipt(client, company, trail, opening=opening(client, company, record=asked_in))
    assert verify_receipt(opened, trusted=[LOG_KEY.verifier], answer=words).ok
    assert QUESTION["question"] in opened
    for each in (sealed, opened):
        assert words not in each
        assert "prompt" not in [name for entry in json.loads(each)["records"] for name in entry["opened"]]
    made = company.records("audit.read")[-2:]
    assert [(each["filters"], each["rows"], each["opened"]) for each in made] == [
        ({"receipt": trail}, 2, False),
        ({"receipt": trail}, 2, True),
    ]


def test_a_receipt_waits_for_a_signed_head(client: TestClient, company: Company, asked: tuple[str, str]) -> None:
    again = client.post("/api/v1/ask", json=QUESTION, headers=company.headers("ada")).json()["trail"]
    headers = company.headers("audrey")
    check_problem(client.get(f"{AUDIT}/receipts/{again}", headers=headers), 404, "NotFound")
    sequence(company.db, key=None)
    check_problem(client.get(f"{AUDIT}/receipts/{again}", headers=headers), 409, "Conflict")
    receipt(client, company, asked[0])
    sequence(company.db)
    receipt(client, company, again)


@pytest.mark.parametrize("trail", [str(uuid.UUID(int=5)), "x", "..", "00000000-0000-0000-0000-00000000000g"])
def test_no_receipt_of_what_was_not_asked(client: TestClient, company: Company, trail: str) -> None:
    answer = client.get(f"{AUDIT}/receipts/{trail}", headers=company.headers("audrey"))
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/checkpoints", "/consistency?earlier=0&later=1", "/receipts/{trail}"])
def test_nobody_else_gets_any(client: TestClient, company: Company, asked: tuple[str, str], path: str) -> None:
    for who in ("ada", "ben", "root"):
        answer = client.get(AUDIT + path.format(trail=asked[0]), headers=company.headers(who))
        check_problem(answer, 403, "MissingCapability")
