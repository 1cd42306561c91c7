"""What an auditor does on the command line: the log read, opened, exported, verified and proved to strangers."""

import csv
import datetime
import json
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
