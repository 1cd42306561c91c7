"""The log survives any row that a database role of ours can insert, and those of before records were held to a form: it
is listed, exported both ways and verified, whatever is in it.
"""

import contextlib
import csv
import io
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.admin.event_views import event_views
from app.audit import sequencing
from app.audit.events.log_reading import ExportFormat
from app.audit.export import export_log
from app.audit.export_forms.forms import FORMS
from app.audit.listing import latest_head, list_events
from app.audit.opener import Opener
from app.db.audit_writers import WRITERS
from app.evidence.merkle import canonical
from app.evidence.report import REMARKS, VerifyReport
from app.evidence.verify import verify
from app.identity.subject import Capability
from app.web.api.schemas import EventsOut
from tests.db.audit_db import LEAF, AuditDb, Record, forged, leaf
from tests.support.cluster import Db
from tests.support.identities import act_as
from tests.support.manifested_files import manifest_of_file, verify_content
from tests.support.openings import ALL_WORDS
from tests.support.sealing import SEALER

OLD = text(
    "insert into audit_leaf (id, kind, trail, actor, body, leaf_hash, writer)"
    " values (:id, :kind, :trail, :actor, :body, :hash, null)"
)
ROLES = ("app", "ingest", "sequencer")


class Log:
    """A log, somebody who reads it, and one of its people."""

    def __init__(self, world: AuditDb) -> None:
        self.world = world
        self.auditor, self.maya = world.person("au", may=[Capability.AUDIT]), world.person("maya")

    def reads(self) -> AbstractContextManager[Session]:
        """A transaction as the auditor, begun anew each time."""
        return self.world.as_user(self.auditor)

    def read(self, folder: Path) -> tuple[int, int]:
        """Order, list, export and verify all of it; gives how many entries there are, and how many are no records."""
        with self.world.session("sequencer") as session:
            while sequencing.append_batch(session).count:
                pass
        path = folder / "log.jsonl"
        with self.world.as_user(self.auditor) as reading:
            opener = Opener(reading, SEALER, ALL_WORDS)
            listed = event_views(reading, list_events(reading, limit=100_000).entries, opener)
            wire = json.loads(EventsOut(events=listed, recorded=uuid.uuid4()).model_dump_json())["events"]
        lines = export_log(self.reads, FORMS["jsonl"], opener=lambda session: Opener(session, SEALER, ALL_WORDS))
        path.write_bytes(b"".join(lines))
        cells = export_log(self.reads, FORMS["csv"], opener=lambda session: Opener(session, SEALER, ALL_WORDS))
        rows = list(csv.reader(io.StringIO(b"".join(cells).decode(), newline="")))
        report = verify(path)
        assert [finding for finding in report.findings if finding.kind not in REMARKS] == []
        assert report.entries == len(wire) == len(rows) - 1
        raw = sum(event["record"] is None for event in wire)
        assert raw == sum(event["raw"] is not None for event in wire) == len(report.findings)
        for format in ("parquet", "ocsf", "cef"):
            self.read_as(folder, format, report)
        return len(wire), raw

    def read_as(self, folder: Path, format: ExportFormat, found: VerifyReport) -> None:
        """Export and verify it in another format: nothing else is found than in the JSONL."""
        with self.world.as_user(self.auditor) as session:
            head, _ = latest_head(session)
        opener = partial(Opener, sealer=SEALER, scope=ALL_WORDS)
        content = b"".join(export_log(self.reads, FORMS[format], opener=opener))
        report = verify_content(folder, content, manifest_of_file(format, content, head, head.size))
        if format == "cef":
            assert (report.ok, content.count(b"\n")) == (True, head.size)
        else:
            assert report.findings == found.findings
            assert (report.opened, report.erased) == (found.opened, found.erased)


@pytest.fixture
def log(db: Db) -> Iterator[Log]:
    with contextlib.closing(AuditDb(db)) as world:
        yield Log(world)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def raw(record: Record, value: str) -> str:
    """The record's text with one more field, as it is."""
    return canonical(record)[:-1] + f',"zz":{value}}}'


