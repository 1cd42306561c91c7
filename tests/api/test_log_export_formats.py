"""Exports in the background in each format, with the manifest by which they are verified."""

import importlib.util
import io
import json
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from app.admin.background import BackgroundWork
from app.admin.log_export_files import checked
from app.admin.log_exports import LogExports
from app.audit.events.log_reading import ExportFormat
from app.errors import Conflict
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head, leaf_hash, merkle_root
from app.evidence.stamps import read_stamps
from tests.api.log_exporting import EXPORTS, download, ended, ending_after, make_busy, start
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.log_keys import LOG_KEY, STRANGER_KEY
from tests.support.manifested_files import verify_content
from tests.support.openings import opening
from tests.support.service import app_of

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
WITH_RECORDS = ("jsonl", "parquet", "ocsf")
ENDINGS = {"ocsf": "ocsf.jsonl"}


@pytest.fixture
def busy(client: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    return make_busy(client, company, monkeypatch)


def manifest_of(client: TestClient, company: Company, export: str) -> LogManifest:
    answer = client.get(f"{EXPORTS}/{export}/manifest", headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].endswith(".manifest.json")
    return LogManifest.parse(answer.text)


def made(
    client: TestClient, company: Company, *, q: str = "", opened: bool = False, **body: Any
) -> tuple[bytes, LogManifest]:
    """An export as it is downloaded, and its manifest."""
    by = opening(client, company, q=q) if opened else None
    export = start(client, company, q=q, opening=by, **body).json()["id"]
    found = ended(client, company, export)
    assert found["state"] == "ready", found
    return download(client, company, export).content, manifest_of(client, company, export)


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_is_that_of_its_manifest_and_of_the_signed_log(
    client: TestClient, busy: Company, tmp_path: Path, format: ExportFormat
) -> None:
    content, manifest = made(client, busy, format=format, opened=True)
    report = verify_content(tmp_path, content, manifest, *([LOG_KEY] if format in WITH_RECORDS else []))
    assert report.ok, report.lines
    if format in WITH_RECORDS:
        assert (report.complete, report.entries) == (True, manifest.records)
        named = busy.rows("select 1 from audit_leaf where body::jsonb #> '{names,sealed}' is not null")
        assert (report.opened, len(named)) == (12 + len(named), 8)
        assert report.signers == (LOG_KEY.name,)
        assert not verify_content(tmp_path, content, manifest, STRANGER_KEY).ok
    [audrey] = busy.rows("select id::text from app_user where name = 'audrey'")
    assert (manifest.requested_by, manifest.opened, manifest.file_format) == (audrey["id"], True, format)
    assert len(content) == manifest.bytes


@pytest.mark.parametrize("format", FORMATS)
def test_words_are_in_it_where_they_were_asked_for_alone(
    client: TestClient, busy: Company, tmp_path: Path, format: ExportFormat
) -> None:
    def text(content: bytes) -> str:
        return str(pq.read_table(io.BytesIO(content)).to_pylist()) if format == "parquet" else content.decode()

    content, manifest = made(client, busy, format=format, q="kind:search")
    assert "coffee" not in text(content)
    assert manifest.log["complete"] is False
    assert manifest.log["filters"] == {"q": "kind:search"}
    assert (manifest.records, "checkpoint" in manifest.log) == (12, False)
    assert verify_content(tmp_path, content, manifest).ok
    opened, _ = made(client, busy, format=format, q="kind:search", opened=True)
    assert "coffee 3" in text(opened)


def test_a_manifest_has_the_time_stamps_of_the_whole_log(client: TestClient, busy: Company, tmp_path: Path) -> None:
    busy.execute("insert into audit_timestamp (size, authority, token) select min(size), 'tsa', 'stamped' from"
                 " audit_checkpoint")  # fmt: skip
    [head] = busy.rows("select min(size) as size from audit_checkpoint")
    content, manifest = made(client, busy, format="parquet")
    [stamp] = read_stamps(manifest.log["timestamps"])
    assert (stamp.checkpoint.head.size, stamp.token) == (head["size"], b"stamped")
    assert verify_content(tmp_path, content, manifest, LOG_KEY).ok
    _, of_some = made(client, busy, format="parquet", q="kind:search")
    assert "timestamps" not in of_some.log


def test_a_parquet_file_has_the_root_of_the_head(client: TestClient, busy: Company) -> None:
    content, manifest = made(client, busy, format="parquet")
    bodies = pq.read_table(io.BytesIO(content)).column("record").to_pylist()
    root = Head(len(bodies), merkle_root([leaf_hash(body) for body in bodies]))
    answer = client.get("/api/v1/audit/head", headers=busy.headers("audrey")).json()
    assert str(root) == f"{answer['size']}:{answer['root']}" == f"{manifest.head['size']}:{manifest.head['root']}"


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_what_is_interrupted_is_the_same_file_in_the_end(
    client: TestClient, busy: Company, tmp_path: Path, format: ExportFormat
) -> None:
    """In the middle of its parts, and while its digest is made."""
    whole, _ = made(client, busy, format=format)
    [size] = busy.rows("select max(parts) as parts, max(size) as size from log_export")
    stopped = BackgroundWork()
    for parts in (2, size["parts"]):
        app_of(client).state.log_exports = LogExports(ending_after(stopped, busy, parts=parts))
        busy.execute("delete from log_export")
        export = start(client, busy, format=format).json()["id"]
        for thread in stopped._threads:
            thread.join(20)
        assert busy.rows("select state, parts, sha256 from log_export") == [
            {"state": "running", "parts": parts, "sha256": None}
        ]
        check_problem(client.get(f"{EXPORTS}/{export}/manifest", headers=busy.headers("audrey")), 409, "Conflict")
        busy.execute("update log_export set beat_at = now() - interval '2 minutes'")
        app_of(client).state.log_exports = LogExports(app_of(client).state.background)
        resumed = client.post(f"{EXPORTS}/{export}/resume", headers=busy.headers("audrey"))
        assert resumed.status_code == 204
        assert ended(client, busy, export)["state"] == "ready"
        content = download(client, busy, export).content
        assert verify_content(tmp_path, content, manifest_of(client, busy, export), LOG_KEY).ok
        assert content == whole


def test_an_export_whose_file_has_become_another_is_not_sent_whole(client: TestClient, busy: Company) -> None:
    """As another version of the library could write one: its last piece, without which it is none, stays here."""
    export = start(client, busy, format="parquet").json()["id"]
    ended(client, busy, export)
    busy.execute("update log_export set sha256 = repeat('0', 64)")
    answer = download(client, busy, export)
    check_problem(answer, 409, "Conflict")
    assert "export it again" in answer.json()["detail"]
    pieces, sent = checked(iter([b"one", b"two", b"three"]), "0" * 64), list[bytes]()
    with pytest.raises(Conflict):
        sent.extend(pieces)
    assert sent == [b"one", b"two"]


def test_parquet_that_cannot_be_written_is_refused_with_what_to_install(
    client: TestClient, busy: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    answer = start(client, busy, format="parquet")
    check_problem(answer, 422, "InvalidInput")
    assert "pip install 'pyarrow>=24'" in answer.json()["detail"]
    assert start(client, busy, format="ocsf").status_code == 201


def test_a_manifest_is_its_auditors_alone(client: TestClient, busy: Company) -> None:
    export = start(client, busy, format="csv").json()["id"]
    ended(client, busy, export)
    check_problem(client.get(f"{EXPORTS}/{export}/manifest", headers=busy.headers("ada")), 403, "MissingCapability")
    busy.execute("update log_export set requested_by = (select id from app_user where name = 'ada')")
    check_problem(client.get(f"{EXPORTS}/{export}/manifest", headers=busy.headers("audrey")), 404, "NotFound")


def test_only_what_proves_itself_or_is_for_a_spreadsheet_is_sent_at_once(client: TestClient, busy: Company) -> None:
    for format in FORMATS:
        sent = client.get("/api/v1/audit/export", params={"format": format}, headers=busy.headers("audrey"))
        assert (sent.status_code == 200) == (format in {"jsonl", "csv"}), format


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_is_named_by_its_day_and_form(client: TestClient, busy: Company, format: ExportFormat) -> None:
    export = start(client, busy, format=format).json()["id"]
    found = ended(client, busy, export)
    ending = f"clearance-audit-{found['requested_at'][:10]}.{ENDINGS.get(format, format)}"
    assert download(client, busy, export).headers["content-disposition"].endswith(ending)
    assert found["sha256"] == manifest_of(client, busy, export).sha256


def test_events_say_who_searched(client: TestClient, busy: Company) -> None:
    content, _ = made(client, busy, format="ocsf", q="kind:search", opened=True)
    events = [json.loads(line) for line in content.splitlines()]
    assert {event["actor"]["user"]["name"] for event in events} == {"ben"}
    assert events[0]["unmapped"]["opened"]["query"]["text"] == "coffee 0"
