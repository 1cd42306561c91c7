"""Sealing: opens where it was sealed and nowhere else, and its commitment binds."""

import uuid

import pytest

from app.audit.encryption import SealBroken, Sealer, seal, unseal
from app.audit.events.base import CommittedText, SealedText
from app.evidence import merkle
from app.evidence.records import is_sealed

KEY = bytes(range(32))
RECORD = uuid.UUID(int=1)


@pytest.mark.parametrize("text", ["", "who earns what?", "é\0\u2028" * 1000])
def test_sealed_text_opens_with_its_commitment(text: str) -> None:
    value = seal(KEY, SealedText(text), record=RECORD, field="question")
    opened = unseal(KEY, value, record=RECORD, field="question")
    assert is_sealed(value)
    assert opened.text == text
    assert value["commitment"] == merkle.encode(merkle.commitment(opened.salt, text))


def test_committed_text_is_not_kept() -> None:
    value = seal(KEY, CommittedText("the answer"), record=RECORD, field="output")
    opened = unseal(KEY, value, record=RECORD, field="output")
    assert opened.text is None
    assert value["commitment"] == merkle.encode(merkle.commitment(opened.salt, "the answer"))
    longer = seal(KEY, CommittedText("the answer" * 50), record=RECORD, field="output")
    assert len(longer["sealed"]) == len(value["sealed"])


def test_equal_texts_look_different() -> None:
    one, two = (seal(KEY, SealedText("same"), record=RECORD, field="question") for _ in range(2))
    assert one["sealed"] != two["sealed"]
    assert one["commitment"] != two["commitment"]


def test_opens_under_no_other_key_record_field_or_kind() -> None:
    value = seal(KEY, SealedText("words"), record=RECORD, field="question")
    for key, changed, record, field in (
        (bytes(32), value, RECORD, "question"),
        (KEY, value, uuid.UUID(int=2), "question"),
        (KEY, value, RECORD, "query"),
        (KEY, {**value, "keeps": "salt"}, RECORD, "question"),
        (KEY, {**value, "sealed": "AAAA"}, RECORD, "question"),
        (KEY, {**value, "sealed": "?"}, RECORD, "question"),
        (KEY, {"commitment": ""}, RECORD, "question"),
    ):
        with pytest.raises(SealBroken):
            unseal(key, changed, record=record, field=field)


def test_words_show_in_no_repr() -> None:
    assert "secret" not in repr([SealedText("secret"), CommittedText("secret")])


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")