ATTACKS: dict[str, Callable[[Record], str]] = {
    "spaces": json.dumps,
    "keys in another order": lambda r: json.dumps(dict(reversed(r.items())), separators=(",", ":")),
    "a key twice": lambda r: raw(r, "1")[:-1] + ',"zz":2}',
    "a float": lambda r: raw(r, "1.5"),
    "an exponent": lambda r: raw(r, "1e3"),
    "a huge number": lambda r: raw(r, "9" * 5000),
    "minus nothing": lambda r: raw(r, "-0"),
    "escapes": lambda r: raw(r, '"\\u00e9\\/"'),
    "a key that is not ASCII": lambda r: raw(r, '{"é":1}'),
    "17 deep": lambda r: raw(r, nested(17)),
    "900 deep": lambda r: raw(r, nested(900)),
    "3,000 deep": lambda r: raw(r, nested(3000)),
    "300 KB": lambda r: raw(r, f'"{"x" * 300_000}"'),
    "of version 1": lambda r: canonical({**r, "v": 1}),
    "of no version": lambda r: canonical({k: v for k, v in r.items() if k != "v"}),
    "another writer": lambda r: canonical({**r, "writer": "clearance_owner"}),
    "no writer": lambda r: canonical({k: v for k, v in r.items() if k != "writer"}),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_record_of_no_form_is_refused(log: Log, role: str) -> None:
    """And a plain one of the same role is not, so that the refusal is for the form."""
    for what, spoil in ATTACKS.items():
        record = forged(role)
        with pytest.raises(DBAPIError), log.world.session(role) as session:
            session.execute(text(LEAF), leaf(record, spoil(record)))
            pytest.fail(f"{role} wrote {what}")
    log.world.run(role, LEAF, **leaf(forged(role)))


def test_what_stood_there_before_is_survived(log: Log, tmp_path: Path) -> None:
    """Rows of before the form was asked for, of every kind that was let in then."""
    count = 0
    for spoil in ATTACKS.values():
        record = forged("ingest")
        with contextlib.suppress(DBAPIError), log.world.session("admin") as session:
            session.execute(OLD, leaf(record, spoil(record)))
            count += 1
    assert count >= 14
    entries, unread = log.read(tmp_path)
    assert entries == count
    assert unread >= 11


MAYA = {"user": None, "name": "maya", "key": None, "via": None, "address": None}
KIND_ATTACKS: list[tuple[str, Record]] = [
    ("ingest", {"kind": "document.downloaded"}),
    ("ingest", {"kind": "policy.changed"}),
    ("ingest", {"kind": "answer.closed"}),
    ("ingest", {"kind": "anything.else"}),
    ("ingest", {"actor": MAYA}),
    ("sequencer", {"kind": "document.indexed"}),
    ("sequencer", {"actor": MAYA}),
    ("app", {"kind": "document.indexed"}),
    ("app", {"kind": "document.downloaded"}),
    ("app", {"kind": "audit.read"}),
]


def test_each_role_writes_its_own_kinds(log: Log) -> None:
    for role, changes in KIND_ATTACKS:
        log.world.check_refused("row-level security", role, LEAF, **leaf(forged(role, **changes)))


@pytest.mark.parametrize("role", ROLES)
def test_nobody_writes_in_the_name_of_another(log: Log, role: str) -> None:
    """`maya downloaded …`: by no part of ours, and by the API under Maya's identity alone."""
    actor = MAYA | {"user": str(log.maya)}
    kinds = {w.kind for w in WRITERS if w.role == f"clearance_{role}"} | {"document.downloaded"}
    for kind in sorted(kinds):
        record = forged(role, kind=kind, actor=actor)
        with pytest.raises(DBAPIError, match="row-level security"), log.world.session(role) as session:
            if role == "app":
                act_as(session, log.auditor)
            session.execute(text(LEAF), leaf(record))
    if role == "app":
        record = forged(role, kind="document.downloaded", actor=actor)
        with log.world.acting(log.maya) as session:
            session.execute(text(LEAF), leaf(record))


def test_who_is_gone_is_recorded_all_the_same(log: Log) -> None:
    """An answer ends after its asker was switched off and deleted: its record is theirs."""
    log.world.run("owner", "delete from app_user where id = :m", m=log.maya)
    record = forged("app", kind="answer.closed", actor=MAYA | {"user": str(log.maya)})
    with log.world.acting(log.maya) as session:
        session.execute(text(LEAF), leaf(record))


# Values of every JSON type, and of types where a reader expects another one.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["question", "query", "passages", "model", "via", "address", "document", "target", "user", "role", "epoch",
     "outcome", "action", "at", "policy_epoch", "label", "key", "name", "trail", "v", "writer", "kind", "id", "sealed"]
)  # fmt: skip
SEALED = st.fixed_dictionaries({"sealed": st.text(max_size=9), "commitment": VALUES, "keeps": st.text(max_size=4)})
CHANGES = st.dictionaries(FIELDS, VALUES | SEALED | st.lists(st.fixed_dictionaries({"document": VALUES})), max_size=4)
SPELLINGS = st.sampled_from(["canonical", "plain", "spaced"])


def test_whatever_gets_in_can_be_read(log: Log, tmp_path: Path) -> None:
    """Hypothesis writes as each role, and as what stood there before; then all is listed, exported and verified."""
    let_in: Counter[str] = Counter()
    engines = {role: log.world.engine(role).connect() for role in (*ROLES, "admin")}

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from((*ROLES, "caller", "old")), CHANGES, VALUES, SPELLINGS)
    @example("old", {}, None, "spaced")
    @example("ingest", {"user": {"sealed": "", "commitment": "", "keeps": ""}}, None, "canonical")
    def law(who: str, changes: Record, inside: object, spelling: str) -> None:
        role = {"caller": "app", "old": "ingest"}.get(who, who)
        record = forged(role)
        if who == "caller":
            actor = {"user": str(log.maya), "name": inside, "key": inside, "via": inside, "address": inside}
            record |= {"kind": "search.done", "actor": actor}
        record |= {name: value for name, value in changes.items() if who == "old" or name not in record}
        with contextlib.suppress(ValueError, KeyError, AssertionError):
            body = spelled(record, spelling)
            if insert(engines["admin" if who == "old" else role], who, leaf(record, body), log.maya):
                let_in[who] += 1

    law()
    for connection in engines.values():
        connection.close()
    entries, unread = log.read(tmp_path)
    print(f"{dict(let_in)} let in, {unread} of {entries} are no records")
    assert entries == let_in.total()
    assert set(let_in) == {*ROLES, "caller", "old"}
    assert unread > 0


def spelled(record: Record, how: str) -> str:
    """The record's text; raises ValueError where it has none."""
    if how == "canonical":
        return canonical(record)
    separators = (",", ":") if how == "plain" else None
    body = json.dumps(record, ensure_ascii=False, separators=separators)
    body.encode()
    return body


def insert(connection: Connection, who: str, row: Record, maya: uuid.UUID) -> bool:
    """Whether the database lets it in."""
    try:
        with connection.begin():
            if who == "caller":
                act_as(connection, maya)
            connection.execute(OLD if who == "old" else text(LEAF), row)
    except DBAPIError:
        return False
    return True
