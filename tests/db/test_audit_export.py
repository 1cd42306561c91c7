"""Real exports of a real log: they verify, they open, and they stay valid when a person is erased."""

import contextlib
import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import listing, sequencing
from app.audit.encryption import Sealer
from app.audit.export import export_log
from app.audit.export_forms import row
from app.audit.export_forms.forms import FORMS
from app.audit.export_forms.row import COLUMNS
from app.audit.listing import latest_head, list_events
from app.audit.opener import Opener
from app.audit.query import EVERYTHING, Choice, LogQuery
from app.evidence.kept_head import read_head
from app.evidence.verify import verify
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb, add_leaf
from tests.support.cluster import Db
from tests.support.openings import ALL_WORDS
from tests.support.sealing import SEALER

WORDS = "=cmd|' /C calc'!A0 who earns what?"


class Log:
    """A log of two people's searches and some closings, with somebody who may read it."""

    def __init__(self, world: AuditDb) -> None:
        self.world = world
        self.auditor, self.ada, self.bob = (
            world.person(n, may=c) for n, c in (("au", [Capability.AUDIT]), ("ada", []), ("bob", []))
        )
        self.asked = [world.ask(self.ada, WORDS), world.ask(self.bob, "second"), world.ask(self.ada, "third\0\u2028")]
        with world.session("app") as session:
            for _ in range(60):  # more than are fetched at once
                add_leaf(session)
        with world.session("sequencer") as session:
            sequencing.append_batch(session)

    def export(self, path: Path, *, opened: bool = True, query: LogQuery = EVERYTHING, key: Sealer = SEALER) -> Path:
        opener = (lambda session: Opener(session, key, ALL_WORDS)) if opened else None
        path.write_bytes(b"".join(export_log(self.reads, FORMS["jsonl"], opener=opener, query=query)))
        return path

    def reads(self) -> AbstractContextManager[Session]:
        return self.world.as_user(self.auditor)


@pytest.fixture
def log(db: Db, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(listing, "FETCH", 50)
    with contextlib.closing(AuditDb(db)) as world:
        yield Log(world)


def test_an_export_verifies_against_itself_and_an_earlier_one(log: Log, tmp_path: Path) -> None:
    earlier = log.export(tmp_path / "earlier.jsonl")
    log.world.ask(log.bob, "later")
    assert verify(log.export(tmp_path / "same.jsonl"), head=read_head(str(earlier))).entries == 63  # not yet ordered
    with log.world.session("sequencer") as session:
        sequencing.append_batch(session)
    report = verify(log.export(tmp_path / "later.jsonl"), head=read_head(str(earlier)))
    assert report.ok
    assert (report.entries, report.opened, report.complete) == (64, 4, True)


def test_opened_words_are_those_that_were_asked(log: Log, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in log.export(tmp_path / "log.jsonl").read_text().splitlines()]
    texts = [line["opened"]["query"]["text"] for line in lines if "opened" in line]
    assert texts == [WORDS, "second", "third\0\u2028"]
    closed = log.export(tmp_path / "closed.jsonl", opened=False).read_text()
    assert "second" not in closed
    assert verify(tmp_path / "closed.jsonl").ok


def test_a_change_in_the_database_shows(log: Log, tmp_path: Path) -> None:
    head = read_head(str(log.export(tmp_path / "log.jsonl")))
    with log.world.session("owner") as session:
        session.execute(text("alter table audit_leaf disable trigger append_only"))
        session.execute(text("alter table audit_leaf drop constraint audit_leaf_leaf_hash_check"))
        renamed = text("update audit_leaf set body = replace(body, 'policy_epoch', 'policy_epoca') where id = :id")
        session.execute(renamed, {"id": log.asked[1]})
    found = verify(log.export(tmp_path / "log.jsonl"), head=head).findings
    assert [(f.kind, f.seq) for f in found] == [("edit", 1)]


def test_erasing_a_person_keeps_the_log_valid(log: Log, tmp_path: Path) -> None:
    head = read_head(str(log.export(tmp_path / "log.jsonl")))
    log.world.run("owner", "delete from person_key where user_id = :id", id=log.ada)
    path = log.export(tmp_path / "erased.jsonl")
    report = verify(path, head=head)
    assert report.ok
    assert (report.opened, report.erased) == (1, 2)
    assert "who earns what" not in path.read_text()


def test_the_wrong_audit_key_opens_nothing(log: Log, tmp_path: Path) -> None:
    report = verify(log.export(tmp_path / "log.jsonl", key=Sealer(b"x" * 32)))
    assert report.ok
    assert (report.opened, report.erased) == (0, 3)


def test_a_filtered_export_says_that_it_is_a_selection(log: Log, tmp_path: Path) -> None:
    path = log.export(tmp_path / "log.jsonl", query=of(log.ada))
    report = verify(path)
    assert report.ok
    assert (report.entries, report.complete) == (2, False)


def test_who_reads_an_export_slowly_holds_no_connection(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle: between two pieces no transaction is open."""
    monkeypatch.setattr("app.audit.listing.FETCH", 10)
    open_now = 0

    @contextlib.contextmanager
    def counted() -> Iterator[Session]:
        nonlocal open_now
        with log.reads() as session:
            open_now += 1
            yield session
        open_now -= 1

    opened = export_log(counted, FORMS["csv"], opener=lambda s: Opener(s, SEALER, ALL_WORDS))
    for pieces in (export_log(counted, FORMS["jsonl"]), opened):
        for _ in range(5):
            assert next(pieces).count(b"\n") >= 10
            assert open_now == 0
        assert len(list(pieces)) > 1


def test_a_record_is_read_once_for_names_and_columns(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = b"".join(export_log(log.reads, FORMS["csv"]))
    monkeypatch.setattr(row, "read_record", lambda body: pytest.fail(f"read again: {body}"))
    assert b"".join(export_log(log.reads, FORMS["csv"])) == expected


def test_csv_has_a_row_for_each_entry_and_no_formula(log: Log) -> None:
    lines = export_log(log.reads, FORMS["csv"], opener=lambda s: Opener(s, SEALER, ALL_WORDS))
    rows = list(csv.reader(io.StringIO(b"".join(lines).decode(), newline="")))
    assert rows[0] == list(COLUMNS)
    assert len(rows) == 64
    assert rows[1][COLUMNS.index("question")].startswith("'=cmd|")
    assert rows[1][COLUMNS.index("user")] == str(log.ada)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def of(user: uuid.UUID) -> LogQuery:
    return LogQuery(who=Choice(frozenset({str(user)})))


def test_listing_pages_and_filters(log: Log) -> None:
    searches = LogQuery(kind=Choice(frozenset({"search.done"})))
    with log.world.as_user(log.auditor) as session:

        def seqs(query: LogQuery = EVERYTHING, **page: Any) -> list[int]:
            return [entry.seq for entry in list_events(session, query, **page).entries]

        assert seqs(after_seq=9, limit=3) == [10, 11, 12]
        assert seqs(limit=2, newest_first=True) == [62, 61]
        assert seqs(limit=2, newest_first=True, after_seq=61) == [60, 59]
        assert seqs(of(log.bob), limit=9) == [1]
        assert seqs(searches, limit=9) == [0, 1, 2]
        [second] = list_events(session, of(log.bob), limit=1).entries
        tick = dt.timedelta(microseconds=1)
        assert seqs(LogQuery(after=second.at, before=second.at + tick), limit=9) == [second.seq]
        assert seqs(of(uuid.uuid4()), limit=9) == []
        assert latest_head(session)[0].size == 63
