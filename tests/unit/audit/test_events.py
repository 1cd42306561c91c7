"""Records: their form, and that docs/audit.md lists exactly the kinds there are."""

import datetime as dt
import importlib
import pkgutil
import re
import uuid
from dataclasses import fields

import pytest
from sqlalchemy.orm import Session

from app.audit import events
from app.audit.events.answers import AnswerClosed, AnswerOpened, ModelRoute, ShownPassage, scopes_digest
from app.audit.events.base import Actor, CommittedText, Event, SealedText, new_id
from app.audit.log import record
from app.db.audit_writers import WRITERS
from app.evidence.merkle import NotCanonical, canonical
from tests.support.environment import REPOSITORY

DOCS = REPOSITORY / "docs" / "audit.md"
ACTOR = Actor(uuid.UUID(int=7), key="ck_ada")
OPENED = AnswerOpened(
    actor=ACTOR,
    trail=uuid.UUID(int=1),
    question=SealedText("who earns what?"),
    mode="generate",
    policy_epoch=3,
    valid_until=dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    scopes=("b", "a"),
    passages=(ShownPassage(uuid.UUID(int=2), uuid.UUID(int=3), uuid.UUID(int=4), rank=1, label="internal"),),
    label="internal",
    embedder="e",
    template="t",
    prompt=CommittedText("the prompt"),
    model=ModelRoute("m", "http://127.0.0.1:1/v1", "loopback is internal"),
)


def test_record_of_an_opened_answer() -> None:
    made = OPENED.to_record()
    assert made["v"] == 3
    assert made["kind"] == "answer.opened"
    assert made["actor"] == {"user": str(ACTOR.user), "name": None, "key": "ck_ada", "via": None, "address": None}
    assert made["trail"] == str(uuid.UUID(int=1))
    assert made["valid_until"] == "2026-01-02T02:04:05.000006Z"
    assert made["passages"][0]["rank"] == 1
    assert made["question"] == SealedText("who earns what?")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made["at"])


def test_scopes_digest_does_not_depend_on_order() -> None:
    assert OPENED.scopes_digest == scopes_digest(("a", "b")) != scopes_digest(("a",))


def test_words_that_nobody_sealed_have_no_canonical_form() -> None:
    with pytest.raises(NotCanonical):
        canonical(OPENED.to_record())


def test_words_without_a_sealer_are_refused() -> None:
    with pytest.raises(ValueError, match="without what seals"):
        record(Session(), OPENED)


def test_no_record_names_a_user() -> None:
    """Names can be erased, and records cannot."""
    with pytest.raises(ValueError, match="by id alone"):
        Actor(uuid.UUID(int=7), "Ada")


def test_a_time_without_zone_is_refused() -> None:
    event = AnswerClosed(actor=ACTOR, trail=uuid.UUID(int=1), outcome="failed", at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        event.to_record()


def test_ids_are_version_7_and_grow_with_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {uuid.RFC_4122}
    assert len(set(ids)) == 1000
    assert [i.int >> 80 for i in ids] == sorted(i.int >> 80 for i in ids)


def test_every_event_class_is_registered() -> None:
    modules = [importlib.import_module(f"{events.__name__}.{m.name}") for m in pkgutil.iter_modules(events.__path__)]
    classes = {v for m in modules for v in vars(m).values() if isinstance(v, type) and issubclass(v, Event)}
    assert {c for c in classes if hasattr(c, "kind")} == set(events.KINDS.values())


def test_docs_list_the_kinds_and_their_fields() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| (.*?) \|", DOCS.read_text(), flags=re.MULTILINE)
    common = {f.name for f in fields(Event)}
    listed = {kind: set(re.findall(r"`(\w+)`", names)) for kind, names in rows}
    assert listed == {kind: {f.name for f in fields(e)} - common for kind, e in events.KINDS.items()}


def test_every_kind_has_a_writer() -> None:
    """A kind that no database role may write cannot be recorded: add it to app/db/audit_writers.py."""
    assert set(events.KINDS) <= {writer.kind for writer in WRITERS}


def test_parts_of_ours_write_under_one_name() -> None:
    """In nobody's name and no kind of the API's but for closing an answer that was left open."""
    parts = [w for w in WRITERS if w.role != "clearance_app"]
    assert {(w.role, w.name) for w in parts} == {
        ("clearance_ingest", "worker"),
        ("clearance_sequencer", "clearance-sequencer"),
        ("clearance_delivery", "clearance-delivery"),
    }
    assert {w.acts_for for w in parts} == {"nobody"}
    of_callers = {w.kind for w in WRITERS if w.role == "clearance_app"}
    assert of_callers & {w.kind for w in parts} == {"answer.closed"}
