"""What a query of the log finds, held to plain Python over the same records: both ways, by pages of any size."""

import contextlib
import datetime as dt
import itertools
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import search, sequencing
from app.audit.encryption import open_address
from app.audit.events.answers import (
    AnswerClosed,
    AnswerFeedback,
    AnswerOpened,
    DocumentIndexed,
    DocumentOpened,
    Grounding,
    ModelRoute,
    SearchDone,
    ShownPassage,
)
from app.audit.events.base import Actor, Event, RecordedService, SealedText
from app.audit.events.directory import PolicyChanged
from app.audit.events.log_reading import AuditRead
from app.audit.listing import list_events
from app.audit.log import record
from app.audit.names import with_ids
from app.audit.query import Choice, LogQuery, is_of_kind, parse
from app.errors import InvalidInput
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb, add_leaf
from tests.support.cluster import TEMPLATE, Cluster, Db, copied
from tests.support.sealing import SEALER

DOCUMENTS = [uuid.UUID(int=n) for n in range(1, 6)]
ADDRESSES = ["10.0.0.7", "2001:db8::7", None]
OUTCOMES = ["quoted", "nothing", "hung_up"]
LABELS, FINDINGS, MODELS = ["public", "restricted"], ["card", "iban", "partly"], ["qwen3", "internal", "external"]
COLLECTIONS = [uuid.UUID(int=n) for n in range(11, 14)]
KINDS = ["answer", "answer.opened", "answer.closed", "search.done", "document", "signin.refused", "policy"]
Body = dict[str, Any]


