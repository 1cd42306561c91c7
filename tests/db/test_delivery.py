"""Delivery of the log: nothing is lost, whatever becomes of the target, and what comes twice is known for the same."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import structlog
from sqlalchemy.orm import Session

from app.audit.delivery import http, store
from app.audit.delivery.addresses import BatchLimits
from app.audit.delivery.courier import MAX_PAUSE_SECONDS
from app.audit.delivery.target import TargetUnavailable
from tests.db.audit_db import AuditDb
from tests.db.delivered import AT_ONCE, delivering, numbers, records
from tests.support.cluster import Db
from tests.support.collectors import OK, Collector, collecting, dropped, refusing
from tests.support.environment import free_port
from tests.support.http_stub import Answer, Request, http_stub, status

RETRY = "update audit_dead_letter set retry = true"
COUNT = "select count(*) from audit_leaf"


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def hanging(request: Request) -> None:
    """Longer than anybody waits here."""
    time.sleep(1)


UNAVAILABLE: dict[str, Answer] = {
    **{f"status {code}": status(code) for code in (301, 401, 403, 404, 408, 429, 500, 502, 503)},
    "dropped": dropped,
    "hanging": hanging,
}


def test_a_collector_that_is_down_for_an_hour_loses_nothing(world: AuditDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour by the pauses that are made, while records come in all the time."""
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(0.2))
    collector = Collector()
    down, pauses = itertools.cycle(UNAVAILABLE.values()), list[float]()
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:

        def wait(seconds: float) -> bool:
            pauses.append(seconds)
            over = sum(pauses) > 3_600
            assert len(pauses) < 1_000
            collector.answer = OK if over else next(down)
            made.log.add(1)
            return over and made.state().waiting <= 1

        collector.answer = next(down)
        made.courier().run(wait, jitter=lambda: 0.5)
        failed = sum(1 for each in pauses if each > 1)
        assert failed >= 60
        assert max(pauses) <= MAX_PAUSE_SECONDS
        made.all()
        assert records(collector.lines()) == made.bodies()
        assert len(made.bodies()) > failed
        assert made.letters() == []


