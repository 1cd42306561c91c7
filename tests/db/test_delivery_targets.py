"""What a delivered log is where it arrives: files that a stranger verifies, objects written once, messages over TLS."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.audit.delivery import syslog
from app.audit.delivery.batch import signed_head_file
from app.audit.delivery.folder import FolderTarget
from app.audit.delivery.target import TargetUnavailable
from app.cli.audit_files import verify_manifest
from app.evidence.checkpoint import Checkpoint
from app.evidence.manifest import LogManifest
from app.evidence.merkle import decode, leaf_hash, merkle_root
from app.evidence.verify import verify
from tests.db.audit_db import AuditDb
from tests.db.delivered import Delivering, delivering, names, numbers, records
from tests.support.cluster import Db
from tests.support.collectors import (
    S3_KEY,
    S3_SECRET,
    Collector,
    SyslogServer,
    collecting,
    rsyslog,
    s3_server,
    tls_files,
)
from tests.support.log_keys import LOG_KEY
from tests.support.waiting import wait_for

# The server of S3 looks at no signature, and asks that there be one.
SIGNED_BY_ANYBODY = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={S3_KEY}/20261101/us-east-1/s3/aws4_request, Signature=0"
}
OLD_HEADS = (
    "alter table audit_checkpoint disable trigger append_only",
    "update audit_checkpoint set at = at - interval '1 minute'",
)


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def in_three(made: Delivering) -> None:
    """A log in three batches, and its signed heads, old enough to be delivered."""
    for _ in range(3):
        made.log.add(2)
        made.all()
    for statement in OLD_HEADS:
        made.world.run("owner", statement)
    made.all()


def hold_together(files: dict[str, bytes], folder: Path, bodies: list[str]) -> None:
    """Fail unless the files are all of the log, each verifies, and together they have the root that was signed."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    heads = [name for name in files if name.endswith(".checkpoint")]
    entries: list[dict[str, Any]] = []
    for name in sorted(files):
        if name.endswith(".jsonl"):
            report = verify(folder / name)
            assert report.findings == []
            assert not report.complete
            entries += [json.loads(line) for line in files[name].splitlines()[1:-1]]
    assert [entry["record"] for entry in entries] == bodies
    assert [entry["seq"] for entry in entries] == list(range(len(bodies)))
    checkpoint = Checkpoint.parse(files[max(heads)].decode())
    assert [key.name for key in checkpoint.log_signers([LOG_KEY.verifier])] == [LOG_KEY.name]
    leaves = [decode(entry["leaf_hash"]) for entry in entries]
    assert leaves == [leaf_hash(body) for body in bodies]
    assert checkpoint.head.size == len(bodies)
    assert merkle_root(leaves) == checkpoint.head.root


