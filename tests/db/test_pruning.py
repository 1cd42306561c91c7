"""Rules of retention remove records, and nothing else does; what is left proves as much as before."""

import contextlib
import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.audit import listing, sequencing
from app.audit.events.base import Actor, Event
from app.audit.events.conversations import ConversationRead
from app.audit.events.log_reading import ExportFormat
from app.audit.export import export_pieces
from app.audit.export_forms.forms import FORMS
from app.audit.listing import find_entry, latest_head, list_events, list_heads
from app.audit.log import record
from app.audit.proofs import consistency_path, verify_entry
from app.audit.pruning import prune_batch
from app.audit.query import EVERYTHING, Choice, LogQuery
from app.db.paging import Page
from app.errors import Conflict
from app.evidence.consistency import is_consistent
from app.evidence.kept_head import read_head
from app.evidence.verify import verify
from app.sequencer_process import Sequencer
from tests.db.aged_log import GONE, AgedLog
from tests.support.cluster import Db
from tests.support.manifested_files import manifest_of_file, verify_content
from tests.support.stand_alone import stand_alone

OLD, NEW = 100, 10
DOCUMENT = uuid.UUID(int=77)


@pytest.fixture
def log(db: Db) -> Iterator[AgedLog]:
    with contextlib.closing(AgedLog(db)) as made:
        yield made


def test_what_a_rule_removes_leaves_a_log_that_verifies_under_every_earlier_head(log: AgedLog, tmp_path: Path) -> None:
    log.answer("ada", OLD)
    log.search("ada", OLD, DOCUMENT)
    log.answer("bob", OLD, label="restricted")
    log.answer("ada", NEW)
    log.place()
    kept = log.export(tmp_path / "before.jsonl")
    head = read_head(str(kept))
    log.rule("answer", 90)
    log.rule("answer", None, "restricted")
    log.rule("search", 90)
    assert log.prune() == 3
    assert (log.numbers(GONE), log.numbers()) == ([0, 1, 2], [3, 4, 5, 6, 7])
    log.place()

    path = log.export(tmp_path / "after.jsonl")
    report = verify(path, head=head)
    assert (report.ok, report.entries, report.pruned) == (True, 8, 3), report.findings
    assert stand_alone(path, "--head", str(head)) == set()
    assert verify(kept, head=head).ok
    text_of = path.read_text()
    assert '"seq":0,"leaf_hash":' in text_of
    assert '"record":null' in text_of
    assert str(DOCUMENT) not in text_of
    for table, column in (("audit_leaf", "id"), ("audit_entry", "seq")):
        assert log.world.run("owner", f"select {column} from {table}") == 5
    assert log.numbers("select seq from audit_document union all select seq from audit_tag where seq < 3") == []


def test_what_is_left_is_proved_as_before(log: AgedLog) -> None:
    """Also between heads of before: every hash of the tree is there."""
    for n in range(6):
        log.search("ada", OLD if n % 2 else NEW)
        log.place()
    log.rule("search", 90)
    assert log.prune() == 3
    log.place()
    with log.reads() as session:
        newest, _ = latest_head(session)
        for seq in log.numbers():
            entry = find_entry(session, seq)
            assert entry is not None
            assert verify_entry(session, entry).holds
        heads = {head.size: head for head, _ in list_heads(session, Page(limit=100))}
        for earlier, later in itertools.combinations(sorted(heads), 2):
            assert is_consistent(heads[earlier], heads[later], consistency_path(session, earlier, later))
    assert newest.size == 7


FORMATS: tuple[ExportFormat, ...] = ("parquet", "ocsf")


@pytest.mark.parametrize("form", FORMATS)
def test_other_forms_say_what_is_left_too(log: AgedLog, form: ExportFormat, tmp_path: Path) -> None:
    log.search("ada", OLD)
    log.search("ada", NEW)
    log.place()
    log.rule("search", 90)
    log.prune()
    with log.reads() as session:
        head, _ = latest_head(session)
    content = log.export(tmp_path / "export", form).read_bytes()
    report = verify_content(tmp_path, content, manifest_of_file(form, content, head, 3))
    assert (report.ok, report.entries, report.pruned) == (True, 3, 1), report.findings


@pytest.mark.parametrize("form", ["csv", "cef"])
def test_forms_without_records_say_of_which_nothing_is_left(log: AgedLog, form: ExportFormat, tmp_path: Path) -> None:
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    log.prune()
    [line] = [each for each in log.export(tmp_path / "export", form).read_text().splitlines() if "pruned" in each][:1]
    assert "search" not in line


