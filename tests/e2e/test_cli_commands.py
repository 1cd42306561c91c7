"""The commands against the real service, as a person types them: results, refusals and exit statuses."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.command_runs import Run
from tests.e2e.sample_site import SampleSite

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


WITH_JSON = [
    ("maya", "search", "holidays"), ("ada", "people", "list"), ("maya", "people", "me"), ("ada", "roles", "list"),
    ("ada", "keys", "list"), ("maya", "collections", "list"), ("maya", "documents", "list"),
    ("maya", "documents", "show", "1"), ("wren", "jobs", "list"), ("maya", "conversations", "list"),
    ("maya", "delegations", "list"), ("ada", "grants", "plans"), ("ada", "grants", "show", "handbook"),
    ("ada", "grants", "folders", "handbook"), ("ada", "what-can-see", "--user", "maya"), ("maya", "explain", "1"),
    ("oskar", "audit", "head"), ("oskar", "audit", "checkpoint"), ("oskar", "audit", "events"),
    ("oskar", "audit", "shown", "--user", "maya"), ("oskar", "audit", "deliveries"),
    ("maya", "ask", "How many holidays?"),
]  # fmt: skip


def test_each_command_prints_one_json_value(run: Run) -> None:
    for who, *arguments in WITH_JSON:
        shown = run(*arguments, "--json", who=who)
        assert shown.status == 0, (arguments, shown.err)
        assert isinstance(json.loads(shown.out), list | dict), arguments
