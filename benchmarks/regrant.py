"""What it takes to re-grant a collection or a folder, and to foresee it: `python -m benchmarks.regrant`.

Each scope has one document and an own rule that names `--principals` roles and inherits. Every round grants something
that no round granted before, so that no rule is there already. Figures are milliseconds of processor time, of this
thread and of its backend, with the clock beside: on a machine that others use too, the clock says little. Each stands
beside the same change where there is one scope, and, with `--beside`, beside the same change in another checkout (with
its `.venv`), measured in turns.
"""

import argparse
import importlib
import json
import random
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select, text

from app.acl.plans import foresee
from app.acl.rule_changes import drop_folder, rule_collection, rule_folder
from app.acl.rules import Grant, OwnRule, Rule, effective
from app.acl.steps import RuleStep
from app.db.session import Database, Signer, WriteSession, connect
from app.db.tables import access
from app.db.tables.access import Collection, Scope
from app.db.tables.people import Membership, Role, User
from app.identity.subject import Capability, Label, Principal, Subject
from benchmarks.timings import Processor, load
from tests.support.cluster import IDENTITY_KEY, database_in
from tests.support.library_db import House, house_of

ROLES, PEOPLE, HELD = 400, 1_000, 5
FOLDER = "all"
DOCUMENTS = text(
    "insert into document (collection_id, scope_id, path, media_type, size, sha256, version)"
    " select :shelf, s.id, :folder || '/' || s.id || '.md', 'text/plain', 1, sha256(''), 1"
    " from scope s where s.collection_id = :shelf and s.own_rule ->> 'grants' <> '[]'"
)
GRANTS = text(
    "insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)"
    " select *, 'allow', 'role', :role from unnest(cast(:rules as int[]), cast(:ordinals as int[]))"
)
Times = dict[str, list[tuple[float, float]]]
Act = Callable[[WriteSession, int], object]


def main() -> None:
    """Measure here, and elsewhere; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scopes", type=int, nargs="+", default=[300, 5_000])
    parser.add_argument("--principals", type=int, default=100, help="that each own rule names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="changes with these words in their names")
    parser.add_argument("--beside", type=Path, help="another checkout, measured in turns with this one")
    parser.add_argument("--turns", type=int, default=1, help="how often both are measured")
    parser.add_argument("--json", action="store_true", help="print the milliseconds alone")
    given = parser.parse_args()
    if given.json:
        print(json.dumps(measure(given)))
        return
    here: Times = {}
    there: Times = {}
    for _ in range(given.turns):
        for name, times in measure(given).items():
            here.setdefault(name, []).extend(times)
        for name, times in (elsewhere(given.beside, given) if given.beside else {}).items():
            there.setdefault(name, []).extend(times)
    Console(width=120).print(table(here, there, given.principals))


def elsewhere(checkout: Path, given: argparse.Namespace) -> Times:
    """The same measurements by this very file, with another checkout's code."""
    root = checkout.resolve()
    sizes = map(str, given.scopes)
    command = [str(root / ".venv/bin/python"), str(Path(__file__).resolve()), "--json", "--rounds", str(given.rounds),
               "--principals", str(given.principals), "--only", given.only, "--scopes", *sizes]  # fmt: skip
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, check=True)
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(given: argparse.Namespace) -> Times:
    """Milliseconds of each change, commit included, by its name and number of scopes."""
    times: Times = {}
    rounds = given.rounds
    with tempfile.TemporaryDirectory() as folder, database_in(Path(folder)) as db, house_of(db) as house:
        roles = people(house)
        shelves = {size: stock(house, roles, size, given.principals) for size in sorted({1, *given.scopes})}
        root = house.person("root", may=list(Capability), curates=list(shelves.values()), clearance=Label.PUBLIC)
        with house.engine("admin").connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))
        signer = Signer(IDENTITY_KEY, seconds=600)
        database = Database(connect(db.url("app"), pool_size=2), signer, statement_timeout_ms=600_000)
        fresh = Fresh(house.role(f"fresh-{n}") for n in range(10 * rounds * len(shelves)))
        for size, shelf in shelves.items():
            for what, act in changes(house.subject(root), shelf, fresh).items():
                if given.only not in what:
                    continue
                times[f"{what}|{size}"] = [once(database, root, act, number, what) for number in range(rounds)]
        database.close()
    return times


class Fresh:
    """An own rule that was never there before, each time."""

    def __init__(self, roles: Any) -> None:
        self._roles = iter(list(roles))

    def __call__(self) -> OwnRule:
        return OwnRule(frozenset({Grant("allow", Principal("role", next(self._roles)))}), label=Label.INTERNAL)


def changes(subject: Subject, shelf: uuid.UUID, fresh: Fresh) -> dict[str, Act]:
    """What is timed; folders come last, since they stay."""

    def of(session: WriteSession) -> Collection:
        return session.get_one(Collection, shelf)

    def first(session: WriteSession, _: int) -> None:
        rule_folder(session, subject, of(session), FOLDER, fresh())

    return {
        "re-grant a collection": lambda s, _: rule_collection(s, subject, of(s), fresh()),
        "foresee it as a plan": lambda s, _: foresee(s, subject, [RuleStep(shelf, None, None, fresh())]),
        "first rule of a folder (documents move)": first,
        "re-grant a folder": first,
        "foresee that as a plan": lambda s, _: foresee(s, subject, [RuleStep(shelf, FOLDER, None, fresh())]),
        "drop its rule (documents move)": lambda s, _: drop_folder(s, subject, of(s), FOLDER),
    }


