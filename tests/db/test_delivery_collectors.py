"""What a delivered log is to a receiver of syslog over TLS, a real one among them, and to an HTTP collector."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.audit.delivery import syslog
from app.audit.delivery.target import TargetUnavailable
from tests.db.audit_db import AuditDb
from tests.db.delivered import delivering, numbers, records
from tests.support.cluster import Db
from tests.support.collectors import (
    Collector,
    SyslogServer,
    collecting,
    rsyslog,
    tls_files,
)
from tests.support.waiting import wait_for


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def test_syslog_takes_a_message_for_each_record(world: AuditDb, tmp_path: Path) -> None:
    files = tls_files(tmp_path / "tls")
    with (
        SyslogServer(files).listening() as server,
        delivering(world, f"siem syslog localhost:{server.port} jsonl ca={files.ca}") as made,
    ):
        made.log.add(3)
        made.all()
        bodies = made.bodies()
        for number, (message, body) in enumerate(zip(server.read, bodies, strict=True)):
            record = json.loads(body)
            header, _, line = message.partition(b"] ")
            assert records([line]) == [body]
            priority, at, _host, app, process, kind, rest = header.decode().split(" ", 6)
            assert priority.startswith("<1")
            assert priority.endswith(">1")
            assert (at[10], at[-1], app, process, kind) == ("T", "Z", "clearance", "-", record["kind"])
            assert rest == f'[clearance@32473 target="siem" seq="{number}" id="{record["id"]}"'
        assert made.state().waiting == 0


@pytest.mark.parametrize("ends", ["reset", "vanish"])
def test_syslog_counts_as_delivered_when_the_other_side_has_closed(world: AuditDb, ends: str, tmp_path: Path) -> None:
    """The protocol acknowledges nothing else; what was read by then comes again, with the same ids."""
    files = tls_files(tmp_path / "tls")
    with (
        SyslogServer(files, ends=ends).listening() as server,
        delivering(world, f"siem syslog localhost:{server.port} jsonl ca={files.ca}") as made,
    ):
        made.log.add(3)
        with pytest.raises(TargetUnavailable):
            made.courier().step()
        assert made.state().delivered == 0
        server.ends, before = "close", len(server.read)
        made.all()
        assert made.state().waiting == 0
        assert set(server.read[:before]) <= set(server.read[before:])
        assert records([message.partition(b"] ")[2] for message in server.read[before:]]) == made.bodies()


def test_a_receiver_that_closes_without_a_word_has_read_what_its_tcp_acknowledged(
    world: AuditDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tls_files(tmp_path / "tls")
    with (
        SyslogServer(files, ends="quiet").listening() as server,
        delivering(world, f"siem syslog localhost:{server.port} jsonl ca={files.ca}") as made,
    ):
        made.log.add(3)
        with monkeypatch.context() as patch:
            patch.setattr(syslog, "unacknowledged", lambda _: 7)
            with pytest.raises(TargetUnavailable, match="before it had read everything"):
                made.courier().step()
        assert made.state().delivered == 0
        made.all()
        assert made.state().waiting == 0


@pytest.mark.parametrize("wrong", ["authority", "host", "no certificate of ours"])
def test_syslog_goes_to_nobody_who_is_not_known(world: AuditDb, wrong: str, tmp_path: Path) -> None:
    files, other = tls_files(tmp_path / "tls"), tls_files(tmp_path / "other")
    host = "127.0.0.1" if wrong == "host" else "localhost"
    ca = other.ca if wrong == "authority" else files.ca
    with (
        SyslogServer(files, wants_certificate=wrong == "no certificate of ours").listening() as server,
        delivering(world, f"siem syslog {host}:{server.port} jsonl ca={ca}") as made,
    ):
        made.log.add(1)
        with pytest.raises(TargetUnavailable):
            made.courier().step()
        assert (made.state().delivered, server.read) == (0, [])


def test_a_message_that_is_too_long_for_the_receiver_is_put_aside_not_cut(world: AuditDb, tmp_path: Path) -> None:
    files = tls_files(tmp_path / "tls")
    with (
        SyslogServer(files).listening() as server,
        delivering(world, f"siem syslog localhost:{server.port} jsonl ca={files.ca}") as made,
    ):
        made.log.add(3)
        made.all()
        sizes = [len(message) for message in server.read]
        made.address = replace(made.address, longest=max(sizes) - 1)
        made.back_to(0)
        server.read.clear()
        made.all()
        too_long = [number for number, size in enumerate(sizes) if size == max(sizes)]
        assert made.letters() == [(number, f"longer than {max(sizes) - 1} bytes", False) for number in too_long]
        assert len(server.read) == len(sizes) - len(too_long) > 0


@pytest.mark.parametrize("form", ["jsonl", "cef"])
@pytest.mark.parametrize("with_certificate", [False, True])
def test_a_real_rsyslog_writes_all_of_it(world: AuditDb, form: str, with_certificate: bool, tmp_path: Path) -> None:
    """Which is not ours: framing, header and the end of a connection are as others read them."""
    files = tls_files(tmp_path / "tls")
    more = f" certificate={files.both}" if with_certificate else ""
    with (
        rsyslog(tmp_path / "rsyslog", files, wants_certificate=with_certificate) as (port, out),
        delivering(world, f"siem syslog localhost:{port} {form} ca={files.ca}{more}") as made,
    ):
        for _ in range(3):
            made.log.add(20)
            made.all()
        bodies = made.bodies()
        assert made.state().waiting == 0
        wait_for(lambda: out.exists() and len(out.read_bytes().splitlines()) >= len(bodies))
        lines = out.read_bytes().splitlines()
        ids = [json.loads(body)["id"].encode() for body in bodies]
        assert [each in line for each, line in zip(ids, lines, strict=True)] == [True] * len(bodies)
        if form == "jsonl":
            assert numbers([line.partition(b"] ")[2] for line in lines]) == list(range(len(bodies)))


def test_an_http_collector_gets_its_key_and_knows_a_batch_again(world: AuditDb, tmp_path: Path) -> None:
    secret, collector = tmp_path / "key", Collector()
    secret.write_text("Authorization: Splunk 1f2e3d\n")
    with collecting(collector) as url, delivering(world, f"siem http {url}/raw cef header={secret}") as made:
        made.log.add(2)
        made.all()
        end = made.state().delivered
        made.back_to(0)
        world.run("owner", "update audit_delivery set pending = :end", end=end)
        secret.write_text("Authorization: Splunk another")
        made.all()
        assert [each["Authorization"] for each in collector.headers] == ["Splunk 1f2e3d", "Splunk another"]
        assert collector.posts[0] == collector.posts[1]
        assert collector.posts[0][0].startswith(f"siem:0-{end - 1}:")
        secret.write_text("no header")
        made.log.add(1)
        with pytest.raises(TargetUnavailable, match="key is no line"):
            made.courier().step()
