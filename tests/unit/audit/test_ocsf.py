"""OCSF: every kind of record is a valid event of the pinned schema, and says what the record says."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from app.audit.events import KINDS
from app.audit.events.answers import AnswerClosed, AnswerOpened
from app.audit.events.base import Actor, Event
from app.audit.export_forms.event_classes import CEF_SEVERITY, EVENT_CLASSES
from app.audit.export_forms.ocsf import SCHEMA_VERSION, ocsf_event, ocsf_events, read_ocsf
from app.audit.export_forms.row import PRUNED, UNREADABLE, ExportedEntry
from app.evidence.merkle import canonical, leaf_hash
from tests.support.every_kind import ACTORS, AT, entries_of_every_kind, entry_of, record_of

ODD = ['"', "not JSON", "{}", '{"kind":1}', canonical({"id": "x", "kind": "answer.opened", "actor": {"user": None}})]

NO_OBJECTS: tuple[object, ...] = (0, [], "")


@functools.cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = get_ocsf_schema(version=SCHEMA_VERSION)
    return found


@functools.cache
def validator(class_uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    embedded = OcsfJsonSchemaEmbedded(schema())
    [name] = [name for name, each in schema()["classes"].items() if each["uid"] == class_uid]
    return Draft202012Validator(embedded.get_class_schema(name, list(profiles)))


def faults(event: dict[str, Any]) -> list[str]:
    found = validator(event["class_uid"], tuple(event["metadata"].get("profiles", ()))).iter_errors(event)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
def test_every_kind_of_record_is_a_valid_event(actor: Actor) -> None:
    wrong = {}
    for entry in entries_of_every_kind(actor):
        event = json.loads(ocsf_events([entry]))
        if found := faults(event):
            wrong[event["metadata"]["event_code"]] = found
    assert wrong == {}


def test_the_schema_refuses_what_is_no_event() -> None:
    """Else the test above would show nothing."""
    event = ocsf_event(next(entries_of_every_kind(ACTORS["a person"])))
    assert faults(event) == []
    for change in ({"severity_id": 77}, {"time": "now"}, {"activity_id": None}, {"surprise": 1}):
        assert faults(event | change) != []
    assert faults({name: value for name, value in event.items() if name != "actor"}) != []
    assert faults(event | {"metadata": event["metadata"] | {"profiles": []}}) != [], "the profile's own attributes"


@pytest.mark.parametrize("body", ODD)
def test_a_text_that_is_no_record_is_a_valid_event_too(body: str) -> None:
    event = ocsf_event(ExportedEntry(7, AT, leaf_hash(body), body, {}))
    assert faults(event) == []
    assert (event["raw_data"], event["metadata"]["event_code"]) == (body, UNREADABLE)
    assert event["time"] == 1_793_536_200_123


def test_records_of_an_unusual_form_are_valid_events() -> None:
    """What nobody of ours writes, and what the log has to show all the same: fields of other types, and other kinds."""
    kinds: dict[str, type[Event]] = {**KINDS, "tea.made": AnswerClosed}
    for kind, event in kinds.items():
        record = record_of(event.kind, event, ACTORS["a service for a person"]) | {"kind": kind}
        for value in (None, 7, True, "", [], {"a": ["b"]}, [{"document": 7}]):
            odd = {name: value for name in record if name not in {"id", "kind", "actor"}}
            assert faults(ocsf_event(entry_of(record | odd))) == [], (kind, value)
        actor = dict.fromkeys(record["actor"], 7) | {"user": record["actor"]["user"]}
        assert faults(ocsf_event(entry_of(record | {"actor": actor}))) == [], kind
        assert faults(ocsf_event(entry_of(record | {"actor": {"user": None}}))) == [], kind
        for part in ({"name": "m"}, {"endpoint": "e"}):
            assert faults(ocsf_event(entry_of(record | {"model": part}))) == [], kind


def test_each_kind_has_a_class_and_an_activity_of_the_schema() -> None:
    assert set(EVENT_CLASSES) == {*KINDS, PRUNED, UNREADABLE}
    classes = {each["uid"]: each for each in schema()["classes"].values()}
    for kind, each in EVENT_CLASSES.items():
        found = classes[each.ocsf.uid]
        activities = found["attributes"]["activity_id"]["enum"]
        assert activities[str(each.activity)]["caption"] == each.ocsf.activities[each.activity], kind
        assert (found["caption"], found["category_uid"]) == (each.ocsf.name, each.ocsf.category_uid), kind
        assert each.severity in CEF_SEVERITY


def test_an_answer_says_its_model_and_its_tokens() -> None:
    record = record_of("answer.opened", AnswerOpened, ACTORS["a service for a person"])
    opened = ocsf_event(entry_of(record, address="2001:db8::1"))
    assert opened["ai_model"] == {"name": "text", "ai_provider": "text"}
    assert opened["metadata"]["profiles"] == ["ai_operation"]
    assert opened["actor"]["app_name"] == "bot"
    assert opened["src_endpoint"] == {"ip": "2001:db8::1"}
    closed = ocsf_event(entry_of(record_of("answer.closed", AnswerClosed, ACTORS["a person"])))
    context = closed["message_context"]
    assert (context["prompt_tokens"], context["completion_tokens"]) == (3, 3)
    record = record_of("answer.closed", AnswerClosed, ACTORS["a person"])
    ends = {o: ocsf_event(entry_of(record | {"outcome": o}))["status_id"] for o in ("answered", "refused", "hung_up")}
    assert ends == {"answered": 1, "refused": 2, "hung_up": 99}


def test_an_event_is_one_line_whatever_a_name_says() -> None:
    record = record_of("answer.closed", AnswerClosed, Actor(ACTORS["a person"].user, address="x"))
    lines = ocsf_events([entry_of(record, name='Ada\n{"class_uid":1}\u2028\u0085', address="x")])
    assert len(lines.decode().splitlines()) == 1
    assert lines.isascii()


def test_an_event_of_other_types_is_not_taken_for_ours(tmp_path: Path) -> None:
    """What a file that somebody changed may have, where we have texts."""
    event = ocsf_event(entry_of(record_of("answer.closed", AnswerClosed, ACTORS["a person"])))
    changes: list[dict[str, Any]] = [{"src_endpoint": {"ip": 5}}, {"src_endpoint": {"name": 5}}]
    changes += [{"unmapped": event["unmapped"] | {"opened": opened}} for opened in NO_OBJECTS]
    path = tmp_path / "log.ocsf.jsonl"
    lines = [json.dumps(event | change, separators=(",", ":")) for change in [*changes, {}]]
    path.write_text("".join(f"{line}\n" for line in lines))
    assert [(each.seq is None, each.says_the_same) for each in read_ocsf(path)] == [
        (False, False), (False, False), (True, True), (False, False), (False, False), (False, True)
    ]  # fmt: skip
