"""Exports with a manifest: the log's hashes come back from each that holds records, and what is changed is found."""

import functools
import io
import json
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.audit.events.log_reading import ExportFormat
from app.audit.export_forms import parquet
from app.evidence.checkpoint import Checkpoint
from app.evidence.manifest import LogManifest
from app.evidence.merkle import Head, encode, leaf_hash, merkle_root
from app.evidence.report import VerifyReport
from tests.support.exported_log import key_change, rehash
from tests.support.log_keys import LOG_KEY, NEXT_KEY, STRANGER_KEY, WITNESS_KEY
from tests.support.manifested_files import content_of, exported, manifest_of_file, verify_content
from tests.support.tampered_logs import CORPUS, HEAD, PLACES, Tampering
from tests.support.tampered_logs import LOG as ENTRIES

WITH_RECORDS: tuple[ExportFormat, ...] = ("parquet", "ocsf", "jsonl")
NOTE = str(Checkpoint.sign(HEAD, [LOG_KEY]))
# What only JSONL has room for, or has otherwise: an entry of another shape cannot be written in the others.
OF_JSONL = {
    "break a leaf hash", "write beside a record", "renumber with a string",
    "open words that are no object",
}  # fmt: skip


def kinds(report: VerifyReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def check(
    folder: Path, format: ExportFormat, entries: list[dict[str, Any]], head: Head = HEAD, **said: Any
) -> VerifyReport:
    """What is found of a file of these entries, its manifest made to fit it, under this head."""
    content = content_of(format, entries)
    trusted = said.pop("trusted", ())
    manifest = manifest_of_file(format, content, head, len(entries), **said)
    return verify_content(folder, content, manifest, *trusted)


@pytest.mark.parametrize("format", WITH_RECORDS)
def test_a_whole_file_is_that_of_its_head_and_its_key(tmp_path: Path, format: ExportFormat) -> None:
    content = content_of(format, ENTRIES)
    manifest = manifest_of_file(format, content, HEAD, 11, NOTE)
    report = verify_content(tmp_path, content, manifest, head=HEAD)
    assert (report.ok, report.entries, report.opened, report.complete, report.head) == (True, 11, 11, True, HEAD)
    if format != "jsonl":  # which has its checkpoint inside
        signed = verify_content(tmp_path, content, manifest, LOG_KEY)
        assert signed.ok, signed.lines
        assert signed.signers == (LOG_KEY.name,)
        assert kinds(verify_content(tmp_path, content, manifest, STRANGER_KEY)) == {"signature"}
        assert kinds(verify_content(tmp_path, content, manifest, LOG_KEY, WITNESS_KEY)) == {"signature"}


def test_a_root_can_be_computed_by_whoever_reads_parquet(tmp_path: Path) -> None:
    """With two libraries, and nothing of ours but the arithmetic."""
    path = tmp_path / "log.parquet"
    path.write_bytes(content_of("parquet", ENTRIES))
    bodies = pq.read_table(path).column("record").to_pylist()
    assert Head(len(bodies), merkle_root([leaf_hash(body) for body in bodies])) == HEAD
    columns = 'record, leaf_hash, "at", documents, typeof("at"), question'
    rows = duckdb.execute(f"select {columns} from '{path}' order by seq").fetchall()
    assert Head(len(rows), merkle_root([leaf_hash(row[0]) for row in rows])) == HEAD
    assert [row[1] for row in rows] == [leaf_hash(row[0]) for row in rows]
    record = json.loads(rows[3][0])
    assert rows[3][2].isoformat().startswith(record["at"][:26])
    assert (rows[3][3], rows[3][4]) == (record["documents"], "TIMESTAMP WITH TIME ZONE")
    assert rows[3][5] == "question 3"


def test_a_root_can_be_computed_from_events(tmp_path: Path) -> None:
    events = [json.loads(line) for line in content_of("ocsf", ENTRIES).splitlines()]
    assert Head(len(events), merkle_root([leaf_hash(event["raw_data"]) for event in events])) == HEAD
    assert [event["unmapped"]["leaf_hash"] for event in events] == [e["leaf_hash"] for e in ENTRIES]


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
@pytest.mark.parametrize("places", PLACES, ids=str)
@pytest.mark.parametrize(
    "tampering", [t for t in CORPUS if t.name not in OF_JSONL], ids=lambda tampering: tampering.name
)
def test_the_corpus_is_named_as_in_jsonl(
    tmp_path: Path, format: ExportFormat, tampering: Tampering, places: tuple[int, int]
) -> None:
    """Whoever changes the file makes the manifest fit: the records and the head give it away."""
    found = {(f.kind, f.seq) for f in check(tmp_path, format, tampering.do(ENTRIES, *places)).findings}
    assert found == tampering.expected(*places, len(ENTRIES))


def with_columns(**changed: Callable[[Any], Any]) -> bytes:
    """The file with other values in some columns of its fifth row, the record as it was."""
    table = pq.read_table(io.BytesIO(content_of("parquet", ENTRIES)))
    rows = table.to_pylist()
    rows[4] |= {name: change(rows[4][name]) for name, change in changed.items()}
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), written)
    return written.getvalue()


