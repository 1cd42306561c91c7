"""How long one waits for a page of documents, and for the tree: `python -m benchmarks.document_pages`.

One collection of `--documents` documents in 2,000 folders, 500 of which have a rule; a tenth of the documents have tags
of their own. 3,000 people with 30 roles each. A page has 100 documents; the reader reads all of them. Times are of the
use case in a snapshot of its own, on a warm connection; the bound that is aimed at is 150 ms.
"""

import argparse
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.admin.collection_tree import collection_tree
from app.admin.document_rows import list_curated_documents
from app.admin.documents import UploadTags
from app.admin.upload_preview import PlannedFile, PlannedUpload, preview_upload
from app.answer.documents import list_documents
from app.answer.live_policy import LivePolicy
from app.db.paging import Page, encode_place
from app.db.session import Database, ReadSession
from app.db.tables.access import Folder
from app.guardrail.checks import default_checks
from app.identity.subject import FOR_PEOPLE, Principal, Subject
from app.retrieval.document_list import DocumentFilter, DocumentOrder
from benchmarks.access.rules import put_collection, put_people
from benchmarks.machine import Stopwatch, load
from benchmarks.tables import show
from benchmarks.world import World, allow, database, server

PEOPLE, ROLES, FOLDERS, RULED, LIMIT, NAME = 3_000, 400, 2_000, 500, 100, "library"
ALL = DocumentFilter(NAME)
AREA, FOLDER = "area7", "area7/folder47"
# Round robin over the folders, each under its folder's plain scope or, every tenth, under one with tags.
DOCUMENTS = text(
    """
    insert into document (collection_id, scope_id, path, media_type, size, sha256, version, updated_at)
    select :collection, case when n % 10 = 0 then :tagged else (cast(:scopes as int[]))[1 + n % :folders] end,
           'area' || n % :folders % 40 || '/folder' || n % :folders || '/report ' || n || '.md', 'text/plain', 1,
           sha256(''), 1, now() - make_interval(secs => 7919 * cast(n as bigint) % 1000003)
    from generate_series(0, :documents - 1) n
    """
)
TITLES = text("insert into original select id, scope_id, 'Report ' || id, '' from document where collection_id = :c")
MIDDLE = text(
    "select path_id, at, at_id from (select public_id as path_id, row_number() over (order by path) as n from document"
    " where collection_id = :c) p join (select updated_at as at, public_id as at_id, row_number() over"
    " (order by updated_at desc, public_id desc) as n from document where collection_id = :c) u using (n)"
    " where n = (select count(*) / 2 from document where collection_id = :c)"
)


@dataclass(frozen=True)
class Asked:
    """A page that is asked for."""

    where: DocumentFilter = ALL
    order: DocumentOrder = "path"
    after: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with server() as running:
        db = database(running)
        world = World(db)
        collection, reader_role = fill(world, given.documents)
        curator = world.subject(world.person("curator", may=sorted(FOR_PEOPLE), curates=[collection]))
        reader = world.subject(world.person("reader", roles=[reader_role]))
        administrator = world.subject(world.person("administrator", may=sorted(FOR_PEOPLE)))
        world.settle()
        with db.admin() as connection:
            by_path, at, at_id = connection.execute(MIDDLE.text.replace(":c", "%(c)s"), {"c": collection}).fetchall()[0]
        asked = pages(str(by_path), encode_place([at, at_id]))
        api = db.api()
        rows = [
            (f"{who}: {what}", *measured(api, subject, act, given.rounds))
            for who, subject, acts in (
                ("curator", curator, {name: rows_of(curator, one) for name, one in asked.items()}),
                ("reader", reader, {name: list_of(reader, one) for name, one in asked.items() if "text" not in name}),
                ("curator", curator, trees(curator)),
                ("administrator", administrator, trees(administrator)),
            )
            for what, act in acts.items()
        ]
        for files in (30, 3_000):
            watch, times = Stopwatch(), []
            for _ in range(given.rounds):
                watch.time(lambda files=files: foresee(api, curator, files))  # type: ignore[misc]
                times.append(watch.ms)
            quantiles = (f"{ms:.0f}" for ms in np.quantile(times, (0.5, 0.95)))
            rows.append((f"curator: preview of an upload of {files:,} files", *quantiles, ""))
        api.close()
    show(f"Pages of {LIMIT} of {given.documents:,} documents, ms; {load()}", ("page", "p50", "p95", "processor"), rows)


