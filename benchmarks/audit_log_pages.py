"""How long a page of the audit log takes: `python -m benchmarks.audit_log_pages [--records 10000000]`.

Fills a database with records of a year as a company makes them, put in order by the product's own function, and reads
pages of 100 through the use case, each of which is recorded too. Milliseconds of the clock; the newest come first.
"""

import argparse
import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.progress import track

from app.admin.audit_log import AuditLog
from app.admin.event_views import EventView
from app.admin.exposure import report_exposure
from app.admin.shown import ShownView, show_sightings
from app.admin.stale_answers import show_stale_answers
from app.admin.unusual import show_unusual
from app.audit.actor import actor
from app.audit.encryption import Sealer
from app.audit.events.answers import SearchDone
from app.audit.events.base import SealedText
from app.audit.log import record
from app.db.paging import Page
from app.db.session import Database
from app.identity.subject import Capability, Subject
from benchmarks.machine import load
from benchmarks.tables import show
from benchmarks.world import AUDIT_KEY, Db, World, database, server

# A server of some memory. Nothing is lost that anybody needs.
SETTINGS = {
    "shared_buffers": "2GB", "max_wal_size": "16GB", "synchronous_commit": "off", "checkpoint_timeout": "1h",
    "autovacuum": "off",
}  # fmt: skip
STEP, PLACED, LIMIT = 200_000, 20_000, 100
PEOPLE, DOCUMENTS = 3_000, 100_000
# Of ten records three open an answer, three close one, two are searches, one is of a document, one of another kind.
# People and documents come as in life: few often, most seldom. Person 2999 is in the first thousand records alone,
# `role.removed` is there five times at the beginning, and only person 7 exports. Of ten thousand answers one is of the
# label restricted and of a model outside, and a card was redacted in one of a thousand.
FILL = """
with n as (
  select n, n - case when n % 10 between 3 and 5 then 3 else 0 end as t, n % 10 as c
  from generate_series({first}, {last}) as n
), drawn as (
  select n, t, c, (abs(hashint8extended(t, 1) % 1000000) / 1e6)::float8 as r1,
    (abs(hashint8extended(t, 2) % 1000000) / 1e6)::float8 as r2, abs(hashint8extended(t, 3) % 1000000) as r3
  from n
), chosen as (
  select n, t, r3,
    case when n < 1000 and n % 50 = 9 then 2999 else floor(2999 * r1 ^ 3)::int end as p,
    case when c < 3 then 'answer.opened' when c < 6 then 'answer.closed' when c < 8 then 'search.done'
      when c = 8 then case when r3 % 4 = 0 then 'document.downloaded' else 'document.opened' end
      else case when n < 50 then 'role.removed' when r3 % 20 = 0 then 'audit.exported'
        else (array['session.started','policy.changed','role.joined','user.changed','audit.read','answer.feedback'])
          [1 + r3 % 6] end end as kind,
    array(select md5('d' || floor(100000 * (abs(hashint8extended(t, 10 + k) % 1000000) / 1e6) ^ 2))::uuid
      from generate_series(1, 8) as k) as docs
  from drawn
), said as (
  select n, kind, docs, r3, case when kind = 'audit.exported' then 7 when p = 7 then 8 else p end as p,
    case when kind in ('answer.opened', 'answer.closed') then md5('t' || t)::uuid end as trail,
    md5('leaf' || n)::uuid as id, timestamptz '2026-01-01Z' + n * interval '3 seconds' as at
  from chosen
), written as (
  select s.*, md5('user' || p)::uuid as actor,
    '{"actor":{"address":"10.0.' || p % 7 || '.' || p % 199 || '","key":"clr_00000000","name":"p' || p || '","user":"'
      || md5('user' || p)::uuid || '","via":'
      || case when r3 % 17 = 0 then '{"delegation":"cld_00000000","name":"bot","service":"' || md5('bot')::uuid || '"}'
         else 'null' end
      || '},"at":"' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'
      || case when kind = 'search.done' then ',"documents":["' || array_to_string(docs, '","') || '"]'
              when kind = 'policy.changed' then ',"target":"collection:' || md5('c' || r3 % 50)::uuid || '"'
              when kind like 'document.%' then ',"document":"' || docs[1] || '"'
              when kind = 'answer.opened' then ',"embedder":"' || repeat('e', 64) || '"' else '' end
      || ',"id":"' || id || '","kind":"' || kind || '"'
      || case kind
           when 'answer.closed' then ',"latency_us":{"model":812345,"retrieve":20123,"route":12},"outcome":"'
             || (array['quoted','answered','nothing','hung_up'])[1 + (r3 % 100 > 60)::int + (r3 % 100 > 90)::int
               + (r3 % 1000 = 999)::int] || '"' || case when r3 % 1000 = 13 then ',"redactions":{"card":1}' else '' end
           when 'answer.opened' then ',"label":"' || case when r3 % 10000 = 17 then 'restricted' else 'internal' end
             || '","model":{"endpoint":"10.0.0.9:8000","name":"qwen3","reason":"'
             || case when r3 % 10000 = 17 then 'external' else 'internal' end
             || ' endpoint, internal within restricted"},"passages":[' || (
             select string_agg('{"chunk":"' || d || '","document":"' || d || '","label":"internal","rank":' || o
               || ',"version":"' || d || '"}', ',') from unnest(docs) with ordinality as u (d, o))
             || '],"question":{"commitment":"' || repeat('c', 44) || '","keeps":"text","sealed":"'
             || repeat(md5(n::text), 5) || '"},"scopes":["' || array_to_string(docs || docs, '","') || '"]'
           else '' end
      || ',"trail":' || coalesce('"' || trail || '"', 'null') || ',"v":2,"writer":"clearance_app"}' as body
  from said s
)
insert into audit_leaf (id, at, kind, trail, actor, body, leaf_hash, writer)
select id, at, kind, trail, actor, body, sha256('\\x00'::bytea || convert_to(body, 'UTF8')), 'clearance_app'
from written
"""
PLACE = "select size from clearance.place_leaves(array(select md5('leaf' || n)::uuid from generate_series({0}, {1}) n))"
# Everybody is in three roles: one of all, one of 150 people and one of 15.
MEMBERS = """
insert into membership_history (user_id, role_id, valid_from)
  select md5('user' || p)::uuid, md5('role' || r)::uuid, timestamptz '2025-01-01Z'
  from generate_series(0, 2999) as p
    cross join lateral (select unnest(array['all', 'big' || p % 20, 'small' || p % 200]) as r) as roles
"""
# A record is held to its form when it is written, which would take hours here.
UNCHECKED = "alter table audit_leaf drop constraint audit_leaf_record_check, drop constraint audit_leaf_body_check"
SIZES = """
    select relname, pg_table_size(oid), pg_indexes_size(oid), reltuples::bigint from pg_class
    where relname ~ '^audit_' and relkind = 'r' order by 2 desc
"""


