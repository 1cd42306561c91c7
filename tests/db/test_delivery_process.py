"""The process that delivers, as an operator starts it: killed at any moment it loses nothing."""

import contextlib
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audit.delivery.addresses import DeliveryAddress
from app.audit.delivery.s3 import MissingObstore, require_obstore
from app.delivery_process import usable_addresses
from app.evidence.verify import verify
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import Passes, passes
from tests.support.cluster import Db
from tests.support.collectors import OK, Collector, collecting
from tests.support.http_stub import Request
from tests.support.processes import Process, process
from tests.support.waiting import wait_for

BATCHES = "records=3 seconds=1"
STATES = "select coalesce(bool_and(delivered >= (select max(size) from audit_head)), false)::int from audit_delivery"
MODULE = ["app.delivery_process"]


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


@contextlib.contextmanager
def delivering_to(folder: Path, db: Db, deliveries: str) -> Iterator[Process]:
    """The process with these targets."""
    given = {"CLEARANCE_DATABASE__DELIVERY_URL": db.url("delivery"), "CLEARANCE_AUDIT__DELIVERIES": deliveries}
    with process(folder, MODULE, given) as made:
        yield made


def bodies(world: AuditDb) -> list[str]:
    statement = (
        "select string_agg(l.body, E'\\n' order by e.seq) from audit_entry e join audit_leaf l on l.id = e.leaf_id"
    )
    return world.text(statement).splitlines()


def all_arrived(world: AuditDb, log: Passes) -> bool:
    """Whether no target lacks a record, those of the targets themselves among them."""
    log.sequencer.step()
    return world.value("owner", STATES) == 1


@pytest.mark.parametrize("killed", ["when it has sent", "when it was answered", "at any moment"])
def test_a_process_that_is_killed_loses_nothing_and_repeats_itself_exactly(
    world: AuditDb, killed: str, tmp_path: Path
) -> None:
    running: list[Process] = []
    collector, archive = Collector(), tmp_path / "archive"
    archive.mkdir()

    def answer(request: Request) -> None:
        if killed == "when it was answered":
            collector.taken.append(collector.posts[-1])
            OK(request)
            request.wfile.flush()
        running[-1].child.kill()

    with collecting(collector) as url, passes(world, None) as log:
        targets = f"siem http {url} jsonl {BATCHES}\narchive folder {archive} jsonl {BATCHES}"
        for turn in range(4):
            log.add(5)
            collector.answer = OK if killed == "at any moment" else answer
            with delivering_to(tmp_path, world.db, targets) as made:
                running.append(made)
                if killed == "at any moment":
                    wait_for(lambda: "delivery_started" in made.said, message=lambda: made.said)
                    with contextlib.suppress(AssertionError):
                        wait_for(lambda: made.child.poll() is not None, seconds=random.Random(turn).random() / 5)
                    made.kill()
                wait_for(lambda: made.child.poll() is not None, message=lambda: made.said)
        collector.answer = OK
        with delivering_to(tmp_path, world.db, targets) as made:
            wait_for(lambda: all_arrived(world, log), seconds=60, message=lambda: made.said)
        wanted = bodies(world)
    assert [json.loads(line)["record"] for line in collector.lines()] == wanted
    # What was sent twice was the same, byte for byte, and no number is in two batches.
    assert len({key.rpartition(":")[0] for key, _ in collector.posts}) == len(set(collector.posts))
    if killed != "at any moment":
        assert len(collector.posts) > len(set(collector.posts))
    files = sorted(archive.glob("[0-9]*.jsonl"))
    assert all(verify(each).findings == [] for each in files)
    kept = [json.loads(line) for each in files for line in each.read_bytes().splitlines()[1:-1]]
    assert [each["record"] for each in kept] == wanted


def test_it_says_what_is_wrong_with_its_settings_and_no_secret(world: AuditDb, tmp_path: Path) -> None:
    with delivering_to(tmp_path, world.db, "a folder relative jsonl") as made:
        wait_for(lambda: made.child.poll() is not None)
        assert made.child.returncode == 1
        assert "CLEARANCE_AUDIT__DELIVERIES: a: name the folder by its whole path" in made.said


