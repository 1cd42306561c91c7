"""The commands against the real service, as a person types them: results, refusals and exit statuses."""

import csv
import datetime
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.evidence.checkpoint import Checkpoint
from app.evidence.signed_note import SigningKey
from app.evidence.timestamp import read_roots, stamped_at
from tests.e2e.command_runs import Run
from tests.e2e.sample_site import SampleSite
from tests.support.log_keys import LOG_KEY
from tests.support.time_stamping import TimestampAuthority
from tests.support.waiting import wait_for

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def test_a_conversation_is_kept_read_back_and_deleted(run: Run) -> None:
    question = "What is the budget for the Rotterdam project?"
    first = run("ask", question, "--mode", "quote", "--conversation", "new", who="jonas")
    assert first.status == 0, first.err
    conversation = UUID.findall(first.err.split("conversation ")[1])[0]
    onward = ["--mode", "quote", "--conversation", conversation, "--no-stream"]
    again = run("ask", "Who approves it?", *onward, who="jonas")
    assert f"conversation {conversation}" in again.err
    assert conversation in run("conversations", "list", who="jonas").out
    shown = run("conversations", "show", conversation, who="jonas")
    assert f"› {question}" in shown.out
    assert "EUR 18.74 million" in shown.out
    assert "› Who approves it?" in shown.out
    for who in ("ada", "maya"):
        assert run("conversations", "show", conversation, who=who).status == 1
        assert conversation not in run("conversations", "list", who=who).out
    assert run("conversations", "rename", conversation, "Rotterdam", who="jonas").status == 0
    assert "Rotterdam" in run("conversations", "list", who="jonas").out
    assert run("conversations", "delete", conversation, who="jonas").status == 0
    assert run("conversations", "show", conversation, who="jonas").status == 1


def test_ask_shows_the_answer_with_its_sources(run: Run) -> None:
    for stream in ("--stream", "--no-stream"):
        budget = run("ask", "What is the budget for the Rotterdam project?", "--mode", "quote", stream, who="jonas")
        assert budget.status == 0
        assert "EUR 18.74 million" in budget.out
        assert "[1] finance/budgets/rotterdam-project.md  confidential" in budget.out
        assert "quoted word for word" in budget.err
    elsewhere = run("ask", "What is the budget for the Rotterdam project?", "--collection", "nowhere", who="jonas")
    assert elsewhere.status == 1
    nothing = run("ask", "How do I repot an orchid?", who="ada")
    assert nothing.out.strip() == "Nothing you may read answers this."
    assert "nobody is named 'nemo'" in run("ask", "hello", who="nemo").err
    # No model is there: quotes, and marked as such.
    answer = run("ask", "How many holidays do I get each year?", "--mode", "generate", who="theo")
    assert answer.status == 0
    assert "27 days" in answer.out
    assert "The model did not answer (ModelUnavailable); these are quotes instead." in answer.err


def test_search_and_documents(run: Run, tmp_path: Path) -> None:
    assert "operations/marine/nacelle-lift-plan.docx" in run("search", "nacelle crane load", who="freya").out
    listed = run("documents", "list", "--collection", "handbook", who="luca").out
    assert "handbook/visitors.md" in listed
    assert "handbook/leave.md" not in listed
    assert all(line.count("\t") == 3 for line in listed.splitlines())
    document = UUID.findall(next(line for line in listed.splitlines() if "visitors.md" in line))[0]
    assert "Contractors wear orange" in " ".join(run("documents", "show", document, who="luca").out.split())
    target = tmp_path / "page.md"
    refused = run("documents", "download", document, "--to", str(target), who="luca")
    assert refused.status == 1
    assert "needs the capability 'download'" in refused.err
    assert not target.exists()
    assert run("documents", "download", document, "--to", str(target), who="maya").status == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert "Contractors wear orange" in target.read_text()
    assert "--force replaces it" in run("documents", "download", document, "--to", str(target), who="maya").err


