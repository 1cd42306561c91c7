"""What people were shown on a day is counted as records get their places: as whoever counts the records would."""

import contextlib
import datetime as dt
import json
import random
import uuid
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.shown import ShownFilter, list_shown
from app.audit.unusual import MAX_COUNTED, services_on
from app.db.paging import Page
from app.db.tables.audit import AuditDay
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb, Record
from tests.support.cluster import TEMPLATE, Cluster, copied

# As the owner alone could: at any moment.
OF_OLD = (
    "insert into audit_leaf (id, at, kind, trail, actor, body, leaf_hash, writer) values (:id, :at, :kind, :trail,"
    " :actor, :body, sha256('\\x00'::bytea || convert_to(:body, 'UTF8')), null)"
)
PLACE = "select size from clearance.place_leaves(:leaves)"
BEGIN = dt.datetime(2026, 11, 2, 22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SERVICE = uuid.UUID(int=77)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[AuditDb]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as made:
        yield made


@pytest.fixture(scope="module")
def auditor(world: AuditDb) -> uuid.UUID:
    return world.person("au", may=[Capability.AUDIT])


def write(session: Session, person: uuid.UUID | None, kind: str, at: dt.datetime, via: bool = False,
          trail: uuid.UUID | None = None, **fields: object) -> uuid.UUID:  # fmt: skip
    """A record of a moment of the past."""
    made, actor = uuid.uuid4(), None if person is None else str(person)
    by = {"service": str(SERVICE), "name": "bot", "delegation": "cld_0"} if via else None
    record = {"id": str(made), "kind": kind, "trail": trail and str(trail), "actor": {"user": actor, "via": by}}
    given = {"id": made, "at": at, "kind": kind, "trail": trail, "actor": person, "body": json.dumps(record | fields)}
    session.execute(text(OF_OLD), given)
    return made


def place(world: AuditDb, leaves: Sequence[uuid.UUID], zone: str = "UTC") -> None:
    with world.session("sequencer") as session:
        session.execute(text("select set_config('timezone', :zone, true)"), {"zone": zone})
        session.execute(text(PLACE), {"leaves": list(leaves)})


def any_record(rng: random.Random, documents: Sequence[uuid.UUID], trails: Sequence[uuid.UUID]) -> Record:
    """The fields of a record that names documents, in any of the ways, or that does not count."""
    some = [str(each) for each in rng.choices(documents, k=rng.randrange(6))]
    one, trail = str(rng.choice(documents)), rng.choice(trails)
    return rng.choice([
        {"kind": "answer.opened", "trail": trail, "passages": [{"document": each} for each in some]},
        {"kind": "answer.closed", "trail": trail, "outcome": "quoted"},
        {"kind": "search.done", "documents": some},
        {"kind": "document.opened", "document": one},
        {"kind": "document.downloaded", "document": one},
        {"kind": "conversation.read", "shown": [str(each) for each in rng.choices(trails, k=2)]},
        {"kind": "policy.changed", "target": f"document:{one}"},
        {"kind": "document.indexed", "document": one},
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_days_are_what_the_records_say(world: AuditDb, auditor: uuid.UUID, seed: int) -> None:
    """However the records are put into batches, and though days do not come in order."""
    rng = random.Random(seed)
    people, documents = ([uuid.uuid4() for _ in range(n)] for n in (4, 12))
    trails = [uuid.uuid4() for _ in range(6)]
    with world.session("owner") as session:
        leaves = [
            write(session, rng.choice([*people, None]), at=BEGIN + rng.randrange(60) * dt.timedelta(hours=1),
                  **any_record(rng, documents, trails))
            for _ in range(150)
        ]  # fmt: skip
    while leaves:
        cut = rng.randrange(1, 40)
        place(world, leaves[:cut])
        leaves = leaves[cut:]
    first = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    counted = 0
    with world.as_user(auditor) as session:
        for person in people:
            for begin in (first + n * DAY for n in range(4)):
                wanted = ShownFilter(person=person, since=begin, until=begin + DAY)
                naive = list_shown(session, wanted, Page(limit=1_000))
                shown, downloaded = (
                    session.get(AuditDay, (begin.date(), person, way)) for way in ("shown", "downloaded")
                )
                assert set(shown.documents if shown else []) == {each.document for each in naive}
                assert (shown.number if shown else 0) == len(naive)
                taken = {each.document for each in naive if each.times["downloaded"]}
                assert set(downloaded.documents if downloaded else []) == taken
                counted += len(naive)
    assert counted > 50


def test_a_day_is_that_of_utc(world: AuditDb, auditor: uuid.UUID) -> None:
    person, late, early = (uuid.uuid4() for _ in range(3))
    midnight = dt.datetime(2026, 11, 4, tzinfo=dt.UTC)
    with world.session("owner") as session:
        leaves = [
            write(session, person, "document.opened", midnight - dt.timedelta(microseconds=1), document=str(late)),
            write(session, person, "document.opened", midnight, document=str(early)),
        ]
    place(world, leaves, "Pacific/Auckland")
    with world.as_user(auditor) as session:
        days = [session.get_one(AuditDay, (dt.date(2026, 11, n), person, "shown")) for n in (3, 4)]
        assert [day.documents for day in days] == [[late], [early]]


def test_whoever_is_shown_everything_makes_no_row_without_end(world: AuditDb, auditor: uuid.UUID) -> None:
    person, names = uuid.uuid4(), [str(uuid.uuid4()) for _ in range(MAX_COUNTED + 2_000)]
    with world.session("owner") as session:
        parts = (names[:7_000], names[5_000:], names)
        leaves = [write(session, person, "search.done", BEGIN, documents=some) for some in parts]
    for each in leaves:
        place(world, [each])
    with world.as_user(auditor) as session:
        day = session.get_one(AuditDay, (BEGIN.date(), person, "shown"))
    assert (day.number, len(day.documents)) == (MAX_COUNTED, MAX_COUNTED)


def test_services_that_asked_for_somebody_on_a_day_are_named(world: AuditDb, auditor: uuid.UUID) -> None:
    person, other, begin = uuid.uuid4(), uuid.uuid4(), BEGIN + 60 * DAY
    document = str(uuid.uuid4())
    with world.session("owner") as session:
        leaves = [
            write(session, person, "document.opened", begin, via=True, document=document),
            write(session, person, "document.opened", begin + DAY, document=document),
            write(session, person, "audit.read", begin + DAY, via=True),
            write(session, other, "document.opened", begin + DAY, via=True, document=document),
        ]
    place(world, leaves)
    with world.as_user(auditor) as session:
        found = services_on(session, [(person, begin.date()), (person, (begin + DAY).date())])
    assert found == {(person, begin.date()): [SERVICE]}


@pytest.mark.parametrize("role", ["app", "ingest", "sequencer", "search", "backup"])
def test_no_service_writes_the_days(world: AuditDb, role: str) -> None:
    for verb in ("insert into audit_day default values", "update audit_day set way = way", "delete from audit_day"):
        world.check_refused("permission denied", role, verb)


def test_auditors_alone_see_them(world: AuditDb, auditor: uuid.UUID) -> None:
    person = world.person("asker", may=[Capability.ASK, Capability.ADMINISTER])
    with world.session("owner") as session:
        leaf = write(session, person, "document.opened", BEGIN, document=str(uuid.uuid4()))
    place(world, [leaf])
    count = text("select count(*) from audit_day where actor = :person").bindparams(person=person)
    for user, seen in ((auditor, 1), (person, 0)):
        with world.as_user(user) as session:
            assert session.scalar(count) == seen