def test_a_folder_holds_all_that_verification_needs(world: AuditDb, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with delivering(world, f"archive folder {folder} jsonl") as made:
        in_three(made)
        found = names(folder)
        assert len(found) == 4
        hold_together({name: (folder / name).read_bytes() for name in found}, tmp_path / "copy", made.bodies())
        assert {(folder / name).stat().st_mode & 0o777 for name in found} == {0o444}
        times = [(folder / name).stat().st_mtime_ns for name in found]
        first_end = int(found[0].split("-")[1]) + 1
        made.back_to(0)
        world.run("owner", "update audit_delivery set pending = :end", end=first_end)
        made.courier().step()
        assert names(folder) == found, "what is delivered again is the same file"
        assert [(folder / name).stat().st_mtime_ns for name in found] == times


@pytest.mark.parametrize("form", ["ocsf", "cef"])
def test_other_forms_come_with_a_manifest(world: AuditDb, form: str, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with delivering(world, f"archive folder {folder} {form}") as made:
        made.log.add(3)
        made.all()
        [manifest] = folder.glob("*.manifest.json")
        file = folder / manifest.name.removesuffix(".manifest.json")
        said = LogManifest.parse(manifest.read_text())
        assert (said.records, said.bytes, said.file_format) == (len(made.bodies()), file.stat().st_size, form)
        report = verify_manifest(file, manifest, head=None, trusted=(), authorities=())
        assert report.findings == []
        if form == "ocsf":
            assert [json.loads(line)["raw_data"] for line in file.read_bytes().splitlines()] == made.bodies()


def test_a_file_that_a_dead_process_left_half_written_is_no_file(world: AuditDb, tmp_path: Path) -> None:
    with delivering(world, f"archive folder {tmp_path} jsonl") as made:
        made.log.add(3)
        made.all()
        [name] = names(tmp_path)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).unlink()
        (tmp_path / f".{name}.part").write_bytes(whole[:20])
        end = made.state().delivered
        made.back_to(0)
        world.run("owner", "update audit_delivery set pending = :end", end=end)
        made.courier().step()
        assert names(tmp_path) == [name]
        assert (tmp_path / name).read_bytes() == whole


def test_a_file_is_never_replaced_and_a_folder_never_made(world: AuditDb, tmp_path: Path) -> None:
    with delivering(world, f"archive folder {tmp_path / 'gone'} jsonl") as made:
        made.log.add(1)
        with pytest.raises(TargetUnavailable, match="folder: No such file"):
            made.courier().step()
        assert names(tmp_path) == []
        (tmp_path / "gone").mkdir()
        made.all()
        [name] = names(tmp_path / "gone")
        (tmp_path / "gone" / name).chmod(0o644)
        (tmp_path / "gone" / name).write_bytes(b"another")
        end = made.state().delivered
        made.back_to(0)
        world.run("owner", "update audit_delivery set pending = :end", end=end)
        with pytest.raises(TargetUnavailable, match="not what its name says"):
            made.courier().step()
        assert (tmp_path / "gone" / name).read_bytes() == b"another"
        assert made.state().delivered == 0


class Bucket:
    """The bucket `log` of a server, which keeps every version of its objects, as somebody else looks at it."""

    def __init__(self, url: str) -> None:
        self._client, self._url = httpx2.Client(trust_env=False), f"{url}/log"
        versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        for path, body in (("", ""), ("?versioning", versioning)):
            assert self._client.put(self._url + path, content=body, headers=SIGNED_BY_ANYBODY).status_code == 200

    def versions(self) -> list[str]:
        """The names of its objects, once for each version."""
        listed = self._client.get(f"{self._url}?versions", headers=SIGNED_BY_ANYBODY)
        return re.findall("<Version>.*?<Key>(.*?)</Key>", listed.text, re.DOTALL)

    def get(self, key: str) -> bytes:
        """The content of an object."""
        answer = self._client.get(f"{self._url}/{key}", headers=SIGNED_BY_ANYBODY)
        assert answer.status_code == 200
        return answer.content


def credentials(folder: Path) -> Path:
    path = folder / "credentials"
    path.write_text(f"[default]\naws_access_key_id = {S3_KEY}\naws_secret_access_key = {S3_SECRET}\n")
    return path


def test_a_bucket_holds_each_object_once(world: AuditDb, tmp_path: Path) -> None:
    """Whatever is delivered again: each name has one version."""
    given = f"credentials={credentials(tmp_path)}"
    with s3_server(tmp_path / "s3") as url, delivering(world, f"b s3 {url}/log/house/one jsonl {given}") as made:
        made.log.add(1)
        with pytest.raises(TargetUnavailable, match="S3: FileNotFoundError"):
            made.courier().step()
        bucket = Bucket(url)
        in_three(made)
        for pending in (made.state().delivered, None):
            made.back_to(0)
            world.run("owner", "update audit_delivery set signed = 0, pending = :pending", pending=pending)
            made.all()
        keys = bucket.versions()
        assert len(set(keys)) == len(keys), "nothing was put twice"
        assert {key.rpartition("/")[0] for key in keys} == {"house/one"}
        files = {key.removeprefix("house/one/"): bucket.get(key) for key in keys}
        first = {name: files[name] for name in files if name.endswith(".checkpoint")}
        ranges = [name for name in sorted(files) if name.endswith(".jsonl")]
        whole = max(ranges, key=lambda name: int(name.split("-")[1]) - int(name.split("-")[0]))
        hold_together(first | {whole: files[whole]}, tmp_path / "copy", made.bodies())


@pytest.mark.parametrize("text", ["", "[default]\naws_access_key_id = x\n", "nonsense"])
def test_credentials_that_are_none_wait_to_be_mended(world: AuditDb, text: str, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(text)
    given = f"credentials={tmp_path / 'credentials'}"
    with delivering(world, f"b s3 http://127.0.0.1:9/log jsonl {given}") as made:
        made.log.add(1)
        with pytest.raises(TargetUnavailable, match="has no section 'default' with key and secret"):
            made.courier().step()


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


def test_a_folder_target_takes_two_files_of_one_name_as_one(tmp_path: Path) -> None:
    for _ in range(2):
        FolderTarget(tmp_path).put(signed_head_file(3, "a note"))
    assert len(names(tmp_path)) == 1
