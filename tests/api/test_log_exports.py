"""Exports that are made in the background: the same file as one sent at once, whatever breaks off."""

import contextlib
import threading
import uuid
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from app.admin.audit_log import AuditLog
from app.admin.background import BackgroundWork
from app.admin.log_exports import MAX_EXPORTS, LogExports, _add
from app.audit.export import ExportPiece
from app.errors import MissingCapability
from app.evidence.verify import verify
from ingest.upkeep import REMOVE_EXPORTS
from tests.api.log_exporting import EXPORTS, download, ended, ending_after, make_busy, start, state
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.openings import opening
from tests.support.service import app_of, parts_of, subject_named


@pytest.fixture
def busy(client: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    return make_busy(client, company, monkeypatch)


def file_of(client: TestClient, company: Company, export: str, path: Path) -> Path:
    answer = download(client, company, export)
    assert answer.status_code == 200, answer.text
    path.write_bytes(answer.content)
    return path


@pytest.mark.parametrize("format", ["jsonl", "csv"])
@pytest.mark.parametrize("opened", [True, False])
def test_it_is_the_file_that_would_have_been_sent(client: TestClient, busy: Company, format: str, opened: bool) -> None:
    by = opening(client, busy, q="kind:search") if opened else None
    export = start(client, busy, format=format, q="kind:search", opening=by).json()["id"]
    found = ended(client, busy, export)
    assert (found["state"], found["records"], found["done"]) == ("ready", 12, found["size"])
    got = download(client, busy, export)
    sent = client.get(
        "/api/v1/audit/export",
        params={"format": format, "q": "kind:search"} | ({"opening": by} if by else {}),
        headers=busy.headers("audrey"),
    )
    assert got.text == sent.text
    assert ("coffee 3" in got.text) == opened
    assert got.headers["content-disposition"].endswith(f".{format}")
    assert found["bytes"] == len(got.content) == int(got.headers["content-length"])


def test_the_whole_log_verifies(client: TestClient, busy: Company, tmp_path: Path) -> None:
    export = start(client, busy).json()["id"]
    size = ended(client, busy, export)["size"]
    report = verify(file_of(client, busy, export, tmp_path / "log.jsonl"))
    assert (report.ok, report.entries, report.complete) == (True, size, True)


def test_asking_and_downloading_are_recorded(client: TestClient, busy: Company) -> None:
    by = opening(client, busy, q="who:ben")
    export = start(client, busy, format="csv", q="who:ben", opening=by).json()["id"]
    ended(client, busy, export)
    [ben] = busy.rows("select id::text from app_user where name = 'ben'")
    made = busy.records("audit.exported")[-1]
    assert (made["export"], made["filters"], made["opened"]) == (export, {"q": f"who:{ben['id']}"}, True)
    assert made["opening"] == by
    assert busy.records("audit.downloaded") == []
    assert download(client, busy, export).status_code == 200
    taken = busy.records("audit.downloaded")[-1]
    assert (taken["export"], taken["opened"], taken["actor"]["name"]) == (export, True, "audrey")


def test_nobody_else_sees_it(client: TestClient, busy: Company) -> None:
    """Neither an administrator nor another auditor, and who is none any more has nothing."""
    export = start(client, busy).json()["id"]
    ended(client, busy, export)
    for path in ("", f"/{export}", f"/{export}/file"):
        check_problem(client.get(EXPORTS + path, headers=busy.headers("ada")), 403, "MissingCapability")
    busy.execute("update app_user set capabilities = '{ask}' where name = 'audrey'")
    check_problem(download(client, busy, export), 403, "MissingCapability")
    busy.execute("update app_user set capabilities = '{audit,export}' where name = 'audrey'")
    busy.execute("update log_export set requested_by = (select id from app_user where name = 'ada')")
    assert client.get(EXPORTS, headers=busy.headers("audrey")).json() == []
    for path in ("", "/file"):
        check_problem(client.get(f"{EXPORTS}/{export}{path}", headers=busy.headers("audrey")), 404, "NotFound")
    check_problem(client.delete(f"{EXPORTS}/{export}", headers=busy.headers("audrey")), 404, "NotFound")


def readable(content: bytes) -> bool:
    """Whether some place of these bytes begins what decompresses to the words that were searched for."""
    for begin in range(32):
        with contextlib.suppress(zlib.error):
            if b"coffee" in zlib.decompressobj().decompress(content[begin:]):
                return True
    return b"coffee" in content


def test_no_words_lie_about_in_the_database(client: TestClient, busy: Company) -> None:
    assert readable(b"nonce" + zlib.compress(b"coffee")), "else nothing is tried"
    export = start(client, busy).json()["id"]
    ended(client, busy, export)
    parts = busy.rows("select content from log_export_part where export_id = %s", [export])
    assert len(parts) > 3
    assert not any(readable(bytes(part["content"])) for part in parts)


@pytest.mark.parametrize("left", ["ask", "audit"])
def test_an_export_that_is_sent_breaks_off_when_its_auditor_may_no_more(busy: Company, left: str) -> None:
    """The database shows them nothing from then on, or they may not take it away; that is not to pass for its end."""
    parts = parts_of(busy.db)
    audit_log = AuditLog(parts.database, parts.sealer, subject_named(parts, "audrey"))
    pieces = audit_log.export(audit_log.query(""), "jsonl")
    assert next(pieces)
    busy.execute(f"update app_user set capabilities = '{{{left}}}' where name = 'audrey'")
    with pytest.raises(MissingCapability):
        list(pieces)
    parts.database.close()


def test_one_at_a_time_and_not_too_many(client: TestClient, busy: Company) -> None:
    held = BackgroundWork(lambda _: threading.Thread())
    app_of(client).state.log_exports = LogExports(held)
    first = start(client, busy).json()["id"]
    check_problem(start(client, busy), 409, "Conflict")
    check_problem(download(client, busy, first), 409, "Conflict")
    busy.execute("update log_export set state = 'ready', sha256 = ''")
    busy.execute(
        "insert into log_export (requested_by, format, q, resolved, opening, size, state) select requested_by, format,"
        f" q, resolved, opening, size, 'failed' from log_export, generate_series(2, {MAX_EXPORTS})"
    )
    answer = start(client, busy)
    check_problem(answer, 409, "Conflict")
    assert "remove one first" in answer.json()["detail"]
    assert client.delete(f"{EXPORTS}/{first}", headers=busy.headers("audrey")).status_code == 204
    assert start(client, busy).status_code == 201


def test_what_is_interrupted_goes_on_where_it_was(client: TestClient, busy: Company, tmp_path: Path) -> None:
    """The process ended in the middle: after a minute it says so, and what is taken up again is one whole file."""
    stopped = BackgroundWork()
    app_of(client).state.log_exports = LogExports(ending_after(stopped, busy, parts=2))
    export = start(client, busy).json()["id"]
    stopped.close()
    found = state(client, busy, export)
    assert found["state"] == "running"
    resume = f"{EXPORTS}/{export}/resume"
    check_problem(client.post(resume, headers=busy.headers("audrey")), 409, "Conflict")
    busy.execute("update log_export set beat_at = now() - interval '2 minutes'")
    assert state(client, busy, export)["state"] == "interrupted"
    app_of(client).state.log_exports = LogExports(BackgroundWork(lambda _: threading.Thread()))
    other = start(client, busy).json()["id"]
    check_problem(client.post(resume, headers=busy.headers("audrey")), 409, "Conflict")
    assert client.delete(f"{EXPORTS}/{other}", headers=busy.headers("audrey")).status_code == 204
    assert 0 < found["done"] < found["size"]
    app_of(client).state.log_exports = LogExports(app_of(client).state.background)
    assert client.post(resume, headers=busy.headers("audrey")).status_code == 204
    found = ended(client, busy, export)
    report = verify(file_of(client, busy, export, tmp_path / "log.jsonl"))
    assert (report.ok, report.complete, report.entries) == (True, True, found["size"])


def test_two_that_make_one_export_write_each_part_once(client: TestClient, busy: Company) -> None:
    """Whoever was taken for gone and is not finds the export further than it was left, and ends."""
    app_of(client).state.log_exports = LogExports(BackgroundWork(lambda _: threading.Thread()))
    export = start(client, busy).json()["id"]
    parts = parts_of(busy.db)
    audit_log = AuditLog(parts.database, parts.sealer, subject_named(parts, "audrey"))
    piece = ExportPiece(b"lines\n", 1, 3)
    assert [_add(audit_log, uuid.UUID(export), (0, -1), piece) for _ in range(2)] == [True, False]
    found = state(client, busy, export)
    assert (found["records"], found["bytes"], found["done"]) == (1, 6, 4)
    parts.database.close()


def test_who_reads_the_log_may_not_take_it_away(client: TestClient, busy: Company) -> None:
    """`export` is apart from `audit`: without it nothing is made, gone on with or downloaded."""
    export = start(client, busy).json()["id"]
    ended(client, busy, export)
    busy.execute("update app_user set capabilities = '{audit,open}' where name = 'audrey'")
    headers = busy.headers("audrey")
    assert client.get("/api/v1/audit/events", headers=headers).status_code == 200
    asked = (
        client.get("/api/v1/audit/export", headers=headers), start(client, busy), download(client, busy, export),
        client.post(f"{EXPORTS}/{export}/resume", headers=headers),
    )  # fmt: skip
    for answer in asked:
        check_problem(answer, 403, "MissingCapability")


@pytest.mark.parametrize("left", ["ask", "audit"])
def test_who_is_no_auditor_any_more_gets_no_part_of_it(client: TestClient, busy: Company, left: str) -> None:
    """The database shows them nothing, and that is not to pass for the end of the log."""
    work = BackgroundWork()

    class Revoking(threading.Event):
        def is_set(self) -> bool:
            busy.execute(f"update app_user set capabilities = '{{{left}}}' where name = 'audrey' and exists ("
                         "select from log_export where parts > 1)")  # fmt: skip
            return False

    work.stopping = Revoking()
    app_of(client).state.log_exports = LogExports(work)
    export = start(client, busy).json()["id"]
    for thread in work._threads:
        thread.join(20)
    [row] = busy.rows("select state, reached < size as part from log_export where id = %s", [export])
    # Who is an auditor still is told how it ended; who is none is told nothing.
    assert (row["state"], row["part"]) == ("running" if left == "ask" else "failed", True)


def test_one_that_is_removed_ends(client: TestClient, busy: Company) -> None:
    work = BackgroundWork()

    class Removing(threading.Event):
        def is_set(self) -> bool:
            busy.execute("delete from log_export where parts > 0")
            return False

    work.stopping = Removing()
    app_of(client).state.log_exports = LogExports(work)
    export = start(client, busy).json()["id"]
    for thread in work._threads:
        thread.join(20)
    check_problem(client.get(f"{EXPORTS}/{export}", headers=busy.headers("audrey")), 404, "NotFound")
    assert busy.rows("select 1 from log_export_part") == []


def test_after_a_day_it_is_gone(client: TestClient, busy: Company) -> None:
    """Not shown from then on; and the worker removes it."""
    export = start(client, busy).json()["id"]
    ended(client, busy, export)
    busy.execute("update log_export set beat_at = now() - interval '25 hours'")
    check_problem(client.get(f"{EXPORTS}/{export}", headers=busy.headers("audrey")), 404, "NotFound")
    engine = create_engine(busy.db.url("ingest"))
    with engine.begin() as connection:
        assert connection.exec_driver_sql(REMOVE_EXPORTS).scalar() == 1
    engine.dispose()
    assert busy.rows("select 1 from log_export") == []


def test_what_is_wrong_with_a_query_is_said(client: TestClient, busy: Company) -> None:
    answer = start(client, busy, q="kind:searched")
    check_problem(answer, 422, "InvalidInput")
    assert "there is no kind 'searched'" in answer.json()["detail"]
    assert busy.rows("select 1 from log_export") == []