def pages(path_place: str, change_place: str) -> dict[str, Asked]:
    """The pages by name; the places are those of the document in the middle of each order."""
    return {
        "first": Asked(),
        "from the middle": Asked(after=path_place),
        "of an area": Asked(DocumentFilter(NAME, AREA)),
        "of a folder": Asked(DocumentFilter(NAME, FOLDER)),
        "by change": Asked(order="changed"),
        "by change, from the middle": Asked(order="changed", after=change_place),
        "by change, of a folder": Asked(DocumentFilter(NAME, FOLDER), "changed"),
        "by a text that few have": Asked(DocumentFilter(NAME, contains="REPORT 999")),
        "by a text that none has": Asked(DocumentFilter(NAME, contains="invoice")),
        "by a text that none has, by change": Asked(DocumentFilter(NAME, contains="invoice"), "changed"),
    }


def rows_of(subject: Subject, asked: Asked) -> Callable[[ReadSession], object]:
    """What a curator sees: with how many people read each document."""
    checks, page = default_checks(), Page(limit=LIMIT, after=asked.after)
    return lambda session: list_curated_documents(session, subject, checks, page, asked.where, asked.order)


def list_of(subject: Subject, asked: Asked) -> Callable[[ReadSession], object]:
    page, policy = Page(limit=LIMIT, after=asked.after), LivePolicy(None, lambda _: default_checks(), dict, seconds=60)
    return lambda session: list_documents(session, subject, policy, page, asked.where, asked.order)


def trees(subject: Subject) -> dict[str, Callable[[ReadSession], object]]:
    """The whole tree, and one level of it."""
    checks = default_checks()
    return {
        "tree": lambda session: collection_tree(session, subject, checks, NAME),
        "top of the tree": lambda session: collection_tree(session, subject, checks, NAME, within=""),
        "an area of the tree": lambda session: collection_tree(session, subject, checks, NAME, within=AREA),
    }


def foresee(db: Database, subject: Subject, files: int) -> None:
    """An upload of so many files to two areas, tagged for 20 roles as they are named in the rules."""
    roles = [f"role-{number}" for number in range(20)]
    planned = [PlannedFile(f"area{n % 2}/folder{n % 50}/new {n}.md", 1_000) for n in range(files)]
    tags = UploadTags(roles, [], True, None, None, None)
    preview_upload(db, subject, default_checks(), PlannedUpload(NAME, planned, tags), max_mb=50)


def measured(api: Database, subject: Subject, act: Callable[[ReadSession], object], rounds: int) -> Sequence[str]:
    """The median and the 95th percentile by the clock, and the median of processor time, in ms."""
    times = []
    for _ in range(rounds + 2):
        with api.reading(subject.user_id) as session:
            watch = Stopwatch([session.scalar(text("select pg_backend_pid()")) or 0])
            watch.time(lambda session=session: act(session))  # type: ignore[misc]
            times.append((watch.ms, watch.cpu))
    clock, processor = np.array(times[2:]).T
    return [f"{ms:.0f}" for ms in (np.median(clock), np.quantile(clock, 0.95), np.median(processor))]


def fill(world: World, documents: int) -> tuple[uuid.UUID, uuid.UUID]:
    """The collection and its documents; the role that reads all of them."""
    rng, everything = random.Random(1), world.role("everything")
    with world.session() as session:
        roles, _ = put_people(session, rng, ROLES, PEOPLE)
        collection = put_collection(session, NAME, allow(everything))
        plain, tagged = scope_for(session, collection, OwnRule()), scope_for(session, collection, allow(everything))
        scopes = []
        for number in range(FOLDERS):
            if number >= RULED:
                scopes.append(plain)
                continue
            own = OwnRule(frozenset(Grant("allow", Principal("role", role)) for role in rng.sample(roles, 5)))
            folder = Folder(
                collection_id=collection.id, path=f"area{number % 40}/folder{number}", own_rule=own.to_json()
            )
            session.add(folder)
            session.flush()
            scopes.append(scope_for(session, collection, OwnRule(), folder.id))
        given = {"scopes": f"{{{','.join(map(str, scopes))}}}", "folders": FOLDERS, "documents": documents}
        session.execute(DOCUMENTS, {"collection": collection.id, "tagged": tagged, **given})
        session.execute(TITLES, {"c": collection.id})
        return collection.id, everything


if __name__ == "__main__":
    main()
