"""What it takes to re-grant a collection or a folder, and to preview it: `python -m benchmarks.access.regrant`.

Each scope has one document and an own rule that names `--principals` roles and inherits. Every round grants something
that no round granted before, so that no rule is there already. Figures are milliseconds of processor time, of this
process and of its backend, with the clock beside: on a machine that others use too, the clock says little. Each stands
beside the same change where there is one scope.
"""

import argparse
import random
import uuid
from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import text

from app.acl.rule_changes import drop_folder, rule_collection, rule_folder
from app.acl.rules import Grant, OwnRule
from app.admin.changes import RuleStep
from app.admin.plans import preview
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection
from app.identity.subject import FOR_PEOPLE, Label, Principal, Subject
from benchmarks.access.rules import put_collection, put_people, put_scopes
from benchmarks.machine import Stopwatch, load
from benchmarks.tables import show
from benchmarks.world import World, allow, database, server

ROLES, PEOPLE = 400, 1_000
FOLDER = "all"
DOCUMENTS = text(
    "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
    " select :collection, s.id, :folder || '/' || s.id || '.md', 'text/plain', 1, sha256(''), 1"
    " from scope s where s.collection_id = :collection"
)
Act = Callable[[WriteSession], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scopes", type=int, nargs="+", default=[300, 5_000])
    parser.add_argument("--principals", type=int, default=100, help="that each own rule names")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    medians: dict[tuple[str, int], tuple[float, float]] = {}
    with server() as running:
        db = database(running)
        world, rng = World(db), random.Random(1)
        with world.session() as session:
            roles, _ = put_people(session, rng, ROLES, PEOPLE)
        sizes = sorted({1, *given.scopes})
        collections = {size: fill(world, roles, size, given.principals) for size in sizes}
        root = world.person("root", may=sorted(FOR_PEOPLE), curates=list(collections.values()), clearance=Label.PUBLIC)
        fresh = (allow(world.role(f"fresh-{n}"), inherits=True) for n in range(1_000_000))
        subject = world.subject(root)
        world.settle()
        api = db.api()
        for size, collection in collections.items():
            for what, act in changes(subject, collection, fresh).items():
                times = np.array([once(api, root, act, number, what) for number in range(given.rounds)])
                medians[what, size] = tuple(np.median(times, axis=0))
        api.close()
    rows = [
        (what, f"{size:,}", f"{cpu:,.0f} ({clock:,.0f})", f"{cpu / medians[what, 1][0]:.1f} ×")
        for (what, size), (cpu, clock) in medians.items()
    ]
    title = f"Medians of processor time (clock), ms; own rules of {given.principals} principals; {load()}"
    show(title, ("change", "scopes", "took", "by one scope's"), rows)


def changes(subject: Subject, collection: uuid.UUID, fresh: Iterator[OwnRule]) -> dict[str, Act]:
    """What is timed; folders come last, since they stay."""

    def of(session: WriteSession) -> Collection:
        return session.get_one(Collection, collection)

    def first(session: WriteSession) -> None:
        rule_folder(session, subject, of(session), FOLDER, next(fresh))

    return {
        "re-grant a collection": lambda s: rule_collection(s, subject, of(s), next(fresh)),
        "foresee it as a plan": lambda s: preview(s, subject, [RuleStep(collection, None, None, next(fresh))]),
        "first rule of a folder (documents move)": first,
        "re-grant a folder": first,
        "foresee that as a plan": lambda s: preview(s, subject, [RuleStep(collection, FOLDER, None, next(fresh))]),
        "drop its rule (documents move)": lambda s: drop_folder(s, subject, of(s), FOLDER),
    }


def once(api: Database, user: uuid.UUID, act: Act, number: int, what: str) -> tuple[float, float]:
    """Processor milliseconds of one transaction, and by the clock.

    What moves documents and what foresees is rolled back, but a folder's first rule at last.
    """
    rolled_back = "foresee" in what or "drop" in what
    if "first" in what and number == 0:
        with api.dry_run(user) as session:
            act(session)
    with (api.dry_run if rolled_back or "first" in what else api.writing)(user) as session:
        watch = Stopwatch([session.scalar(text("select pg_backend_pid()")) or 0])

        def change() -> None:
            act(session)
            session.flush()
            if session.guard is not None:  # with the commit what the author gains is judged
                session.guard()

        watch.time(change)
    return watch.cpu, watch.ms


def fill(world: World, roles: list[uuid.UUID], size: int, principals: int) -> uuid.UUID:
    """A collection with so many scopes, and a document under each."""
    rng, above = random.Random(size), allow(roles[0])
    drawn = (rng.sample(roles, principals) for _ in range(size))
    owns = [OwnRule(frozenset(Grant("allow", Principal("role", role)) for role in some)) for some in drawn]
    with world.session() as session:
        collection = put_collection(session, f"collection-{size}", above)
        put_scopes(session, collection, above, owns)
        session.execute(DOCUMENTS, {"collection": collection.id, "folder": FOLDER})
        return collection.id


if __name__ == "__main__":
    main()
