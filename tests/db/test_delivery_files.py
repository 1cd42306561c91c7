"""What a delivered log is in a folder or a bucket: files that a stranger verifies, each written once."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.audit.delivery.batch import signed_head_file
from app.audit.delivery.folder import FolderTarget
from app.audit.delivery.target import TargetUnavailable
from app.cli.audit_files import verify_manifest
from app.evidence.checkpoint import Checkpoint
from app.evidence.delivered_folder import verify_delivered
from app.evidence.manifest import LogManifest
from app.evidence.merkle import decode, leaf_hash, merkle_root
from app.evidence.verify import verify
from tests.db.audit_db import AuditDb
from tests.db.delivered import Delivering, delivering, names
from tests.support.cluster import Db
from tests.support.collectors import (
    S3_KEY,
    S3_SECRET,
    s3_server,
)
from tests.support.log_keys import LOG_KEY

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


def test_a_delivered_folder_is_verified_as_one_log(world: AuditDb, tmp_path: Path) -> None:
    """By the command that stands in the documentation: whatever is done to the folder is found and named."""
    folder = tmp_path / "log"
    folder.mkdir()

    def found(trusted: bool = True) -> set[str]:
        report = verify_delivered(folder, trusted=[LOG_KEY.verifier] if trusted else [])
        return {finding.kind for finding in report.findings}

    with delivering(world, f"archive folder {folder} jsonl") as made:
        in_three(made)
        size = len(made.bodies())
    report = verify_delivered(folder, trusted=[LOG_KEY.verifier])
    assert (report.findings, report.entries, report.signers) == ([], size, (LOG_KEY.name,))
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    first, middle, last = sorted(path for path in whole if path.suffix == ".jsonl")
    [head] = folder.glob("*.checkpoint")
    spoiled: dict[str, tuple[dict[Path, bytes | None], set[str]]] = {
        "a file is gone": ({middle: None}, {"drop"}),
        "the last is gone": ({last: None}, {"truncation"}),
        "a record was changed": (
            {middle: whole[middle].replace(b"unknown", b"expired", 1)},
            {"edit", "digest"},
        ),
        "a file ends early": ({last: whole[last][: whole[last].rindex(b"{")]}, {"truncation", "digest", "format"}),
        "a file stands twice": ({folder / f"{0:020d}-9.jsonl": whole[first]}, {"duplicate", "digest"}),
        "nothing is signed": ({head: None}, {"signature"}),
        "nothing is there": (dict.fromkeys(whole), {"format", "signature"}),
    }
    for what, (changes, kinds) in spoiled.items():
        for path, content in changes.items():
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        assert kinds <= found(), what
        for path in {*changes, *whole}:
            path.unlink(missing_ok=True)
        for path, content in whole.items():
            path.write_bytes(content)
    assert found() == set()
    head.unlink()
    assert found(trusted=False) == set()


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


def test_a_folder_target_takes_two_files_of_one_name_as_one(tmp_path: Path) -> None:
    for _ in range(2):
        FolderTarget(tmp_path).put(signed_head_file(3, "a note"))
    assert len(names(tmp_path)) == 1