def once(database: Database, user: uuid.UUID, act: Act, number: int, what: str) -> tuple[float, float]:
    """One transaction. What moves documents and what foresees is rolled back, but a folder's first rule at last."""
    rolled_back = "foresee" in what or "drop" in what
    if "first" in what and number == 0:
        with database.trying(user) as session:
            act(session, number)
    open_transaction = database.trying if rolled_back or "first" in what else database.writing
    with open_transaction(user) as session:
        processor = Processor(session.scalars(select(func.pg_backend_pid())).one())
        used, began = processor.milliseconds(), time.perf_counter()
        act(session, number)
        session.flush()
        # What the author gains is judged with the commit, and before 0010 by each change itself.
        if (judge := getattr(session, "judge", None)) is not None:
            judge()
    return processor.milliseconds() - used, 1000 * (time.perf_counter() - began)


def people(house: House) -> list[uuid.UUID]:
    """Roles, and persons in some of them each."""
    rng = random.Random(1)
    roles = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(ROLES)]
    users = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(PEOPLE)]
    with house.session("owner") as session:
        session.execute(insert(Role), [{"id": role, "name": f"role-{n}"} for n, role in enumerate(roles)])
        session.execute(insert(User), [{"id": u, "name": f"user-{n}", "display_name": "", "clearance": 2,
                                        "capabilities": ["ask"]} for n, u in enumerate(users)])  # fmt: skip
        held = [{"user_id": user, "role_id": role} for user in users for role in rng.sample(roles, HELD)]
        session.execute(insert(Membership), held)
    return roles


def stock(house: House, roles: list[uuid.UUID], size: int, principals: int) -> uuid.UUID:
    """A collection with so many scopes, and a document under each."""
    rng = random.Random(size)
    shelf_own = OwnRule(frozenset({Grant("allow", Principal("role", roles[0]))}), inherits=False, label=Label.INTERNAL)
    shelf = house.shelf(f"shelf-{size}", *shelf_own.grants)
    owns = [
        OwnRule(frozenset(Grant("allow", Principal("role", role)) for role in rng.sample(roles, principals)))
        for _ in range(size)
    ]
    with house.session("owner") as session:
        session.execute(insert(Scope), stored(session, shelf, shelf_own, owns))
        session.execute(DOCUMENTS, {"shelf": shelf, "folder": FOLDER})
    return shelf


def stored(session: WriteSession, shelf: uuid.UUID, above: OwnRule, owns: list[OwnRule]) -> list[dict[str, Any]]:
    """Rows of scopes, with their rules as the code that is measured keeps them."""
    rows = [{"collection_id": shelf, "own_digest": own.digest, "own_rule": own.to_json()} for own in owns]
    try:
        kept = importlib.import_module("app.acl.rule_store")
    except ModuleNotFoundError:
        # A revision in which every rule holds all of its grants.
        ids = whole(session, [effective(above, own) for own in owns])
        return [row | {"rule_id": rule_id} for row, rule_id in zip(rows, ids, strict=True)]
    parts = kept.intern_parts(session, {own.grants for own in owns})
    inherited = kept.intern_parts(session, [above.grants], inherited=True)[above.grants]
    rules = [kept.compose(Label.INTERNAL, parts[own.grants], inherited) for own in owns]
    made = kept.intern_composed(session, rules)
    return [
        row | {"rule_id": made[rule.digest], "own_part_id": parts[own.grants].id}
        for row, rule, own in zip(rows, rules, owns, strict=True)
    ]


def whole(session: WriteSession, rules: list[Rule]) -> list[int]:
    """These rules with all of their grants."""
    rows = [{"digest": rule.digest, "label": int(rule.label)} for rule in rules]
    made = insert(access.Rule).returning(access.Rule.id, sort_by_parameter_order=True)
    ids = list(session.scalars(made, rows))
    by_role: dict[uuid.UUID, list[tuple[int, int]]] = {}
    for rule_id, rule in zip(ids, rules, strict=True):
        for ordinal, grant in enumerate(rule.grants):
            by_role.setdefault(grant.principal.id, []).append((rule_id, ordinal))
    for role, places in by_role.items():
        rule_ids, ordinals = zip(*places, strict=True)
        session.execute(GRANTS, {"role": role, "rules": list(rule_ids), "ordinals": list(ordinals)})
    return ids


def table(here: Times, there: Times, principals: int) -> Table:
    """Medians in milliseconds, and ratios."""
    shown = Table(title=f"Medians of processor time (clock), ms; own rules of {principals} principals; {load()}")
    for column in ("change", "scopes", "here", "by one scope's", "beside", "beside / here"):
        shown.add_column(column, justify="left" if column == "change" else "right")
    for name, times in here.items():
        what, _, size = name.partition("|")
        took, one = median(times), median(here[f"{what}|1"])
        cells = ["", ""]
        if name in there:
            other = median(there[name])
            cells = [f"{other[0]:,.0f} ({other[1]:,.0f})", f"{other[0] / took[0]:.1f} ×"]
        shown.add_row(what, f"{int(size):,}", f"{took[0]:,.0f} ({took[1]:,.0f})", f"{took[0] / one[0]:.1f} ×", *cells)
    return shown


def median(times: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Of the processor and of the clock."""
    processor, clock = zip(*times, strict=True)
    return statistics.median(processor), statistics.median(clock)


if __name__ == "__main__":
    main()