def test_a_hold_keeps_records_of_whom_and_what_it_is_on(log: AgedLog) -> None:
    hold = "insert into legal_hold ({0}, placed_by, reason) values (:of, gen_random_uuid(), 'A case.....')"
    log.search("ada", OLD)  # 0: hers
    log.answer("ada", OLD, by="clearance-sequencer")  # 1, 2: hers, closed by nobody
    log.search("bob", OLD, DOCUMENT)  # 3: found the document
    trail = log.answer("bob", OLD, DOCUMENT)  # 4, 5: made from it, and its end
    log.search("bob", OLD, log.people["ada"])  # 6: names her, wherever
    log.search("bob", OLD)  # 7
    log.place()
    bob, talk = Actor(log.people["bob"]), uuid.uuid4()
    read = ConversationRead(actor=bob, conversation=talk, shown=(trail,), withheld=(), policy_epoch=1)
    log.add(read, OLD)  # 8: read back what was made from it
    log.place()
    log.world.run("owner", hold.format("person"), of=log.people["ada"])
    log.world.run("owner", hold.format("document"), of=DOCUMENT)
    log.rule("search", 90)
    log.rule("answer", 90)
    log.rule("conversation", 90)
    assert log.prune() == 1
    assert log.numbers(GONE) == [7]
    log.world.run("owner", "update legal_hold set lifted_at = now(), lifted_by = placed_by where document is not null")
    assert log.prune() == 4
    assert log.numbers(GONE) == [3, 4, 5, 7, 8]
    log.world.run("owner", "update legal_hold set lifted_at = now(), lifted_by = placed_by where lifted_at is null")
    assert log.prune() == 4


def test_what_is_about_an_answer_stays_as_long_as_its_opening(log: AgedLog) -> None:
    """Else the end of an answer would go whose opening a rule keeps, and it would be closed once more."""
    trail = log.answer("ada", NEW)
    with log.world.session("admin") as session:
        session.execute(text("alter table audit_leaf disable trigger append_only"))
        session.execute(text("update audit_leaf set at = now() - interval '100 days' where kind = 'answer.closed'"))
    log.place()
    log.rule("answer", 90)
    assert log.prune() == 0
    with log.world.session("sequencer") as session:
        closed, _ = sequencing.close_abandoned(session, older_than=dt.timedelta(days=1))
    assert trail not in closed


def test_what_was_not_delivered_yet_stays(log: AgedLog) -> None:
    target = "insert into audit_delivery (target, kind, form, delivered) values ('vault', 'folder', 'jsonl', 1)"
    for _ in range(3):
        log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    log.world.run("owner", target)
    assert log.prune() == 1
    log.world.run("owner", "update audit_delivery set configured = false")
    assert log.prune() == 2


def test_nothing_goes_while_an_export_is_made(log: AgedLog) -> None:
    running = (
        "insert into log_export (requested_by, format, q, resolved, size, beat_at)"
        " select id, 'jsonl', '', '', 1, now() - cast(:age as interval) from app_user where name = 'au'"
    )
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    log.world.run("owner", running, age="50 minutes")
    assert log.prune() == 0
    log.world.run("owner", "update log_export set beat_at = now() - interval '61 minutes'")
    assert log.prune() == 1


