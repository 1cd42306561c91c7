"""What a record is found by is taken out of it when it gets its place: no value that may stand there is an error."""

import contextlib
import itertools
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.audit import sequencing
from app.audit.events.answers import AnswerClosed
from app.audit.events.base import Actor
from app.audit.log import record
from tests.db.audit_db import LEAF, SEALER, AuditDb, Record, forged, leaf, opened
from tests.support.cluster import TEMPLATE, Cluster, copied

# More than an index takes, and not to be made smaller.
LONG = "".join(uuid.uuid4().hex for _ in range(200))
ODD_FIELDS: list[Record] = [
    {"outcome": {"a": 1}, "document": {"a": 1}, "documents": "x", "passages": 7, "target": ["document:x"]},
    {"outcome": LONG, "document": "leave.md", "documents": [1, None, {}], "passages": [1, [], {"document": 2}]},
    {"target": "document:", "documents": ["{00000000-0000-0000-0000-000000000001}"], "passages": {"document": "x"}},
]
ODD_ACTORS: list[Record] = [
    {"name": LONG, "via": "bot", "address": LONG},
    {"name": {"a": 1}, "via": {"service": "bot", "name": "bot"}, "address": {"a": 1}},
    {"name": None, "via": {"service": ["x"], "name": LONG}, "address": None},
    {"name": 7, "via": [], "address": []},
    {"name": "n", "via": {"service": str(uuid.uuid4()), "name": LONG}, "address": ""},
]


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[AuditDb]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as made:
        yield made


def place(world: AuditDb) -> int:
    with world.session("sequencer") as session:
        return sequencing.append_batch(session).count


@pytest.mark.parametrize(("fields", "actor"), list(itertools.product(ODD_FIELDS, ODD_ACTORS)))
def test_no_field_of_a_record_stops_the_sequencer(world: AuditDb, fields: Record, actor: Record) -> None:
    record = forged("app", **fields)
    record["actor"] |= actor
    with world.session("app") as session:
        session.execute(text(LEAF), leaf(record))
    assert place(world) == 1


def test_of_a_trail_that_is_opened_often_one_opening_counts(world: AuditDb) -> None:
    """Else each closing would go through all of them, and who may write could stop the sequencer."""
    person, trail = uuid.uuid4(), uuid.uuid4()
    with world.acting(person) as session:
        for _ in range(3):
            record(session, opened(person, trail, uuid.uuid4()), SEALER)
        record(session, AnswerClosed(actor=Actor(person, "Ada"), trail=trail, outcome="quoted"))
    place(world)
    named = "select count(*) from audit_document d join audit_entry e using (seq) where e.kind = 'answer.closed'"
    assert world.value("owner", named) == 1


def test_an_answer_that_ends_later_is_about_what_it_was_opened_with(world: AuditDb) -> None:
    """Also where its opening has its place already, and the closing names no document."""
    person, trail, document = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    for event in (
        opened(person, trail, document),
        AnswerClosed(actor=Actor(person, "Ada"), trail=trail, outcome="quoted"),
    ):
        with world.acting(person) as session:
            record(session, event, SEALER)
        place(world)
    assert world.value("owner", "select count(*) from audit_document where document = :id", id=document) == 2
