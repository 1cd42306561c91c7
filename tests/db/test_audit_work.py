"""What a page of the log looks at where a query finds it by a tag: what is on the page, however long the log is.

Rows and index entries that PostgreSQL looks at are counted, not timed.
"""

import contextlib
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.audit import stale
from app.audit.listing import list_events
from app.audit.query import parse
from app.audit.stale import list_stale, standing_versions
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb
from tests.db.looked_at import ALLOW, COUNTED
from tests.support.cluster import TEMPLATE, Cluster, copied

RECORDS, LIMIT = 4_000, 9
OF_LOG = text(
    COUNTED.text.replace(
        "document, original, chunk, vector_row, posting", "audit_leaf, audit_entry, audit_document, audit_tag"
    )
)
DOCUMENT, VERSION, COLLECTION = uuid.UUID(int=21), uuid.UUID(int=22), uuid.UUID(int=23)
# Answers: the five oldest are restricted and went outside, and one in a hundred is of the document and another.
FILL = """
with made as (
  select md5('leaf' || n)::uuid as id, n <= 5 as old, n % 100 = 0 as named from generate_series(1, :records) n
), written as (
  select id, jsonb_build_object(
    'id', id, 'kind', 'answer.opened', 'trail', id, 'actor', '{"user": null}'::jsonb,
    'label', case when old then 'restricted' else 'internal' end,
    'collections', case when old then jsonb_build_array(cast(:collection as text)) else '[]'::jsonb end,
    'model', jsonb_build_object('name', 'm', 'reason', case when old then 'external' else 'internal' end
      || ' endpoint, x'),
    'passages', case when named then jsonb_build_array(jsonb_build_object(
      'document', cast(:document as text), 'version', cast(:version as text)), jsonb_build_object(
      'document', cast(:version as text), 'version', cast(:version as text))) else '[]'::jsonb end)::text as body
  from made
)
insert into audit_leaf (id, kind, trail, body, leaf_hash, writer)
  select id, 'answer.opened', id, body, sha256('\\x00'::bytea || convert_to(body, 'UTF8')), null from written
"""
PLACE = (
    "select size from clearance.place_leaves(array(select md5('leaf' || n)::uuid from generate_series(1, :records) n))"
)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[AuditDb]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as made:
        made.run("admin", ALLOW)
        given = {"records": RECORDS, "document": DOCUMENT, "version": VERSION, "collection": COLLECTION}
        made.run("owner", FILL, **given)
        made.value("sequencer", PLACE, records=RECORDS)
        made.run("admin", "analyze")
        yield made


@pytest.fixture(scope="module")
def auditor(world: AuditDb) -> uuid.UUID:
    return world.person("au", may=[Capability.AUDIT])


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("label:internal", LIMIT), ("label:restricted", 5), ("model:external", 5), ("model:m", LIMIT),
        (f"collection:{COLLECTION}", 5), ("finding:card", 0), ("label:confidential", 0),
        ("kind:answer -label:restricted", LIMIT), ("kind:answer -model:external", LIMIT),
        ("kind:answer model:m -label:restricted", LIMIT), ("label:restricted model:external", 5),
        ("label:restricted kind:answer", 5),
        (f"collection:{COLLECTION} label:restricted -model:internal", 5),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_page_looks_at_what_is_on_it(
    world: AuditDb, auditor: uuid.UUID, q: str, found: int, newest_first: bool
) -> None:
    with world.as_user(auditor) as session:
        before = int(session.execute(OF_LOG).scalar_one())
        page = list_events(session, parse(q), limit=LIMIT, newest_first=newest_first)
        looked = int(session.execute(OF_LOG).scalar_one()) - before
    assert len(page.entries) == found
    assert looked <= 12 * (LIMIT + 1), "of a log of thousands"


def test_what_half_of_the_log_has_is_not_gone_through_to_exclude_it(world: AuditDb, auditor: uuid.UUID) -> None:
    with world.as_user(auditor) as session:
        before = int(session.execute(OF_LOG).scalar_one())
        page = list_events(session, parse("kind:answer -model:internal"), limit=3)
        looked = int(session.execute(OF_LOG).scalar_one()) - before
    assert [entry.seq for entry in page.entries] == [0, 1, 2]
    assert looked <= 40, "of a log of thousands"


def test_stale_answers_of_a_document_look_at_its_answers(
    world: AuditDb, auditor: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale, "STEP", 2 * LIMIT)
    with world.as_user(auditor) as session:
        before = int(session.execute(OF_LOG).scalar_one())
        given = {"document": DOCUMENT, "since": None, "until": None, "before_seq": None}
        page = list_stale(session, limit=LIMIT, **given)  # type: ignore[arg-type]
        looked = int(session.execute(OF_LOG).scalar_one()) - before
    assert [[(d.document, d.shown, d.state) for d in each.documents] for each in page.answers] == [
        [(DOCUMENT, (VERSION,), "gone")]
    ] * LIMIT
    assert looked <= 12 * 2 * LIMIT, "of a log of thousands"


@pytest.mark.parametrize(("step", "limit", "document"), [(2, 3, None), (7, 40, DOCUMENT), (500, 1, None)])
def test_pages_of_stale_answers_hold_each_once(
    world: AuditDb, auditor: uuid.UUID, monkeypatch: pytest.MonkeyPatch, step: int, limit: int,
    document: uuid.UUID | None,
) -> None:  # fmt: skip
    """Whether a page ends for its size, for its time, or where the log does."""
    monkeypatch.setattr(stale, "STEP", step)
    found, place = list[int](), None
    with world.as_user(auditor) as session:
        while True:
            page = list_stale(session, document=document, since=None, until=None, before_seq=place, limit=limit)
            assert len(page.answers) <= limit
            found += [answer.seq for answer in page.answers]
            if page.reached is None:
                break
            assert place is None or page.reached < place
            place = page.reached
    assert found == sorted((n - 1 for n in range(100, RECORDS + 1, 100)), reverse=True)


def test_which_versions_stand_is_told_to_auditors_alone(world: AuditDb, auditor: uuid.UUID) -> None:
    """Of documents that are there, which the auditor does not read."""
    with world.session("owner") as session:
        [(document, version)] = session.execute(text("select public_id, version_id from document")).all()
    asked = {document, uuid.UUID(int=99)}
    with world.as_user(auditor) as session:
        assert standing_versions(session, asked) == {document: version}
        assert session.scalar(text("select count(*) from document")) == 0
    with world.as_user(world.person("root", may=[Capability.ADMINISTER])) as session:
        assert standing_versions(session, asked) == {}