def test_an_export_breaks_off_where_records_go_that_its_head_says_nothing_of(
    log: AgedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FETCH", 1)
    for _ in range(3):
        log.search("ada", OLD)
    log.place()
    with log.reads() as session:
        head = latest_head(session)
    pieces = export_pieces(log.reads, FORMS["jsonl"], EVERYTHING, head, opener=None)
    next(pieces)
    log.rule("search", 90)
    log.prune()
    with pytest.raises(Conflict, match="pruned"):
        list(pieces)


def test_the_rule_that_was_approved_last_is_in_force(log: AgedLog) -> None:
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    log.rule("search", None)
    assert log.prune() == 0
    log.rule("search", 120)
    assert log.prune() == 0
    log.world.run("owner", RULE_WAITING)
    assert log.prune() == 0
    log.rule("search", 30)
    assert log.prune() == 1
    with log.world.session("owner") as session:
        row = session.execute(text("select pruned, pruned_before from retention_rule where days = 30")).all()
    assert [pruned for pruned, _ in row if pruned] == [1]


RULE_WAITING = """
    insert into retention_rule (kind, days, reason, requested_by)
    values ('search', 30, 'A policy of ours.', gen_random_uuid())
"""


@pytest.mark.parametrize("kind", ["log", "retention", "erasure", "hold", "opening", "signingkey"])
def test_records_of_what_was_removed_held_opened_and_signed_are_under_no_rule(log: AgedLog, kind: str) -> None:
    with pytest.raises(DBAPIError, match="retention_rule_kind_check"):
        log.rule(kind, 90)


def test_moments_are_found_across_what_went(log: AgedLog) -> None:
    """The halves by which a moment is found meet numbers of which no record is left."""
    for days in (200, 190):
        log.answer("ada", days)  # 0 to 3
    for days in (180, 170, 160, 150, 140):
        log.search("ada", days)  # 4 to 8, and 8 is in the middle
    for days in (60, 50, 20):
        log.answer("bob", days)  # 9 to 14
    log.place()
    log.rule("search", 100)
    assert log.prune() == 5
    now = dt.datetime.now(dt.UTC)
    answers = Choice(frozenset({"answer"}))
    for days, before in ((195, 2), (175, 4), (65, 4), (55, 6), (30, 8), (5, 10)):
        moment = now - dt.timedelta(days=days)
        with log.reads() as session:
            earlier = list_events(session, LogQuery(kind=answers, before=moment), limit=20).entries
            later = list_events(session, LogQuery(kind=answers, after=moment), limit=20).entries
        assert (len(earlier), len(later)) == (before, 10 - before), days


def test_counts_of_a_day_go_with_the_records_that_they_follow_from(log: AgedLog) -> None:
    for days in (OLD, NEW):
        log.search("ada", days, DOCUMENT)
    log.place()
    assert len(log.numbers("select number from audit_day")) == 2
    log.rule("search", 90)
    log.prune()
    assert len(log.numbers("select number from audit_day")) == 1


def test_the_process_removes_them_a_batch_at_a_time(log: AgedLog, tmp_path: Path) -> None:
    for _ in range(3):
        log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    sequencer = Sequencer(log.world.engine("sequencer"), close_after=dt.timedelta(days=1))
    steps = 0
    while sequencer.step():
        steps += 1
    assert steps >= 1
    assert log.numbers(GONE) == [0, 1, 2]
    report = verify(log.export(tmp_path / "log.jsonl"))
    assert (report.ok, report.pruned) == (True, 3)


def test_the_process_looks_once_an_hour(log: AgedLog) -> None:
    log.search("ada", OLD)
    log.place()
    sequencer = Sequencer(log.world.engine("sequencer"), close_after=dt.timedelta(days=1))
    assert not sequencer.step()
    log.rule("search", 90)
    assert not sequencer.step()
    assert log.numbers(GONE) == []
    assert Sequencer(log.world.engine("sequencer"), close_after=dt.timedelta(days=1)).step()
    assert log.numbers(GONE) == [0]


def test_an_export_that_begins_meanwhile_puts_it_off(log: AgedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not end the process, which orders the log."""
    log.search("ada", OLD)
    log.place()
    log.rule("search", 90)
    begin = (
        "insert into log_export (requested_by, format, q, resolved, size)"
        " select id, 'jsonl', '', '', 1 from app_user where name = 'au'"
    )

    def record_late(session: Session, event: Event) -> uuid.UUID:
        log.world.run("owner", begin)
        return record(session, event)

    sequencer = Sequencer(log.world.engine("sequencer"), close_after=dt.timedelta(days=1))
    with monkeypatch.context() as patch:
        patch.setattr("app.audit.pruning.record", record_late)
        assert not sequencer.step()
    assert (log.numbers(GONE), log.numbers()) == ([], [0])
    log.world.run("owner", "delete from log_export")
    assert sequencer.step()
    assert log.numbers(GONE) == [0]


def test_more_than_a_batch_goes_in_several(log: AgedLog) -> None:
    one = log.search("ada", OLD)
    copies = """
        insert into audit_leaf (id, at, kind, actor, body, leaf_hash, writer)
        select v.id, l.at, l.kind, l.actor, v.body, sha256('\\x00'::bytea || convert_to(v.body, 'UTF8')), l.writer
        from audit_leaf l cross join generate_series(1, 2500) as n
          cross join lateral (select gen_random_uuid() as id, n) as i
          cross join lateral (select i.id, replace(l.body, l.id::text, i.id::text) as body) as v
        where l.id = :one
    """
    log.world.run("admin", copies, one=one)
    log.place()
    log.rule("search", 90)
    with log.world.session("sequencer") as session:
        assert sequencing.lock(session)
        batch = prune_batch(session)
    assert batch is not None
    assert (batch.count, batch.last) == (2000, 1999)
    assert log.prune() == 501