def test_people_roles_and_keys(run: Run, sample: SampleSite, tmp_path: Path) -> None:
    assert run("people", "add", "nora", "--roles", "hr", "--clearance", "confidential", who="ada").status == 0
    assert "nora" in run("people", "list", who="ada").out
    made = run("keys", "make", "nora", "--label", "test", "--days", "1", who="ada")
    key = made.out.strip()
    assert re.fullmatch(r"clr_\w{8}_[\w-]{43}", key)
    assert key not in made.err
    file = tmp_path / "key"
    file.write_text(key + "\n")
    question = ["ask", "In which room are grievance files stored?", "--key-file", str(file), "--url", sample.base_url]
    assert "room 1.09" in run(*question).out
    assert run("roles", "leave", "nora", "hr", who="ada").status == 0
    assert "room 1.09" not in run(*question).out
    assert run("people", "off", "nora", who="ada").status == 0
    assert "Not signed in" in run(*question).err
    assert run("people", "set", "nora", "--on", who="ada").status == 0
    assert "Not signed in" in run(*question).err, "what was ended stays ended"
    made = run("keys", "make", "nora", "--days", "1", who="ada")
    file.write_text(made.out)
    assert run(*question).status == 0
    assert run("keys", "revoke", UUID.findall(made.err)[0], who="ada").status == 0
    assert "Not signed in" in run(*question).err
    assert run("roles", "add", "night-shift", "--inside", "operations", who="ada").status == 0
    assert run("roles", "nest", "night-shift", "operations", "--undo", who="ada").status == 0
    assert run("roles", "remove", "night-shift", who="ada").status == 0
    assert "A capability is missing" in run("people", "list", who="maya").err


def test_grants_are_added_and_taken_away(run: Run, sample: SampleSite) -> None:
    with sample.client("freya") as freya:
        listed = freya.get("/documents", collection="operations")
    document = next(d["id"] for d in listed if d["path"] == "control-room/shift-handover.md")
    assert run("explain", document, "--user", "maya", who="wren").out.startswith("maya may not read it")
    granted = run("grants", "add", document, "--user", "maya", "--until", "2031-01-01", who="wren")
    assert granted.status == 0, granted.err
    shown = run("grants", "show", document, who="wren").out
    assert "user maya" in shown
    assert "2031-01-01 00:00:00" in shown
    assert "role operations" in shown
    assert run("explain", document, "--user", "maya", who="wren").out.startswith("maya may read it")
    assert run("grants", "remove", document, "--user", "maya", who="wren").status == 0
    assert run("explain", document, "--user", "maya", who="wren").out.startswith("maya may not read it")
    assert "has no grant" in run("grants", "remove", document, "--user", "maya", who="wren").err