@pytest.mark.parametrize("column", ["kind", "user", "question", "outcome", "key", "target"])
def test_a_column_that_says_another_thing_than_the_record_is_found(tmp_path: Path, column: str) -> None:
    content = with_columns(**{column: lambda _: "FORGED"})
    report = verify_content(tmp_path, content, manifest_of_file("parquet", content, HEAD, 11))
    assert {(f.kind, f.seq) for f in report.findings} == {("edit", 4)}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("message",), "FORGED"),
        (("note",), "FORGED"),
        (("severity_id",), True),
        (("time",), 1),
        (("unmapped", "note"), "FORGED"),
    ],
)
def test_an_event_that_says_another_thing_than_its_record_is_found(
    tmp_path: Path, place: tuple[str, ...], value: object
) -> None:
    lines = content_of("ocsf", ENTRIES).splitlines(keepends=True)
    event = json.loads(lines[4])
    functools.reduce(operator.getitem, place[:-1], event)[place[-1]] = value
    lines[4] = json.dumps(event, separators=(",", ":")).encode() + b"\n"
    content = b"".join(lines)
    report = verify_content(tmp_path, content, manifest_of_file("ocsf", content, HEAD, 11))
    assert {(f.kind, f.seq) for f in report.findings} == {("edit", 4)}


@pytest.mark.parametrize("format", ["parquet", "ocsf", "jsonl", "csv", "cef"])
def test_another_file_than_the_manifest_is_of_is_found(tmp_path: Path, format: ExportFormat) -> None:
    content = content_of(format, ENTRIES)
    manifest = manifest_of_file(format, content, HEAD, 11)
    assert verify_content(tmp_path, content, manifest).ok
    assert "digest" in kinds(verify_content(tmp_path, content + b"\n", manifest))
    assert "digest" in kinds(verify_content(tmp_path, content[:-1], manifest))


@pytest.mark.parametrize("format", ["csv", "cef"])
def test_of_a_file_without_records_only_the_digest_is_compared_and_that_is_said(
    tmp_path: Path, format: ExportFormat
) -> None:
    content = content_of(format, ENTRIES)
    manifest = manifest_of_file(format, content, HEAD, 11, NOTE)
    report = verify_content(tmp_path, content, manifest)
    assert report.ok
    assert "nothing but its digest was compared" in report.lines[-1]
    assert kinds(verify_content(tmp_path, content, manifest, LOG_KEY)) == {"selection"}
    assert kinds(verify_content(tmp_path, content, manifest, head=HEAD)) == {"selection"}


@pytest.mark.parametrize("format", WITH_RECORDS)
def test_a_manifest_of_another_log_or_number_is_found(tmp_path: Path, format: ExportFormat) -> None:
    assert kinds(check(tmp_path, format, ENTRIES, Head(11, bytes(32)))) & {"rewrite", "digest"}
    content = content_of(format, ENTRIES)
    assert kinds(verify_content(tmp_path, content, manifest_of_file(format, content, HEAD, 10))) == {"addition"}
    assert kinds(verify_content(tmp_path, content, manifest_of_file(format, content, HEAD, 12))) == {"truncation"}


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_a_selection_is_said_to_be_one(tmp_path: Path, format: ExportFormat) -> None:
    some = [ENTRIES[2], ENTRIES[5]]
    report = check(tmp_path, format, some, filters={"q": "who:ada"})
    assert (report.ok, report.complete, report.entries) == (True, False, 2)
    assert kinds(check(tmp_path, format, some, filters={"q": "who:ada"}, trusted=[LOG_KEY])) == {"selection"}
    assert kinds(check(tmp_path, format, some)) == {"drop", "truncation"}, "passed off as the whole log"


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_a_new_key_of_the_log_is_followed(tmp_path: Path, format: ExportFormat) -> None:
    entries = [*ENTRIES, key_change(11, NEXT_KEY, LOG_KEY, LOG_KEY)]
    head = Head(12, merkle_root([leaf_hash(e["record"]) for e in entries]))
    note = str(Checkpoint.sign(head, [NEXT_KEY]))
    assert check(tmp_path, format, entries, head, note=note, trusted=[LOG_KEY]).ok


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_a_rewritten_log_whose_hashes_fit_needs_the_key(tmp_path: Path, format: ExportFormat) -> None:
    changed = [rehash({**e, "record": e["record"].replace("ck_ada", "ck_eve")}) for e in ENTRIES]
    head = Head(11, merkle_root([leaf_hash(e["record"]) for e in changed]))
    assert check(tmp_path, format, changed, head).ok, "no head was kept, and there is no signature"
    assert kinds(check(tmp_path, format, changed, head, note=NOTE, trusted=[LOG_KEY])) == {"rewrite"}
    assert kinds(check(tmp_path, format, changed, head, trusted=[LOG_KEY])) == {"signature"}


