"""Revocations race searches while replay stops and goes: no late sighting, wherever the search was answered."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, Engine, text

from app.acl.rules import OwnRule
from app.db import replicas
from app.db.replicas import Outcome, Position
from app.db.session import Database
from tests.db.replicas.replicated_db import PATIENCE, Pair
from tests.support.environment import Report

pytestmark = pytest.mark.alone

# Each way to lose the document, and the way back.
WAYS = (
    (
        "update rule_grant set effect = 'deny' where principal_id = :ada",
        "update rule_grant set effect = 'allow' where principal_id = :ada",
    ),
    ("update app_user set active = false where id = :ada", "update app_user set active = true where id = :ada"),
    ("update app_user set clearance = 0 where id = :ada", "update app_user set clearance = 1 where id = :ada"),
    (
        "update document set scope_id = :closed where path = 'a.md'",
        "update document set scope_id = :open where path = 'a.md'",
    ),
)
# So many searches of each kind, answered by the standby and by the primary.
ENOUGH = {("gone", True): 300, ("gone", False): 100, ("there", True): 300, ("there", False): 100}
# As long as a search waits for the standby by default.
WAIT_MS = 50


@dataclass
class Race:
    """A writer, who says what holds from when on; readers, who compare it with what they see; one who stops replay."""

    pair: Pair
    database: Database
    ids: dict[str, object]
    holds: tuple[int, str] = (0, "there")
    stop: threading.Event = field(default_factory=threading.Event)
    judged: Counter[tuple[str, bool]] = field(default_factory=Counter)
    late: list[str] = field(default_factory=list)
    changes: int = 0
    pauses: int = 0

    def __str__(self) -> str:
        by = Counter[bool]()
        for (_, standby), number in self.judged.items():
            by[standby] += number
        gone = sum(number for (what, _), number in self.judged.items() if what == "gone")
        return (
            f"{self.changes} revocations and grants, {self.pauses} pauses of replay, searches judged: {by[True]} by the"
            f" standby, {by[False]} by the primary, {gone} of all after a revocation: {len(self.late)} wrong"
        )

    def change(self) -> None:
        chance = random.Random(1)
        for n in itertools.count(1):
            lose, regain = WAYS[n % len(WAYS)]
            for step, (what, statement) in enumerate((("gone", lose), ("there", regain))):
                self.holds = (2 * n + step, "changing")
                used = {name: value for name, value in self.ids.items() if f":{name}" in statement}
                self.pair.library.run("admin", statement, **used)
                self.holds = (2 * n + step, what)
                self.changes += 1
                if self.stop.wait(chance.random() * 0.05):
                    return

    def read(self) -> None:
        """What held before the search began and still does, it must have shown."""
        while not self.stop.is_set():
            before = self.holds
            by_standby, seen = self.pair.looks(self.database)
            if before[1] == "changing" or before != self.holds:
                continue
            self.judged[before[1], by_standby] += 1
            if seen != (before[1] == "there"):
                self.late.append(f"{before}: {seen} seen on the {'standby' if by_standby else 'primary'}")

    def hold_up(self) -> None:
        chance = random.Random(2)
        while not self.stop.wait(chance.random() * 0.1):
            self.pair.standby.pause()
            self.pauses += 1
            self.stop.wait(chance.random() * 0.1)
            self.pair.standby.resume()

    def run(self) -> None:
        """Until enough was judged, or something is wrong."""
        work = [self.change, self.hold_up, self.read, self.read, self.read]
        threads = [threading.Thread(target=each) for each in work]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 2 * PATIENCE
        while not self.late and time.monotonic() < deadline and not self.enough():
            time.sleep(0.05)
        self.stop.set()
        for thread in threads:
            thread.join()

    def enough(self) -> bool:
        return all(self.judged[kind] >= number for kind, number in ENOUGH.items())


@pytest.fixture
def race(pair: Pair) -> Race:
    """With a scope that Ada does not see."""
    library = pair.library
    ids = {
        "ada": pair.ada,
        "open": library.scope(pair.collection),
        "closed": library.scope(pair.collection, OwnRule(inherits=False)),
    }
    pair.standby.catch_up()
    return Race(pair, pair.database, ids)


@pytest.mark.parametrize("wait_ms", [0, WAIT_MS])
def test_no_search_shows_what_was_revoked_before_it_began(race: Race, report: Report, wait_ms: int) -> None:
    """Nor does one miss what was granted before it began."""
    with race.pair.also(race.pair.url(), wait_ms=wait_ms) as race.database:
        race.run()
    report(f"revocation race on a standby, searches wait {wait_ms} ms: {race}")
    assert not race.late, race.late[:3]
    assert race.enough(), "too few searches of one kind"


# Searches without the care of `app.db.replicas`: each of them shows what was revoked before.

# So long the primary's last word is taken for what it would say now.
STALE_SECONDS = 0.2

Mutation = Callable[[pytest.MonkeyPatch, Engine], None]


def no_look_at_all(patch: pytest.MonkeyPatch, _primary: Engine) -> None:
    """The standby is not asked whether it has been at the position."""
    careless = replicas.STANDBY.text.replace(
        "pg_last_wal_replay_lsn() >= cast(:lsn as pg_lsn)", "cast(:lsn as pg_lsn) is not null"
    )
    assert careless != replicas.STANDBY.text
    patch.setattr(replicas, "STANDBY", text(careless))


def snapshot_before_the_look(patch: pytest.MonkeyPatch, _primary: Engine) -> None:
    """It is asked, and waited for, in the transaction that has its snapshot already."""
    patch.setattr(replicas, "_snapshot", lambda *asked: _early(lambda: asked[1], asked[0], asked[2]))


def position_after_the_snapshot(patch: pytest.MonkeyPatch, primary: Engine) -> None:
    """The primary is asked last, and the standby has been where it is; the snapshot is older."""
    ask = replicas.position_of
    patch.setattr(replicas, "_snapshot", lambda *asked: _early(lambda: ask(primary), asked[0], asked[2]))


def position_kept_for_a_while(patch: pytest.MonkeyPatch, _primary: Engine) -> None:
    """The primary is not asked by each search."""
    ask, kept = replicas.position_of, dict[int, Position]()

    def position(primary: Engine) -> Position:
        period = int(time.monotonic() / STALE_SECONDS)
        if period not in kept:
            kept[period] = ask(primary)
        return kept[period]

    patch.setattr(replicas, "position_of", position)


MUTATIONS: tuple[Mutation, ...] = (
    no_look_at_all,
    snapshot_before_the_look,
    position_after_the_snapshot,
    position_kept_for_a_while,
)


def _early(position: Callable[[], Position], connection: Connection, deadline: float) -> Outcome:
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.execute(replicas.SNAPSHOT)
    asked = position()._asdict()
    while True:
        fit, there, *_ = connection.execute(replicas.STANDBY, asked).one()
        if fit and there:
            return "used"
        if time.monotonic() > deadline:
            return "behind"
        time.sleep(replicas.POLL_INTERVAL)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_race_finds_a_search_that_is_careless(
    race: Race, report: Report, monkeypatch: pytest.MonkeyPatch, mutation: Mutation
) -> None:
    """So that the test above can fail."""
    with race.pair.also(race.pair.url(), wait_ms=WAIT_MS) as race.database:
        mutation(monkeypatch, race.database.engine)
        race.run()
    report(f"mutation, {mutation.__name__.replace('_', ' ')}: {race}")
    assert any("seen on the standby" in sighting for sighting in race.late)