def id_of(what: str) -> uuid.UUID:
    """What PostgreSQL gives for `md5(what)::uuid`."""
    return uuid.UUID(hashlib.md5(what.encode()).hexdigest())


def fill(db: Db, records: int) -> tuple[float, float]:
    """Write the records and put them in order; seconds of both."""
    written = placed = 0.0
    with db.admin() as connection:
        connection.execute(UNCHECKED)
        for first in track(range(0, records, STEP), description="records"):
            last = min(first + STEP, records) - 1
            began = time.perf_counter()
            connection.execute(FILL.replace("{first}", str(first)).replace("{last}", str(last)).encode())
            written += time.perf_counter() - began
            for begin in range(first, last + 1, PLACED):
                began = time.perf_counter()
                connection.execute(PLACE.format(begin, min(begin + PLACED - 1, last)).encode())
                placed += time.perf_counter() - began
            if first == 0:
                connection.execute("analyze")
        connection.execute("vacuum analyze")
    return written, placed


def queries(records: int) -> dict[str, tuple[str, bool, int | None]]:
    """What is read: a query, whether the newest come first, and the number that the page before reached."""
    busy, seldom, gone = (id_of(f"user{number}") for number in (0, 2500, 2999))
    often, rare = id_of("d0"), id_of("d99990")
    newest: dict[str, str] = {
        "a busy person": f"who:{busy}",
        "a person seldom seen": f"who:{seldom}",
        "a person long gone": f"who:{gone}",
        "a person of no record": f"who:{uuid.UUID(int=7)}",
        "a busy person, a kind they have": f"who:{busy} kind:search.done",
        "a busy person, a kind they have none of": f"who:{busy} kind:audit.exported",
        "a frequent kind": "kind:answer.opened",
        "a group of kinds": "kind:answer",
        "a kind of five old records": "kind:role.removed",
        "without searches and sign-ins": "-kind:search,session",
        "a frequent document": f"document:{often}",
        "a document seldom seen": f"document:{rare}",
        "a document of a person long gone": f"document:{often} who:{gone}",
        "a service": "via:bot",
        "a busy person by a service": f"who:{busy} via:bot",
        "a frequent outcome": "outcome:nothing",
        "a busy person, a rare outcome": f"who:{busy} outcome:hung_up",
        "a frequent label": "label:internal",
        "a rare label": "label:restricted",
        "a rare label, a model outside": "label:restricted model:external",
        "a frequent label, a model outside": "label:internal model:external",
        "a rare label, a document": f"label:restricted document:{often}",
        "a finding": "finding:card",
        "a finding, a frequent document": f"finding:card document:{often}",
        "a finding, a person seldom seen": f"finding:card who:{seldom}",
        "a model of most answers": "model:qwen3",
        "a collection's rules": f"collection:{id_of('c7')}",
        "but a model of most answers": "kind:answer -model:qwen3",
        "an address": "address:10.0.3.77",
        "a busy person, an address never theirs": f"who:{busy} address:10.0.3.77",
        "a day long ago": "after:2026-01-03 before:2026-01-04",
        "a busy person, a day long ago": f"who:{busy} after:2026-01-03 before:2026-01-04",
    }
    return {
        "the newest": ("", True, None),
        "from the middle": ("", True, records // 2),
        "the oldest": ("", False, None),
        **{name: (q, True, None) for name, q in newest.items()},
    }


def sightings() -> dict[str, dict[str, Any]]:
    """Who saw what, as it is asked: of documents and people that come often and seldom."""
    often, rare, middle = id_of("d0"), id_of("d99990"), id_of("d5000")
    since = dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
    return {
        "who saw a frequent document": {"document": often},
        "who saw a document of the middle": {"document": middle},
        "who saw a document seldom seen": {"document": rare},
        "who saw a frequent document, since a day": {"document": often, "since": since},
        "what a person of the middle saw": {"user": str(id_of("user1500"))},
        "what a person seldom seen saw": {"user": str(id_of("user2900"))},
        "whether a busy person saw a document": {"user": str(id_of("user0")), "document": middle},
    }


def questions(log: AuditLog, records: int, rounds: int) -> list[tuple[str, ...]]:
    """The further questions: exposure and stale answers of documents that are not there, and unusual days."""
    page, often, middle = Page(limit=LIMIT), id_of("d0"), id_of("d5000")
    since = dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
    # What was recorded ends so, where not after this very moment, and the last day is not a whole one.
    end = min(dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + records * dt.timedelta(seconds=3), dt.datetime.now(dt.UTC))
    week, month = (end - dt.timedelta(days=days) for days in (6, 30))
    busy = str(id_of("user9"))
    asked: dict[str, Callable[[], Sequence[object]]] = {
        "exposure of a frequent document": lambda: report_exposure(log, page, document=often, since=since).people,
        "exposure of one of the middle": lambda: report_exposure(log, page, document=middle, since=since).people,
        "stale answers of a frequent document": lambda: show_stale_answers(log, page, document=often).found,
        "stale answers since a day": lambda: show_stale_answers(log, page, since=since).found,
        "unusual days of a week": lambda: show_unusual(log, page, since=week, until=end).found,
        "unusual days of a month": lambda: show_unusual(log, page, since=month, until=end).found,
        "unusual days of a person in a month": lambda: show_unusual(log, page, user=busy, since=month, until=end).found,
    }
    return [(name, *timed(ask, rounds), str(len(ask())), "") for name, ask in asked.items()]


def shown(log: AuditLog, wanted: dict[str, Any], rounds: int) -> tuple[str, ...]:
    """Median and slowest milliseconds of a page of who saw what, how many rows it has, and how often they count."""
    found = list[ShownView]()

    def read() -> None:
        found[:] = show_sightings(log, Page(limit=LIMIT), **wanted).found

    return *timed(read, rounds), str(len(found)), f"{sum(sum(each.times.values()) for each in found):,} times"


def auditor_of(world: World) -> Subject:
    return world.subject(world.person("auditor", may=[Capability.AUDIT, Capability.EXPORT]))


def measure(log: AuditLog, q: str, *, newest_first: bool, after: int | None, rounds: int) -> tuple[str, ...]:
    """Median and slowest milliseconds of a page, how many records it has, and whether there may be more."""
    found, more = list[EventView](), list[str]()

    def read() -> None:
        more.clear()
        page = Page(limit=LIMIT, after=None if after is None else str(after), on_next=more.append)
        found[:] = log.read(log.query(q), page, newest_first=newest_first).events

    return *timed(read, rounds), str(len(found)), "yes" if more else ""


def timed(call: Callable[[], object], rounds: int) -> tuple[str, str]:
    """Median and slowest milliseconds; the first two rounds, which fill caches, are left out."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return f"{np.median(times[2:]):.1f}", f"{max(times[2:]):.1f}"


def inserting(api: Database, subject: Subject, rounds: int) -> str:
    """Median milliseconds in which an asker's transaction adds one record."""
    times = []
    for _ in range(rounds):
        event = SearchDone(
            actor=actor(subject),
            query=SealedText("who earns what?"),
            policy_epoch=1,
            hits=(),
            documents=(uuid.uuid4(),),
        )
        with api.writing(subject.user_id) as session:
            began = time.perf_counter()
            record(session, event)
            times.append(1000 * (time.perf_counter() - began))
    return f"{np.median(times):.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    sealer = Sealer(bytes.fromhex(AUDIT_KEY))
    with server(SETTINGS) as running:
        db = database(running)
        world = World(db)
        written, placed = fill(db, given.records)
        with db.admin() as connection:
            connection.execute(MEMBERS.encode())
            connection.execute("analyze membership_history")
        subject = auditor_of(world)
        api = db.api()
        log = AuditLog(api, sealer, subject)
        rows = []
        for name, (q, newest_first, after) in queries(given.records).items():
            found = measure(log, q, newest_first=newest_first, after=after, rounds=given.rounds)
            rows.append((name, *found))
        for seq in (7, given.records // 3, given.records - 1):
            rows.append((f"record {seq:,} with its proof", *timed(partial(log.event, seq), given.rounds), "", ""))
        for name, wanted in sightings().items():
            rows.append((name, *shown(log, wanted, given.rounds)))
        rows += questions(log, given.records, given.rounds)
        adding = inserting(api, subject, 500)
        api.close()
        with db.admin() as connection:
            sizes = connection.execute(SIZES.encode()).fetchall()
    columns = ("asked for", "median ms", "slowest", "records", "more")
    show(f"Pages of {LIMIT} of {given.records:,} records; {load()}", columns, rows)
    tables = [(t, f"{count:,}", f"{heap / 2**20:,.0f}", f"{index / 2**20:,.0f}") for t, heap, index, count in sizes]
    show("Tables", ("table", "rows", "MiB", "indexes, MiB"), tables)
    per = 1e6 / given.records
    print(
        f"Adding a record: {adding}; filled in {written * per:.0f} µs, put in order in {placed * per:.0f} µs a record."
    )


if __name__ == "__main__":
    main()
