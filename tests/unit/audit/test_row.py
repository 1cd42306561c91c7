"""What an export in columns says of an entry: no sealed value, and words where they are opened alone."""

import dataclasses
from typing import Any

from app.audit.events.answers import AnswerClosed
from app.audit.events.log_reading import OpeningRequested
from app.audit.export_forms.row import ExportRow, read_entry, row_of
from app.audit.export_forms.spreadsheet import csv_rows
from app.evidence.records import read_record
from tests.support.every_kind import ACTORS, entry_of, record_of


def row_of_record(record: dict[str, Any], **opened: str) -> ExportRow:
    entry = dataclasses.replace(entry_of(record), opened={name: {"text": text} for name, text in opened.items()})
    return read_entry(entry)[0]


def test_an_answer_that_was_kept_stands_in_it_where_it_is_opened() -> None:
    record = record_of("answer.closed", AnswerClosed, ACTORS["a person"])
    sealed = row_of_record(record)
    assert (sealed.question, sealed.answer, sealed.excerpts) == (None, None, None)
    row = row_of_record(record, output="=SUM(A1)", excerpts="[]")
    assert (row.question, row.answer, row.excerpts) == (None, "=SUM(A1)", "[]")
    entry = dataclasses.replace(entry_of(record), opened={"output": {"text": "=SUM(A1)"}})
    assert b'"\'=SUM(A1)"' in csv_rows([entry])


def test_a_record_that_was_read_is_not_read_again() -> None:
    entry = entry_of(record_of("answer.closed", AnswerClosed, ACTORS["a person"]))
    record = read_record(entry.body or "")
    for read in (record, None):
        again = dataclasses.replace(entry, body="another text", record=read)
        assert read_entry(again) == (row_of(entry, read), read)


def test_a_reason_is_a_text_or_is_opened() -> None:
    requested = record_of("opening.requested", OpeningRequested, ACTORS["a person"])
    assert row_of_record(requested).reason is None
    assert row_of_record(requested, reason="Complaint 17").reason == "Complaint 17"
    closed = record_of("answer.closed", AnswerClosed, ACTORS["a person"])
    assert row_of_record(closed, reason="another").reason == closed["reason"]