def test_it_waits_for_a_target_and_ends_at_a_signal_while_one_hangs(world: AuditDb, tmp_path: Path) -> None:
    def hang(_: Request) -> None:
        wait_for(lambda: made.child.poll() is not None, seconds=60)

    with collecting(Collector(answer=hang)) as url, passes(world, None) as log:
        log.add(3)
        with delivering_to(tmp_path, world.db, f"siem http {url} jsonl {BATCHES}") as made:
            wait_for(lambda: "audit.delivery_started" in made.said, message=lambda: made.said)
            wait_for(lambda: world.value("owner", "select count(*) from audit_delivery where pending is not null"))
            made.child.terminate()
            assert made.child.wait(10) == 0
            assert "audit.delivery_stopped" in made.said


def test_it_ends_where_the_database_knows_a_target_no_longer(world: AuditDb, tmp_path: Path) -> None:
    """As after a restored backup. Its next start names the target anew, and delivers from the beginning."""
    with passes(world, None) as log:
        log.add(3)
        for _ in range(2):
            with delivering_to(tmp_path, world.db, f"archive folder {tmp_path} jsonl {BATCHES}") as made:
                wait_for(lambda: all_arrived(world, log), message=lambda: made.said)
                assert world.run("owner", "delete from audit_delivery") == 1
                assert made.child.wait(20) == 1
                assert "audit.delivery_ended" in made.said
        assert world.text("select count(*)::text from audit_entry where kind = 'delivery.configured'") == "2"


GOOD = {
    "a folder /log jsonl": ("a", "folder", "/log", "jsonl"),
    "b.c-1 s3 https://s3.example.com/bucket/a/b ocsf credentials=/c": (
        "b.c-1", "s3", "https://s3.example.com/bucket/a/b", "ocsf"),
    "d syslog [::1]:6514 cef ca=/ca": ("d", "syslog", "[::1]:6514", "cef"),
    "e http http://127.0.0.1:80/x jsonl header=/h": ("e", "http", "http://127.0.0.1:80/x", "jsonl"),
}  # fmt: skip


def test_targets_are_named_on_lines_or_between_commas() -> None:
    for between in (",", "\n", " , \n"):
        found = DeliveryAddress.parse_all(between.join(GOOD))
        assert [(each.name, each.kind, each.where, each.form) for each in found] == list(GOOD.values())
    assert DeliveryAddress.parse_all(" \n") == []


@pytest.mark.parametrize(
    ("given", "said"),
    {
        "a folder /log": "a target is NAME KIND WHERE FORM",
        "A folder /log jsonl": "no name of a target",
        "a ftp /log jsonl": "'ftp' is none of folder, s3, syslog, http",
        "a folder /log csv": "'csv' is none of jsonl, ocsf, cef",
        "a folder /log jsonl,a folder /other jsonl": "two targets are called a",
        "a folder log jsonl": "by its whole path",
        "a http http://collector.example.com jsonl": "begins with https://",
        "a s3 http://s3.example.com/b jsonl credentials=/c": "begins with https://",
        "a s3 https://s3.example.com/b jsonl": "name the file of its credentials",
        "a s3 https://s3.example.com jsonl credentials=/c": "names no bucket",
        "a syslog host jsonl": "is no HOST:PORT",
        "a syslog host:0 jsonl": "is no HOST:PORT",
        "a folder /log jsonl header=/h": "header is no option of folder",
        "a folder /log jsonl records=0": "records is a whole number above 0",
        "a folder /log jsonl records=99999": "at most 10000 records",
        "a folder /log jsonl records": "no OPTION=VALUE",
    }.items(),
)
def test_what_names_no_target_is_refused(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        DeliveryAddress.parse_all(given)


def test_what_a_target_needs_is_looked_for_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    for given in (f"header={missing}", f"ca={missing}", f"certificate={missing}"):
        with pytest.raises(ValueError, match=r"a: .*cannot be read"):
            usable_addresses(f"a http https://c.example.com jsonl {given}")
    require_obstore()
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingObstore, match="pip install 'obstore"):
        usable_addresses(f"a s3 https://s3.example.com/b jsonl credentials={missing}")