class Log:
    """A log of some people, two services and parts of ours, and its records as Python reads them."""

    def __init__(self, world: AuditDb, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.auditor = world.person("au", may=[Capability.AUDIT])
        self.people = {name: world.person(name) for name in ("freya", "jonas", "gone")}
        self.bots = {name: uuid.uuid4() for name in ("bot", "mill")}
        for _ in range(60):
            self.add()
        world.run("owner", "delete from app_user where name = 'gone'")
        world.run("owner", "update app_user set name = 'jon' where name = 'jonas'")
        with world.session("sequencer") as session:
            sequencing.append_batch(session)
        with world.session("owner") as session:
            rows = session.execute(
                text(
                    "select e.seq, l.at, l.body from audit_entry e join audit_leaf l on l.id = e.leaf_id order by e.seq"
                )
            )
            self.records: list[tuple[int, dt.datetime, Body]] = [
                (seq, at, self.read(session, json.loads(body))) for seq, at, body in rows
            ]

    def read(self, session: Session, body: Body) -> Body:
        """A record with its actor's name and address, which it has not in the clear."""
        if (user := body["actor"]["user"]) is not None:
            name = next(name for name, person in self.people.items() if str(person) == user)
            key = SEALER.find_key(session, uuid.UUID(user))
            assert key is not None
            sealed = body["actor"]["address"]
            body["actor"] |= {"name": name, "address": None if sealed is None else open_address(key, sealed)}
        return body

    def add(self) -> None:
        if self.rng.random() < 0.15:
            with self.world.session("app") as session:
                add_leaf(session)
            return
        if self.rng.random() < 0.1:
            with self.world.session("ingest") as session:
                record(session, self.indexed())
            return
        person = self.rng.choice(list(self.people.values()))
        via = None
        if self.rng.random() < 0.3:
            bot, service = self.rng.choice(list(self.bots.items()))
            via = RecordedService(service, bot, "cld_0")
        actor = Actor(person, via=via, address=self.rng.choice(ADDRESSES))
        with self.world.acting(person) as session:
            for event in self.events(actor):
                record(session, event)

    def indexed(self) -> Event:
        return DocumentIndexed(
            actor=Actor.service("worker"), job=None, document=self.rng.choice(DOCUMENTS), version=uuid.uuid4(),
            collection=self.rng.choice(COLLECTIONS), scope="s", chunks=1, embedder="e",
        )  # fmt: skip

    def events(self, actor: Actor) -> Sequence[Event]:
        named = self.rng.sample(DOCUMENTS, 2)
        match self.rng.randrange(5):
            case 0:
                trail = uuid.uuid4()
                passages = tuple(ShownPassage(uuid.uuid4(), d, uuid.uuid4(), 1, "public") for d in named)
                opened = AnswerOpened(
                    actor=actor, trail=trail, question=SealedText("?"), mode="quote", policy_epoch=1, valid_until=None,
                    scopes=(), passages=passages, label=self.rng.choice(LABELS), embedder="e", template="t",
                    prompt=None,
                    model=self.rng.choice([None, *(ModelRoute("qwen3", "h", f"{p} endpoint, x") for p in MODELS[1:])]),
                    collections=tuple(self.rng.sample(COLLECTIONS, self.rng.randrange(3))),
                )  # fmt: skip
                closed = AnswerClosed(
                    actor=actor, trail=trail, outcome=self.rng.choice(OUTCOMES),  # type: ignore[arg-type]
                    redactions={kind: self.rng.randrange(2) for kind in self.rng.sample(FINDINGS[:2], 2)},
                    grounding=self.rng.choice([None, Grounding("partly", 1, 1, 0)]),
                )  # fmt: skip
                return opened, closed, AnswerFeedback(actor=actor, trail=trail, block=1, helpful=True)
            case 1:
                return [SearchDone(actor=actor, query=SealedText("?"), policy_epoch=1, hits=(), documents=tuple(named))]
            case 2:
                return [DocumentOpened(actor=actor, document=named[0], version=uuid.uuid4(), policy_epoch=1)]
            case 3:
                return [AuditRead(actor=actor, filters={}, rows=0, opened=self.rng.random() < 0.5)]
            case _:
                of = self.rng.choice(COLLECTIONS)
                places = [f"document:{named[0]}", "document:leave.md", f"collection:{of}", f"collection:{of}/a/b"]
                target = self.rng.choice([*places, "collection:handbook"])
                return [PolicyChanged(actor=actor, action="a", target=target, before=None, after=None, epoch=1)]

    def documents(self, body: Body) -> set[str]:
        """What a record is about; how an answer ended, and what is said of it, is about what it was opened with."""
        if body["kind"] in {"answer.closed", "answer.feedback"}:
            [body] = [b for *_, b in self.records if b["kind"] == "answer.opened" and b["trail"] == body["trail"]]
        kind, _, target = body.get("target", "").partition(":")
        named = {p["document"] for p in body.get("passages", ())} | {body.get("document"), *body.get("documents", ())}
        return {str(d) for d in DOCUMENTS if str(d) in named | {target if kind == "document" else None}}

    def tags(self, body: Body) -> dict[str, set[str | None]]:
        """By what else a record is found; how an answer ended, and what is said of it, also by its opening."""
        found = dict[str, set[str | None]]()
        if body["kind"] in {"answer.closed", "answer.feedback"}:
            [first] = [b for *_, b in self.records if b["kind"] == "answer.opened" and b["trail"] == body["trail"]]
            found = self.tags(first)
        target = body.get("target", "").partition(":")[2]
        model = body.get("model") or {}
        own: dict[str, set[str | None]] = {
            "label": {body.get("label")},
            "model": {model.get("name"), model.get("reason", "").partition(" ")[0]},
            "finding": {
                *(each for each, times in body.get("redactions", {}).items() if times),
                (body.get("grounding") or {}).get("outcome"),
            },
            "collection": {*body.get("collections", ()), body.get("collection"), target[:36]}
            & {str(each) for each in COLLECTIONS},
            "opened": {{True: "yes", False: "no"}.get(body.get("opened", ""))},
        }
        return {name: found.get(name, set()) | values for name, values in own.items()}

    def expected(self, query: LogQuery) -> list[int]:
        return [seq for seq, at, body in self.records if self.holds(query, at, body)]

    def holds(self, query: LogQuery, at: dt.datetime, body: Body) -> bool:
        actor, via = body["actor"], body["actor"]["via"] or {}
        of = {
            "who": {actor["user"] or actor["name"], actor["name"]} | ({"jon"} if actor["name"] == "jonas" else set()),
            "kind": {kind for kind in KINDS if is_of_kind(body["kind"], kind)},
            "document": self.documents(body),
            "via": {via.get("service"), via.get("name")},
            "outcome": {body.get("outcome")},
            "address": {actor["address"]},
            **self.tags(body),
        }
        choices: dict[str, Choice] = {name: getattr(query, name) for name in of}
        return (
            all(not choice.wanted or choice.wanted & of[name] for name, choice in choices.items())
            and not any(choice.unwanted & of[name] for name, choice in choices.items())
            and (query.after is None or at >= query.after)
            and (query.before is None or at < query.before)
        )

    def pages(self, query: LogQuery, *, limit: int, newest_first: bool, full: bool) -> list[int]:
        """All that the pages of this size give, one after the other; all but the last of them `full`."""
        found: list[int] = []
        after = None
        with self.world.as_user(self.auditor) as session:
            named = with_ids(session, query)
            for _ in itertools.count():
                page = list_events(session, named, after_seq=after, limit=limit, newest_first=newest_first)
                assert len(page.entries) <= limit
                assert len(page.entries) == limit or page.reached is None or not full
                found += [entry.seq for entry in page.entries]
                if page.reached is None:
                    return found
                assert after is None or (page.reached < after if newest_first else page.reached > after)
                after = page.reached
        raise AssertionError


@pytest.fixture(scope="module")
def log(cluster: Cluster) -> Iterator[Log]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as world:
        yield Log(world, 1)


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def choices(values: Sequence[str]) -> st.SearchStrategy[Choice]:
    wanted, unwanted = (st.frozensets(st.sampled_from(values), max_size=2) for _ in range(2))
    return st.one_of(st.just(Choice()), st.just(Choice()), st.builds(Choice, wanted, unwanted))


QUERIES = st.builds(
    LogQuery,
    who=choices(["freya", "jon", "jonas", "gone", "worker", "nobody", "bot"]),
    kind=choices(KINDS),
    document=choices([*map(str, DOCUMENTS), str(uuid.UUID(int=99))]),
    via=choices(["bot", "mill"]),
    outcome=choices(OUTCOMES),
    address=choices([a for a in ADDRESSES if a]),
    label=choices(LABELS),
    finding=choices(FINDINGS),
    model=choices(MODELS),
    collection=choices([*map(str, COLLECTIONS), str(uuid.UUID(int=99))]),
    opened=choices(["yes", "no"]),
)
MOMENTS = st.none() | st.floats(0, 1)
EXAMPLES = settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])


