"""Receipts of one answer: verified by a stranger with the log's key, and no other answer passes for it."""

import json
import uuid

import pytest

from app.evidence.merkle import leaf_hash
from app.evidence.receipt import ReceiptRecord, is_receipt, verify_receipt, write_receipt
from app.evidence.signed_note import BadNote
from app.evidence.tlog_proof import read_proof
from tests.support.log_keys import LOG_KEY, NEXT_KEY, WITNESS_KEY
from tests.support.receipts import ANSWER, BODIES, records, signed_records


def check(made: list[ReceiptRecord], answer: str | None = None) -> list[str]:
    return verify_receipt(write_receipt(made), trusted=[LOG_KEY.verifier], answer=answer).wrong


def test_a_receipt_verifies_and_says_what_it_shows() -> None:
    text = write_receipt(signed_records())
    report = verify_receipt(text, trusted=[LOG_KEY.verifier], answer=ANSWER)
    assert report.ok
    assert report.lines[0] == "receipt: OK"
    assert "entry 1, answer.opened" in report.lines[1]
    assert report.lines[1].endswith("under 9 entries signed by log.example/audit")
    assert report.lines[-1] == "  the text that you gave is the answer that was given"
    assert is_receipt(text.encode().splitlines(keepends=True)[0])
    assert ANSWER not in text


def test_another_text_is_not_the_answer() -> None:
    assert check(signed_records(), ANSWER + " ") == ["the text that you gave is not the answer that was given"]
    sealed = [ReceiptRecord(r.record, {}, r.proof) for r in signed_records()]
    assert check(sealed) == []
    assert check(sealed, ANSWER) == ["it does not open the answer's commitment, so that no text can be compared"]


def test_what_was_changed_is_named() -> None:
    first, second = signed_records()
    eve = ReceiptRecord(first.record.replace("ck_ada", "ck_eve"), {}, first.proof)
    assert "it was changed" in " ".join(check([eve, second]))
    moved = ReceiptRecord(first.record, first.opened, second.proof)
    assert "it was changed" in " ".join(check([moved, second]))
    words = {"question": {**first.opened["question"], "text": "another"}}
    assert "the opened question" in " ".join(check([ReceiptRecord(first.record, words, first.proof), second]))
    for salt in ("?", 5):
        bad = ReceiptRecord(second.record, {"output": {"salt": salt}}, second.proof)
        assert "the opened output" in " ".join(check([first, bad], ANSWER))


def test_records_of_another_answer_or_none_of_its_opening_are_named() -> None:
    first, second = signed_records()
    other = [body for body, _ in records(uuid.UUID(int=71))]
    mixed = signed_records([BODIES[0], BODIES[1], other[0], other[1], *BODIES[4:]])
    for made in (mixed, [second], [second, first]):
        assert "not those of one answer" in " ".join(check(made))


def test_a_key_that_is_not_the_logs_shows_nothing() -> None:
    text = write_receipt(signed_records())
    for trusted in ([NEXT_KEY.verifier], [WITNESS_KEY.verifier], []):
        report = verify_receipt(text, trusted=trusted)
        assert not report.ok
        assert "none of the keys that you trust" in report.wrong[0]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "5", '{"format":"clearance-receipt","version":1,"records":[]}', "[" * 100_000]
)
def test_what_is_no_receipt_is_said(text: str) -> None:
    assert "no receipt" in verify_receipt(text, trusted=[LOG_KEY.verifier]).wrong[0]


def test_anything_beside_is_refused() -> None:
    value = json.loads(write_receipt(signed_records()))
    value["records"][0]["note"] = "FORGED"
    text = write_receipt(signed_records())
    twice = text.replace('"record":', '"record":"FORGED","record":', 1)
    for forged in (json.dumps(value), twice, text + "FORGED\n", text + text):
        assert "no receipt" in verify_receipt(forged, trusted=[LOG_KEY.verifier]).wrong[0]


def test_proofs_are_files_that_others_read() -> None:
    """c2sp.org/tlog-proof: extra data is read over, since nobody vouches for it."""
    text = signed_records()[0].proof
    lines = text.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 1"]
    proof, checkpoint = read_proof("\n".join([lines[0], "extra AAAA", *lines[1:]]))
    assert proof.seq == 1
    assert proof.holds(leaf_hash(BODIES[1]))
    assert checkpoint.log_signers([LOG_KEY.verifier])
    for bad in (
        text.replace("@v1", "@v2"),
        text.replace("index 1", "index 01"),
        text.replace("\n\n", "\n?\n\n", 1),
        "",
    ):
        with pytest.raises(BadNote):
            read_proof(bad)
