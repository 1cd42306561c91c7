"""What a record is found by is taken out of it when it gets its place: no value that may stand there is an error."""

import contextlib
import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.audit import sequencing
from app.audit.events.answers import AnswerClosed, AnswerFeedback, Grounding, ModelRoute
from app.audit.events.base import Actor
from app.audit.events.conversations import ConversationRead
from app.audit.log import record
from app.audit.shown import ShownFilter, list_shown
from app.db.paging import Page
from app.identity.subject import Capability
from tests.db.audit_db import LEAF, AuditDb, Record, forged, leaf, opened
from tests.support.cluster import TEMPLATE, Cluster, copied

# More than an index takes, and not to be made smaller.
LONG = "".join(uuid.uuid4().hex for _ in range(200))
ODD_FIELDS: list[Record] = [
    {"outcome": {"a": 1}, "document": {"a": 1}, "documents": "x", "passages": 7, "target": ["document:x"]},
    {"outcome": LONG, "document": "leave.md", "documents": [1, None, {}], "passages": [1, [], {"document": 2}]},
    {"collection": LONG, "collections": {"a": 1}, "target": f"collection:{LONG}", "redactions": [1], "label": LONG},
    {
        "collection": ["x"],
        "collections": [1, None, {}, LONG],
        "redactions": {LONG: 1, "": 2, "card": {"a": 1}},
        "model": "m",
        "opened": 7,
        "label": {"a": 1},
        "grounding": "g",
    },
    {"model": {"name": LONG, "reason": ["x"]}, "grounding": {"outcome": LONG}, "target": "collection:"},
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
    # Of a connection that has just begun, statements are planned with the very text of the record.
    world.engine("sequencer").dispose()
    assert place(world) == 1


def test_of_a_trail_that_is_opened_often_one_opening_counts(world: AuditDb) -> None:
    """Else each closing would go through all of them, and who may write could stop the sequencer."""
    person, trail = uuid.uuid4(), uuid.uuid4()
    with world.acting(person) as session:
        for _ in range(3):
            record(session, opened(person, trail, uuid.uuid4()))
        record(session, AnswerClosed(actor=Actor(person), trail=trail, outcome="quoted"))
    place(world)
    named = "select count(*) from audit_document d join audit_entry e using (seq) where e.kind = 'answer.closed'"
    assert world.value("owner", named) == 1


def test_an_answer_that_ends_later_is_about_what_it_was_opened_with(world: AuditDb) -> None:
    """Also where its opening has its place already, and the closing names no document."""
    person, trail, document = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    for event in (
        opened(person, trail, document),
        AnswerClosed(actor=Actor(person), trail=trail, outcome="quoted"),
    ):
        with world.acting(person) as session:
            record(session, event)
        place(world)
    assert world.value("owner", "select count(*) from audit_document where document = :id", id=document) == 2


def test_a_conversation_read_back_is_about_the_documents_of_what_was_given_out(world: AuditDb) -> None:
    """Of the answers that were shown, not of those that were withheld; also where all get their places at once."""
    person, shown, withheld = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    given, kept_back = uuid.uuid4(), uuid.uuid4()
    read = ConversationRead(
        actor=Actor(person), conversation=uuid.uuid4(), shown=(shown, uuid.uuid4()), withheld=(withheld,),
        policy_epoch=1,
    )  # fmt: skip
    with world.acting(person) as session:
        for event in (opened(person, shown, given), opened(person, withheld, kept_back), read):
            record(session, event)
    place(world)
    about = "select count(*) from audit_document d join audit_entry e using (seq) where document = :id"
    about += " and e.kind = 'conversation.read'"
    assert world.value("owner", about, id=given) == 1
    assert world.value("owner", about, id=kept_back) == 0


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (None, 0), ("x", 0), (7, 0), ({"a": 1}, 0), ([], 0), ([1, None, {}, "x", [], LONG], 0),
        ([str(uuid.UUID(int=5))] * 3, 1), ([str(uuid.UUID(int=n)) for n in range(2_000)], 1_000),
    ],
)  # fmt: skip
def test_whatever_stands_as_shown_is_no_error_and_has_an_end(world: AuditDb, shown: object, found: int) -> None:
    count = "select count(*) from clearance.trails_of('conversation.read', null, :body)"
    assert world.value("admin", count, body=json.dumps({"shown": shown})) == found


@pytest.mark.parametrize("kind", ["answer.opened", "answer.closed", "audit.read", "policy.changed"])
@pytest.mark.parametrize("fields", ODD_FIELDS)
def test_whatever_stands_in_a_record_its_tags_are_few_and_short(world: AuditDb, kind: str, fields: Record) -> None:
    many = {"redactions": {str(n): 1 for n in range(2_000)}}
    for body, longest in ((fields, 100), (many, 1_000)):
        found = (
            "select bool_and(octet_length(value) between 1 and 100) is not false and count(*) <= :longest"
            " from clearance.tags_of(:kind, cast(:body as jsonb))"
        )
        assert world.value("admin", found, kind=kind, body=json.dumps(body), longest=longest)


def tagged(world: AuditDb, trail: uuid.UUID, kind: str) -> set[str]:
    """The tags of the first record of this kind in a trail."""
    found = (
        "select t.name || ':' || t.value from audit_tag t where t.seq ="
        " (select min(e.seq) from audit_entry e where e.trail = :trail and e.kind = :kind)"
    )
    with world.session("owner") as session:
        return set(session.scalars(text(found), {"trail": trail, "kind": kind}))


def test_an_answer_is_found_by_its_label_its_model_and_what_was_redacted(world: AuditDb) -> None:
    """Its end, and a word on it, also by what it was opened with; whoever writes another opening changes nothing."""
    person, trail, chosen = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    route = ModelRoute("qwen3", "10.0.0.9:8000", "external endpoint, public within public")
    first = replace(opened(person, trail), label="restricted", model=route, collections=(chosen,))
    closed = AnswerClosed(
        actor=Actor(person), trail=trail, outcome="answered", redactions={"card": 2, "iban": 0},
        grounding=Grounding("partly", 1, 1, 0),
    )  # fmt: skip
    said = AnswerFeedback(actor=Actor(person), trail=trail, block=1, helpful=True)
    with world.acting(person) as session:
        for event in (first, replace(opened(person, trail), label="public"), closed, said):
            record(session, event)
    place(world)
    of_opening = {"label:restricted", "model:qwen3", "model:external", f"collection:{chosen}"}
    assert tagged(world, trail, "answer.opened") == tagged(world, trail, "answer.feedback") == of_opening
    assert tagged(world, trail, "answer.closed") == of_opening | {"finding:card", "finding:partly"}


def test_an_answer_counts_as_shown_whether_or_not_it_ended(world: AuditDb) -> None:
    """Its asker could have read the passages; a second closing, by the sequencer, counts nothing."""
    person, trail, document = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    ended = AnswerClosed(actor=Actor(person), trail=trail, outcome="quoted")
    with world.acting(person) as session:
        for event in (opened(person, trail, document), opened(person, uuid.uuid4(), document), ended):
            record(session, event)
    with world.session("sequencer") as session:
        record(session, AnswerClosed(actor=sequencing.SEQUENCER, trail=trail, outcome="abandoned"))
    place(world)
    with world.as_user(world.person("au", may=[Capability.AUDIT])) as session:
        [found] = list_shown(session, ShownFilter(document=document), Page(limit=5))
    assert (found.person, found.times["answers"], sum(found.times.values())) == (person, 2, 2)
