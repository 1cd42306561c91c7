"""Searches that go to a standby without the care of `app.db.replicas`: each of them shows what was revoked before."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text

from app.db import replicas
from app.db.replicas import Outcome, Position

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