@EXAMPLES
@given(QUERIES, MOMENTS, MOMENTS, st.integers(1, 40), st.booleans(), st.sampled_from([7, 10**6]), st.booleans())
def test_a_query_finds_what_python_finds(
    log: Log, monkeypatch: pytest.MonkeyPatch, query: LogQuery, after: float | None, before: float | None, limit: int,
    newest_first: bool, stretch: int, hurried: bool,
) -> None:  # fmt: skip
    """Whether it is looked for at once or by stretches, and whether a page has the time for more than one of them."""
    first, last = log.records[0][1], log.records[-1][1]
    moments = {
        name: first + (last - first) * at for name, at in (("after", after), ("before", before)) if at is not None
    }
    query = LogQuery(**{**vars(query), **moments})
    with monkeypatch.context() as patch:
        patch.setattr(search, "STRETCH", stretch)
        patch.setattr("app.audit.listing.PAGE_SECONDS", 0 if hurried else 10)
        patch.setattr(search, "OVERLAP", dt.timedelta(0))  # all of this log is younger than the true one
        found = log.pages(query, limit=limit, newest_first=newest_first, full=not hurried)
    assert found == sorted(log.expected(query), reverse=newest_first)


def test_a_name_of_nobody_is_refused(log: Log) -> None:
    with log.world.as_user(log.auditor) as session, pytest.raises(InvalidInput, match="Nobody is named 'frey'"):
        with_ids(session, parse("who:frey"))


def test_a_model_of_which_no_record_tells_is_refused(log: Log) -> None:
    """Of one that is mistyped nothing would be found."""
    with log.world.as_user(log.auditor) as session:
        with_ids(session, parse("model:qwen3,external -model:internal"))
        with pytest.raises(InvalidInput, match="No record tells of a model 'qwen'"):
            with_ids(session, parse("-model:qwen"))


def test_names_become_ids_of_all_who_have_them_or_had_them(log: Log) -> None:
    again = log.world.person("gone")
    with log.world.as_user(log.auditor) as session:
        query = with_ids(session, parse("who:gone,jonas -who:worker via:bot"))
    assert query.who.wanted == {str(again), str(log.people["gone"]), str(log.people["jonas"])}
    assert query.who.unwanted == {"worker"}
    assert query.via.wanted == {str(log.bots["bot"])}
    assert parse(query.text) == query


def test_a_record_that_was_long_on_its_way_is_found_by_its_time(world: AuditDb) -> None:
    """Its place is behind records that are later than it."""
    with world.session("app") as late:
        add_leaf(late)
        for _ in range(20):
            with world.session("app") as session:
                add_leaf(session)
        with world.session("sequencer") as session:
            sequencing.append_batch(session)
    with world.session("sequencer") as session:
        sequencing.append_batch(session)
    with world.as_user(world.person("au", may=[Capability.AUDIT])) as session:
        times = [entry.at for entry in list_events(session, limit=99).entries]
        assert times[-1] == min(times)
        before = LogQuery(before=times[0])
        assert [entry.seq for entry in list_events(session, before, limit=9, newest_first=True).entries] == [20]
        after = LogQuery(after=times[-1])
        assert len(list_events(session, after, limit=99).entries) == 21
