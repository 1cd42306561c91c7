"""Times on a loaded matrix: who calls, what he may read, a search, a re-grant; for `benchmarks.real_rules`."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.progress import track
from sqlalchemy import text

from app.acl.placement import find_place, rule_document
from app.acl.rule_changes import rule_collection
from app.acl.rules import Grant, OwnRule
from app.acl.visible import visible_scopes
from app.db.session import Database
from app.db.tables.access import Collection
from app.identity.authenticate import identify
from app.identity.subject import Capability, Label, Principal
from app.retrieval.search import Query, search
from app.scope_index.protocol import NoLists
from tests.support.library_db import EMBEDDER, House
from tests.support.mined_roles import WORDS, Loaded

WARM = 10  # rounds that do not count


@dataclass
class Times:
    """Milliseconds of each round."""

    identify_and_resolve: list[float] = field(default_factory=list)
    resolve_in_transaction: list[float] = field(default_factory=list)
    SQL_function: list[float] = field(default_factory=list)
    search: list[float] = field(default_factory=list)
    re_rule_a_document: list[float] = field(default_factory=list)
    re_grant_the_shelf: list[float] = field(default_factory=list)


def measure(house: House, database: Database, loaded: Loaded, rounds: int) -> Times:
    """Time each thing so many times, as users drawn at random; the changes of rules a thirtieth as often."""
    rng, times = random.Random(4), Times()
    users = sorted(loaded.users)
    for number in track(range(WARM + rounds), description=f"{loaded.matrix.name}: reading"):
        took = _read(database, loaded.keys[rng.choice(users)], " ".join(rng.sample(WORDS, 2)))
        for name, value in took.items() if number >= WARM else ():
            getattr(times, name).append(value)
    for name, change in _changes(house, database, loaded).items():
        repeats = max(2, rounds // 30)
        for number in track(range(2 + repeats), description=f"{loaded.matrix.name}: {name.replace('_', ' ')}"):
            began = time.perf_counter()
            change(number)
            if number >= 2:
                getattr(times, name).append(1000 * (time.perf_counter() - began))
    return times


def _read(database: Database, key: str, question: str) -> dict[str, float]:
    """As a request does it: the key, then one snapshot; the search with its own resolution."""
    began = time.perf_counter()
    with database.anonymous() as anonymous:
        subject = identify(anonymous, key)
    with database.reading(subject.user_id) as session:
        asked = time.perf_counter()
        visible_scopes(session, subject)
        resolved = time.perf_counter()
        session.scalar(text("select clearance.visible_scopes()"))
        told = time.perf_counter()
    query = Query(question, EMBEDDER.embed_query(question))
    searched = time.perf_counter()
    with database.reading(subject.user_id) as session:
        search(session, visible_scopes(session, subject), NoLists(), query, limit=10)
    end = time.perf_counter()
    marks = {
        "identify_and_resolve": resolved - began,
        "resolve_in_transaction": resolved - asked,
        "SQL_function": told - resolved,
        "search": end - searched,
    }
    return {name: 1000 * seconds for name, seconds in marks.items()}


def _changes(house: House, database: Database, loaded: Loaded) -> dict[str, Callable[[int], None]]:
    """Two changes, each committed: a document gets one rule and then another, the shelf denies one user, then another.

    Every scope inherits from the shelf, so re-granting it points all of them to other rules: the dearest case.
    """
    curator = house.person("curator", may=list(Capability), curates=[loaded.shelf])
    subject = house.subject(curator)
    users = sorted(loaded.users)[:2]
    documents = sorted(loaded.documents)
    owns = [OwnRule(frozenset({Grant("allow", Principal("user", loaded.users[u]))})) for u in users]
    denies = [frozenset({Grant("deny", Principal("user", loaded.users[u]))}) for u in users]

    def document(number: int) -> None:
        public = loaded.documents[documents[number // 2 % len(documents)]]
        with database.writing(curator) as session:
            rule_document(session, subject, find_place(session, subject, public), owns[number % 2])

    def shelf(number: int) -> None:
        own = OwnRule(denies[number % 2], inherits=False, label=Label.INTERNAL)
        with database.writing(curator) as session:
            rule_collection(session, subject, session.get_one(Collection, loaded.shelf), own)

    return {"re_grant_the_shelf": shelf, "re_rule_a_document": document}