def test_ingest_refuses_before_anything_is_sent(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("# Zebra\n\nThe zebra lives in room 7.\n")
    (folder / "b.txt").write_text("nobody tagged me")
    to_handbook = ["ingest", str(folder), "--collection", "handbook"]
    before = run("jobs", "list", who="wren").out
    assert "nothing says who may read the files" in run(*to_handbook, who="wren").err
    (folder / "access.yaml").write_text('rules:\n  - path: "*.md"\n    roles: [operations]\n')
    refused = run(*to_handbook, who="wren")
    assert refused.status == 1
    assert "nothing was uploaded:\n    b.txt" in refused.err
    (folder / "access.yaml").write_text('rules:\n  - path: "**"\n    roles: [nosuch]\n')
    assert "no role is named 'nosuch', so nothing was uploaded" in run(*to_handbook, who="wren").err
    assert run("jobs", "list", who="wren").out == before


def test_ingest_reports_each_file(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    (folder / "zebra.md").write_text("# Zebra\n\nThe zebra lives in room 7.\n")
    (folder / "deep" / "odd.bin").write_bytes(b"\x00\x01\x02")
    (folder / "access.yaml").write_text('rules:\n  - path: "**"\n    roles: [operations]\n    label: internal\n')
    to_handbook = ["ingest", str(folder), "--collection", "handbook"]
    first = run(*to_handbook, who="wren")
    assert first.status == 1
    lines = [" ".join(line.split()) for line in first.out.splitlines()]
    assert "indexed 1" in lines
    assert "failed 1" in lines
    assert any(line.startswith("deep/odd.bin This kind of file is not supported") for line in lines)
    assert "embed" in first.out
    (folder / "deep" / "odd.bin").unlink()
    second = run(*to_handbook, who="wren")
    assert second.status == 0, second.out + second.err
    assert "unchanged 1" in [" ".join(line.split()) for line in second.out.splitlines()]
    question = ["ask", "Where does the zebra live?", "--mode", "quote"]
    assert "room 7" in run(*question, who="freya").out
    assert "room 7" not in run(*question, who="maya").out
    listed = run("documents", "list", "--collection", "handbook", who="freya").out
    document = UUID.findall(next(line for line in listed.splitlines() if "zebra" in line))[0]
    assert run("documents", "delete", document, "--yes", who="wren").status == 0
    assert "room 7" not in run(*question, who="freya").out


def test_a_collection_is_made_by_who_may_and_filled_by_another(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Note\n\nAll is well.\n")
    into = ["ingest", str(tmp_path), "--collection", "archive", "--roles", "operations"]
    assert "an administrator makes it" in run(*into, who="wren").err
    made = run(*into, who="ada")
    assert made.status == 1
    assert "clearance collections curate archive PERSON" in made.err
    assert "You cannot make yourself a curator" in run("collections", "curate", "archive", "ada", who="ada").err
    assert run("collections", "curate", "archive", "wren", who="ada").status == 0
    assert run(*into, who="wren").status == 0
    assert "archive" in run("collections", "list", who="freya").out
    assert run("collections", "curate", "archive", "wren", "--undo", who="ada").status == 0


def test_the_audit_log_is_read_exported_and_verified(run: Run, tmp_path: Path) -> None:
    events = ("audit", "events", "--user", "maya", "--kind", "answer.opened", "--limit", "1", "--json")
    at = datetime.datetime.now(datetime.UTC).isoformat()
    run("ask", "When does the next town hall take place?", "--mode", "quote", who="maya")
    [event] = wait_for(lambda: json.loads(run(*events, "--since", at, who="oskar").out))
    assert event["opened"] == {}
    record, reason = event["record"]["id"], "Complaint 17: what was she told?"
    assert "A capability is missing" in run("audit", "open", record, "--reason", reason, who="ada").err
    assert "in 10 to 1,000 printable" in run("audit", "open", record, "--reason", " why not? ", who="oskar").err
    assert "name a record by its id" in run("audit", "open", "--reason", reason, who="oskar").err
    opened = " ".join(run("audit", "open", record, "--reason", reason, who="oskar").out.split())
    assert "When does the next town hall take place?" in opened
    assert reason in " ".join(run("audit", "openings", who="oskar").out.split())
    head = run("audit", "head", who="oskar").out.strip()
    file, table = tmp_path / "log.jsonl", tmp_path / "log.csv"
    assert run("audit", "export", "--to", str(file), who="oskar").status == 0
    assert file.stat().st_mode & 0o777 == 0o600
    good = run("audit", "verify", str(file), "--head", head)
    assert good.status == 0, good.out
    assert ": OK" in good.out
    assert run("audit", "export", "--format", "csv", "--to", str(table), who="oskar").status == 0
    with table.open(newline="") as rows:
        assert next(csv.reader(rows))[0] == "seq"
    lines = file.read_text().splitlines(keepends=True)
    entry = json.loads(lines[-2])
    entry["record"] = entry["record"].replace("clr_", "clq_", 1)
    file.write_text("".join([*lines[:-2], json.dumps(entry, separators=(",", ":")) + "\n", lines[-1]]))
    bad = run("audit", "verify", str(file), "--head", head)
    assert bad.status == 1
    assert "FINDINGS" in bad.out
    assert "is no head" in run("audit", "verify", str(file), "--head", "nonsense").err
    assert "A capability is missing" in run("audit", "events", who="ada").err


@pytest.mark.parametrize("format", ["csv", "parquet", "ocsf", "cef"])
def test_an_export_is_verified_with_its_manifest(run: Run, tmp_path: Path, format: str) -> None:
    file = tmp_path / "log"
    manifest = Path(f"{file}.manifest.json")
    export = ("audit", "export", "--format", format, "--to", str(file))
    said = run(*export, "--json", who="oskar")
    assert json.loads(said.out) == {"file": str(file), "bytes": file.stat().st_size, "manifest": str(manifest)}
    assert (file.stat().st_mode | manifest.stat().st_mode) & 0o777 == 0o600
    assert "is there; --force replaces it" in " ".join(run(*export, who="oskar").err.split())
    verify = ("audit", "verify", str(file), "--manifest", str(manifest))
    good = run(*verify)
    assert (good.status, ": OK" in good.out) == (0, True), good.out
    signed = run(*verify, "--key", str(LOG_KEY.verifier))
    assert signed.status == (0 if format in {"parquet", "ocsf"} else 1), signed.out
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert run(*verify).status == 1
    assert "is no manifest" in " ".join(run(*verify[:-1], str(file)).err.split())
    with_answer = run(*verify, "--answer", str(file))
    assert "--answer is for receipts" in " ".join(with_answer.err.split())


def test_a_selection_is_exported_by_the_options(run: Run, tmp_path: Path) -> None:
    """And made anew at each time, so that nothing of it stays with the service."""
    file = tmp_path / "log.csv"
    export = ("audit", "export", "--format", "csv", "--to", str(file), "--force")
    for _ in range(12):
        made = run(*export, "--user", "maya", "--kind", "answer.opened", "--since", "2026-01-01", who="oskar")
        assert made.status == 0, made.err
    with file.open(newline="") as rows:
        kinds = {row["kind"] for row in csv.DictReader(rows)}
    assert kinds <= {"answer.opened"}
    opened = run(
        "audit", "open", "--query", "who:maya kind:answer.opened", "--reason", "A complaint.", "--json", who="oskar"
    )
    by = ("--opening", json.loads(opened.out)["id"])
    assert run(*export, "--user", "maya", "--kind", "answer.opened", *by, who="oskar").status == 0
    with file.open(newline="") as rows:
        assert all(row["question"] for row in csv.DictReader(rows))
    assert "something else" in run(*export, *by, who="oskar").err
    assert "A capability is missing" in run(*export, who="ada").err


def test_the_demo_keeps_its_promises_and_says_which_is_broken(run: Run) -> None:
    """Then Freya joins the finance leads: the demo must say that she sees what she should not."""
    shown = run("demo")
    assert shown.status == 0, shown.out + shown.err
    text = " ".join(shown.out.split())
    for promised in (
        "around EUR 20 million",
        "EUR 18.74 million",
        "[redacted:",
        "The export: verified",
        "altered",
        "2 sentences left out",
        "1 sentence marked",
        "payable in five instalments",
    ):
        assert promised in text
    assert "The model did not answer (ModelUnavailable); these were quotes." in text

    assert run("people", "set", "freya", "--clearance", "confidential", who="ada").status == 0
    assert run("roles", "join", "freya", "finance-leads", who="ada").status == 0
    try:
        shown = run("demo")
        assert shown.status == 1
        assert "freya sees what finance/budgets/rotterdam-project.md says" in " ".join(shown.out.split())
    finally:
        run("roles", "leave", "freya", "finance-leads", who="ada")
        run("people", "set", "freya", "--clearance", "internal", who="ada")


def test_the_doctor_finds_all_well_but_the_model(run: Run, sample: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sample.environ.items():
        if name.startswith("CLEARANCE_"):
            monkeypatch.setenv(name, value)
    parts = by_part(run("doctor").out)
    assert " fail " in parts["model"]
    wanted = ("file modes", "settings", "api", "database as app", "database as ingest", "database as sequencer",
              "migrations", "row-level security", "embedder", "worker", "audit", "clock")  # fmt: skip
    assert {name for name in wanted if " ok " not in parts[name]} == set()
    (sample.home / "people.json").chmod(0o640)
    monkeypatch.setenv("CLEARANCE_DATABASE__SEQUENCER_URL", sample.db.url("app"))
    monkeypatch.setenv("CLEARANCE_IDENTITY__KEY", "00" * 32)
    worse = run("doctor")
    (sample.home / "people.json").chmod(0o600)
    assert worse.status == 1
    parts = by_part(worse.out)
    for name in ("file modes", "database as sequencer", "row-level security"):
        assert " fail " in parts[name], worse.out


def by_part(shown: str) -> dict[str, str]:
    return {line.split("\t")[0]: line.replace("\t", " ") for line in shown.splitlines()}


def test_who_was_shown_what_is_asked_both_ways(run: Run, sample: SampleSite) -> None:
    with sample.client("maya") as maya:
        found = maya.post("/search", {"query": "town hall"})["hits"][0]["document"]
    asked = ("audit", "shown", "--document", found)
    wait_for(lambda: "maya" in run(*asked, who="oskar").out)
    assert found in run("audit", "shown", "--user", "maya", "--json", who="oskar").out
    assert "Nobody was, as far as the log goes." in run(*asked, "--until", "2026-01-01", who="oskar").err
    assert "of which document" in run("audit", "shown", who="oskar").err
    assert "A capability is missing" in run(*asked, who="ada").err


def test_one_answer_is_proved_to_a_stranger(run: Run, sample: SampleSite, tmp_path: Path) -> None:
    """With the public key, the text of the answer and one file; and nothing of the service."""
    with sample.client("maya") as maya:
        answer = maya.post("/ask", {"question": "How many holidays do I have?", "mode": "quote"})
    text, file, kept = tmp_path / "answer.txt", tmp_path / "receipt.json", tmp_path / "checkpoint"
    text.write_text(answer["answer"])
    receipt = ("audit", "receipt", answer["trail"], "--to", str(file))
    wait_for(lambda: run(*receipt, who="oskar").status == 0)
    key = ("--key", str(LOG_KEY.verifier))
    good = run("audit", "verify", str(file), *key, "--answer", str(text))
    assert good.status == 0, good.out
    assert "receipt: OK" in good.out
    text.write_text("Another answer.")
    assert run("audit", "verify", str(file), *key, "--answer", str(text)).status == 1
    assert "give --key" in " ".join(run("audit", "verify", str(file)).err.split())
    assert "is no key" in run("audit", "verify", str(file), "--key", "nonsense").err
    shown = run("audit", "checkpoint", "--json", who="oskar")
    kept.write_text(json.loads(shown.out)["note"])
    export = tmp_path / "log.jsonl"
    assert run("audit", "export", "--to", str(export), who="oskar").status == 0
    signed = run("audit", "verify", str(export), *key, "--head", str(kept))
    assert signed.status == 0, signed.out
    assert "entries are signed by log.example/audit" in " ".join(signed.out.split())


def test_a_signed_head_is_kept_with_its_time_stamp(run: Run, sample: SampleSite, tmp_path: Path) -> None:
    authority = TimestampAuthority.make(tmp_path / "tsa")
    token, export = tmp_path / "kept.tst", tmp_path / "log.jsonl"
    keep = ("audit", "checkpoint", "--timestamp", str(token))
    assert "no authority stamped one of the last 100" in " ".join(run(*keep, who="oskar").err.split())
    newest = json.loads(run("audit", "checkpoint", "--json", who="oskar").out)
    signed = Checkpoint.parse(newest["note"]).note.text
    engine = create_engine(sample.db.url("sequencer"))
    with engine.begin() as connection:
        given = {"size": newest["size"], "token": authority.stamp(signed)}
        connection.execute(text("select clearance.keep_timestamp(:size, 'https://tsa.example', :token)"), given)
    engine.dispose()
    kept = run(*keep, who="oskar")
    assert Checkpoint.parse(kept.out).note.text == signed
    assert stamped_at(token.read_bytes(), signed, read_roots(authority.roots.read_bytes()))
    assert "File exists" in run(*keep, who="oskar").err
    assert run("audit", "export", "--to", str(export), who="oskar").status == 0
    verify = ("audit", "verify", str(export), "--tsa")
    good, other = run(*verify, str(authority.roots)), TimestampAuthority.make(tmp_path / "other")
    assert good.status == 0, good.out
    assert f"time-stamped: the first {newest['size']} entries" in " ".join(good.out.split())
    bad = run(*verify, str(other.roots))
    assert bad.status == 1
    assert "timestamp: none of its time stamps is by an authority that you trust" in " ".join(bad.out.split())
    assert "holds no certificate" in " ".join(run(*verify, str(export)).err.split())


def test_keys_are_made_for_logs_and_witnesses(run: Run) -> None:
    for options, use in (((), "log"), (("--witness",), "witness")):
        pair = json.loads(run("audit", "keygen", "audit.example.com/log", *options, "--json").out)
        key = SigningKey.parse(pair["signing_key"])
        assert (str(key.verifier), key.use) == (pair["verifier_key"], use)
    assert "has no spaces" in run("audit", "keygen", "two words").err


# `1` is the first document of the last search.
WITH_JSON = [
    ("maya", "search", "holidays"), ("ada", "people", "list"), ("maya", "people", "me"), ("ada", "roles", "list"),
    ("ada", "keys", "list"), ("maya", "collections", "list"), ("maya", "documents", "list"),
    ("maya", "documents", "show", "1"), ("wren", "jobs", "list"), ("maya", "conversations", "list"),
    ("maya", "delegations", "list"), ("ada", "grants", "plans"), ("ada", "grants", "show", "handbook"),
    ("ada", "grants", "folders", "handbook"), ("ada", "what-can-see", "--user", "maya"), ("maya", "explain", "1"),
    ("oskar", "audit", "head"), ("oskar", "audit", "checkpoint"), ("oskar", "audit", "events"),
    ("oskar", "audit", "shown", "--user", "maya"),
    ("maya", "ask", "How many holidays?"),
]  # fmt: skip


def test_each_command_prints_one_json_value(run: Run) -> None:
    for who, *arguments in WITH_JSON:
        shown = run(*arguments, "--json", who=who)
        assert shown.status == 0, (arguments, shown.err)
        assert isinstance(json.loads(shown.out), list | dict), arguments