@pytest.mark.parametrize("what", UNAVAILABLE)
def test_what_is_unavailable_is_tried_again_with_the_same_batch(
    world: AuditDb, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where more has come meanwhile, and by another process: a collector that took it knows it again."""
    monkeypatch.setattr(http, "TIMEOUT", httpx2.Timeout(0.2))
    collector = Collector(answer=UNAVAILABLE[what])
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(3)
        for _ in range(2):
            with pytest.raises(TargetUnavailable):
                made.courier().step()
            made.log.add(2)
        assert (made.state().delivered, made.letters()) == (0, [])
        collector.answer = OK
        made.all()
        assert len(set(collector.posts[:3])) == 1
        assert numbers(collector.lines()) == list(range(made.state().delivered))
        assert made.state().waiting == 0


def test_nobody_listens(world: AuditDb) -> None:
    with delivering(world, f"siem http http://127.0.0.1:{free_port()} jsonl") as made:
        made.log.add(1)
        with pytest.raises(TargetUnavailable, match="ConnectError"):
            made.courier().step()


@pytest.mark.parametrize("poison", [{0}, {5}, {11}, {3, 4}, {0, 6, 11}])
def test_a_record_that_is_refused_is_put_aside_and_the_rest_goes_on(world: AuditDb, poison: set[int]) -> None:
    collector = Collector()
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(11)
        everything = len(made.bodies())
        collector.answer = refusing([b'"seq":%d,' % each for each in poison])(collector)
        made.all()
        assert numbers(collector.lines()) == [each for each in range(everything) if each not in poison]
        assert made.letters() == [(each, "HTTP 400", False) for each in sorted(poison)]
        assert made.state().dead_letters == len(poison)
        assert made.state().waiting == 0


def test_a_dead_letter_is_sent_again(world: AuditDb) -> None:
    collector = Collector()
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(4)
        collector.answer = refusing([b'"seq":2,'], 422)(collector)
        made.all()
        world.run("owner", RETRY)
        made.all()
        assert made.letters() == [(2, "HTTP 422", False)], "refused once more"
        collector.answer = status(503)
        world.run("owner", RETRY)
        with pytest.raises(TargetUnavailable):
            made.courier().step()
        assert made.letters() == [(2, "HTTP 422", True)], "not given up"
        collector.answer = OK
        made.all()
        assert made.letters() == []
        assert sorted(numbers(collector.lines())) == list(range(len(made.bodies())))


def test_a_target_that_refuses_everything_does_not_empty_the_log_into_dead_letters(world: AuditDb) -> None:
    """It is the target that is wrong then, not ten records in a row."""
    collector = Collector(answer=status(400))
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(40)
        made_courier = made.courier()
        with pytest.raises(TargetUnavailable, match="refuses record after record: HTTP 400"):
            for _ in range(200):
                made_courier.step()
        assert [seq for seq, _, _ in made.letters()] == list(range(10))
        assert made.state().delivered == 10
        collector.answer = OK
        world.run("owner", RETRY)
        made.all()
        assert (made.letters(), made.state().waiting) == ([], 0)
        assert sorted(numbers(collector.lines())) == list(range(len(made.bodies())))


def test_a_delivery_writes_nothing_into_the_log(world: AuditDb) -> None:
    """Else it would feed itself."""
    with collecting(Collector()) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(3)
        before = world.value("owner", COUNT)
        made.all()
        assert world.value("owner", COUNT) == before
        assert made.state().waiting == 0


def test_no_text_of_a_record_is_in_what_is_said_of_a_failure(world: AuditDb) -> None:
    collector = Collector()
    with (
        structlog.testing.capture_logs() as said,
        http_stub(lambda request: status(503, request.body)(request)) as down,
        delivering(world, f"siem http {down} jsonl") as made,
    ):
        made.log.add(1)
        made.courier().run(lambda _: True)
        assert (made.state().error, made.state().failures) == ("HTTP 503", 1)
        with collecting(collector) as url:
            made.address = made.address.__class__(**{**vars(made.address), "where": url})
            collector.answer = refusing([b'"seq":1,'])(collector)
            made.all()
    assert {each["event"] for each in said} >= {"audit.not_delivered", "audit.delivery_refused"}
    assert "nobody" not in str(said)
    assert "leaf_hash" not in str(said)


def test_batches_are_bounded_in_records_bytes_and_age(world: AuditDb) -> None:
    with collecting(Collector()) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(6)
        size = max(len(body) for body in made.bodies())
        with Session(made.engine) as session:
            due = {
                name: store.due_until(session, 1, limits)
                for name, limits in {
                    "records": BatchLimits(records=4, seconds=9_999),
                    "bytes": BatchLimits(bytes=2 * size, seconds=9_999),
                    "too large for any": BatchLimits(bytes=1, seconds=9_999),
                    "age": BatchLimits(seconds=0),
                    "neither": BatchLimits(seconds=9_999),
                }.items()
            }
            assert store.due_until(session, 99, AT_ONCE) is None
    last = len(made.bodies())
    assert due == {"records": 5, "bytes": 3, "too large for any": 2, "age": last, "neither": None}


def test_two_processes_at_one_target_do_not_move_its_position_twice(world: AuditDb) -> None:
    """What both deliver is the same; whoever is second notices."""
    collector = Collector()
    with collecting(collector) as url, delivering(world, f"siem http {url} jsonl") as made:
        made.log.add(2)

        class Meanwhile(http.HttpTarget):
            def send(self, batch: object) -> None:
                made.all()
                super().send(batch)  # type: ignore[arg-type]

        with pytest.raises(store.Overtaken):
            made.courier(Meanwhile(made.address)).step()
        assert len(set(collector.posts)) == 1
        assert made.state().waiting == 0


def test_the_state_says_how_far_and_how_late_a_target_is(world: AuditDb) -> None:
    with collecting(Collector()) as url, delivering(world, f"siem http {url} ocsf") as made:
        made.log.add(2)
        state = made.state()
        assert (state.target, state.kind, state.form, state.configured) == ("siem", "http", "ocsf", True)
        assert (state.delivered, state.waiting, state.error, state.delivered_at) == (0, len(made.bodies()), None, None)
        oldest = world.text("select min(at)::text from audit_entry")
        assert state.waiting_since.isoformat(" ").startswith(oldest[:19])
        made.all()
        state = made.state()
        assert (state.delivered, state.waiting, state.waiting_since) == (len(made.bodies()), 0, None)
        assert state.delivered_at is not None


def test_targets_that_come_and_go_are_recorded_and_keep_their_place(world: AuditDb, tmp_path: Path) -> None:
    with delivering(world, f"archive folder {tmp_path} jsonl") as made:
        made.all()
        delivered = made.state().delivered
        for given in ([], [], [made.address]):
            with Session(made.engine) as session, session.begin():
                store.configure(session, given)
        assert made.state().delivered == delivered
        made.log.sequencer.step()
        found = [body for body in made.bodies() if "delivery.configured" in body]
        assert ['"configured":true' in body for body in found] == [True, False, True]
        assert all('"name":"clearance-delivery"' in body and '"writer":"clearance_delivery"' in body for body in found)