@pytest.mark.parametrize("body", ["no record", '{"kind":"x"}', "x\u2028y\n"])
@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_a_text_that_is_no_record_is_a_remark(tmp_path: Path, format: ExportFormat, body: str) -> None:
    foreign = {"seq": 11, "leaf_hash": encode(leaf_hash(body)), "record": body}
    entries = [*ENTRIES, foreign]
    head = Head(12, merkle_root([leaf_hash(e["record"]) for e in entries]))
    report = check(tmp_path, format, entries, head)
    assert report.ok, report.lines
    assert kinds(report) == {"canonical"}


JUNK = [
    b"",
    b"PAR1",
    b"junk\n",
    b"PAR1" + bytes(100) + b"PAR1",
    b"\xff\n",
    b"[]\n",
    b'{"metadata":{}}\n',
    b"[" * 10_000,
]


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
@pytest.mark.parametrize("content", JUNK)
def test_a_file_of_something_else_is_named(tmp_path: Path, format: ExportFormat, content: bytes) -> None:
    report = verify_content(tmp_path, content, manifest_of_file(format, content, HEAD, 11))
    assert kinds(report) >= ({"truncation"} if not content and format == "ocsf" else {"format", "truncation"})


def test_a_table_of_other_columns_is_named(tmp_path: Path) -> None:
    written = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(content_of("parquet", ENTRIES))).drop(["at"]), written)
    content = written.getvalue()
    report = verify_content(tmp_path, content, manifest_of_file("parquet", content, HEAD, 11))
    assert kinds(report) == {"format", "truncation"}


def test_a_part_of_a_damaged_table_is_no_whole_file(tmp_path: Path) -> None:
    content = bytearray(content_of("parquet", ENTRIES))
    content[200:260] = bytes(60)
    report = verify_content(tmp_path, bytes(content), manifest_of_file("parquet", bytes(content), HEAD, 11))
    assert not report.ok


def test_it_is_written_in_row_groups_that_go_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the writer nor a reader has more than one of them in memory."""
    monkeypatch.setattr(parquet, "GROUP_ROWS", 5)
    pieces = list(
        parquet.parquet_file(parquet.parquet_part(map(exported, ENTRIES[n : n + 2])) for n in range(0, 11, 2))
    )
    assert len(pieces) == 3
    file = pq.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [6, 5]
    monkeypatch.setattr(parquet, "GROUP_ROWS", 1_000)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 1)
    by_size = b"".join(parquet.parquet_file(parquet.parquet_part([exported(e)]) for e in ENTRIES))
    assert pq.ParquetFile(io.BytesIO(by_size)).num_row_groups == 11


def test_an_empty_log_is_a_file_of_no_rows(tmp_path: Path) -> None:
    for format in ("parquet", "ocsf", "jsonl"):
        report = check(tmp_path, format, [], Head(0, merkle_root([])))
        assert (report.ok, report.entries) == (True, 0), (format, report.lines)


def test_a_manifest_comes_back_as_it_was_and_no_other_text_is_one() -> None:
    manifest = manifest_of_file("parquet", b"x", HEAD, 11, NOTE)
    text = str(manifest)
    assert LogManifest.parse(text) == manifest
    for change in (
        ('"version": 1,\n  "export"', '"version": 2,\n  "export"'),
        ('"export":', '"note": "FORGED", "export":'),
        ('"records": 11', '"records": "11"'),
        ('"bytes": 1', '"bytes": 1, "note": "FORGED"'),
        ('"records": 11', '"records": 11, "records": 12'),
        (manifest.sha256, manifest.sha256.upper()),
        ('"head": {', '"head": {"note": "FORGED",'),
        ("{", "["),
    ):
        assert change[0] in text
        with pytest.raises(ValueError, match=r".+"):
            LogManifest.parse(text.replace(*change))


def test_a_header_that_contradicts_itself_is_found(tmp_path: Path) -> None:
    content = content_of("csv", ENTRIES)
    manifest = manifest_of_file("csv", content, HEAD, 11)
    forged = str(manifest).replace('"complete": true', '"complete": false')
    assert kinds(verify_content(tmp_path, content, LogManifest.parse(forged))) == {"format"}
