"""What the compliance officer of the sample company asks of the log after a document was shared too widely for an hour.

Each question as he types it, with what he gets wrong first.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from app.client.api import ApiError
from tests.e2e.command_runs import Result, Run
from tests.e2e.sample_site import SampleSite
from tests.support.waiting import wait_for

QUESTION = "What happens at the shift handover in the control room?"
NOBODY = "00000000-0000-0000-0000-000000000005"

REASON = "Complaint 17: what was she told?"


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


def test_after_a_document_was_shared_too_widely(run: Run, sample: SampleSite, tmp_path: Path) -> None:
    """Wren opens the shift handover to everybody and takes it back; Maya asks in between, Priya does not."""
    with sample.client("freya") as freya:
        listed = freya.get("/documents", collection="operations")
    document = next(d["id"] for d in listed if d["path"] == "control-room/shift-handover.md")

    def officer(*arguments: str, who: str = "oskar") -> Result:
        return run("audit", *arguments, who=who)

    def told(*arguments: str) -> Any:
        answer = officer(*arguments, "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    since = now()
    assert run("grants", "add", document, "--everyone", who="wren").status == 0
    opened = now()
    asked = run("ask", QUESTION, "--mode", "quote", who="maya")
    assert "shift-handover.md" in asked.out
    assert run("grants", "remove", document, "--everyone", who="wren").status == 0
    until = now()
    wait_for(lambda: told("events", "-q", f"document:{document} who:maya kind:answer.closed"))

    # Who had it, and who could have had it?
    span = ["--document", document, "--since", since, "--until", until]
    assert "A capability is missing" in officer("exposure", *span, who="wren").err
    assert "this id" in officer("exposure", "--document", NOBODY, "--since", since).err
    report = told("exposure", *span)
    people = {each["user"]: each for each in report["people"]}
    assert [name for name, each in people.items() if each["shown"]] == ["maya"]
    assert people["priya"]["could"]
    assert people["priya"]["shown"] is None
    assert "luca" not in people, "his clearance is below the label"
    [everyone] = [grant for grant in report["grants"] if grant["kind"] == "everyone"]
    assert [made["user"] for made in everyone["made"]] == ["wren"]
    counts = report["counts"]
    assert (counts["shown"], counts["never_shown"]) == (1, counts["could"] - 1)
    shown = officer("exposure", *span).out
    assert f"could be read by {counts['could']}" in " ".join(shown.split())
    annex = officer("exposure", *span, "--markdown").out
    assert annex.startswith("# Exposure of a document\n")
    assert any(line.startswith("| maya | 1 answers |") for line in annex.splitlines())
    assert any("wren" in line and line.startswith("|") for line in annex.splitlines())
    early = officer("exposure", "--document", document, "--since", "2020-01-01", "--until", until).out
    assert "the history of access begins then" in " ".join(early.split())
    # An auditor reads no document: neither its path nor its title is anywhere.
    assert "handover" not in (shown + annex + json.dumps(report)).lower()

    # Could she read it at that moment, and by which grant?
    at = ["--document", document, "--at"]
    assert "No user is named 'mara'" in officer("access", *at, opened, "--user", "mara").err
    answer = officer("access", *at, opened, "--user", "priya").out
    assert answer.startswith("priya could read it (granted)")
    assert "wren" in answer
    assert officer("access", *at, until, "--user", "priya").out.startswith("priya could not read it (nothing granted)")
    assert "not known" in officer("access", *at, "2020-03-03", "--user", "priya").out

    # Was somebody shown far more than usual? Of this company nobody is known for long enough to say.
    assert "A capability is missing" in officer("unusual", who="wren").err
    assert "No user is named 'mara'" in officer("unusual", "--user", "mara").err
    assert "at most 31 days" in officer("unusual", "--since", "2026-01-01", "--until", "2026-03-01").err
    assert "No such option: --role" in officer("unusual", "--role", "operations").err
    with sample.client("oskar") as client:
        for params, wrong in (({"since": "2026-11-01T00:00:00"}, "its zone"), ({"person": "maya"}, "'person'")):
            with pytest.raises(ApiError, match=wrong):
                client.get("/audit/unusual", **params)
    usual = told("unusual", "--user", "maya")
    assert (usual["days"], usual["without_baseline"], usual["found"]) == (1, 0, [])
    assert "No day was far above what is usual.\n1 person-days" in officer("unusual", "--user", "maya").out

    # By label, model, finding, collection and opened words.
    assert "There are public, internal" in officer("events", "-q", "label:secret").err
    assert "there is no qualifier 'level'" in officer("events", "-q", "level:internal").err
    assert "No record tells of a model 'gpt-9'" in officer("events", "-q", "model:gpt-9").err
    events = told("events", "-q", f"label:internal who:maya document:{document}")
    assert [event["record"]["kind"] for event in events] == ["answer.closed", "answer.opened"]
    assert [event["opened"] for event in events] == [{}, {}]

    # What did she ask? Not without a reason, and not whoever may not.
    asked = events[-1]["record"]["id"]
    assert "reason" in officer("open", asked).err
    assert "printable characters" in officer("open", asked, "--reason", "          ").err
    assert "A capability is missing" in run("audit", "open", asked, "--reason", REASON, who="ada").err
    assert "name a record by its id, or give --query" in officer("open", "--reason", REASON).err
    assert told("open", asked, "--reason", REASON)["words"][0]["field"] == "question"
    assert told("events", "-q", f"label:restricted document:{document}") == []
    assert told("events", "-q", f"finding:credential who:maya document:{document}") == []
    indexed = told("events", "-q", f"kind:document.indexed document:{document}")[0]["record"]
    in_collection = told("events", "-q", f"collection:{indexed['collection']} kind:document.indexed", "--limit", "5")
    assert {event["record"]["collection"] for event in in_collection} == {indexed["collection"]}
    looks = wait_for(lambda: told("events", "-q", "opened:yes kind:audit.read who:oskar"))
    assert all(event["record"]["opened"] for event in looks)

    # Was the model shown what the record says? None was asked here: she was quoted to.
    trail = events[-1]["record"]["trail"]
    assert "A capability is missing" in officer("replay", trail, who="wren").err
    assert "Not found" in officer("replay", NOBODY).err
    assert "Missing argument 'trail'" in officer("replay").err
    told_why = officer("replay", trail)
    assert (told_why.status, told_why.out.splitlines()[0]) == (0, "not rebuilt")
    assert told("replay", trail)["reasons"][0]["code"] == "no prompt"

    # Which answers rest on what is no more?
    assert "of which document, or since when" in officer("stale-answers").err
    assert told("stale-answers", "--document", document)["found"] == []
    assert "No answer does." in officer("stale-answers", "--document", document).err
    folder = tmp_path / "siren"
    folder.mkdir()
    (folder / "siren.md").write_text("# Kelp siren\n\nThe kelp siren is tested on Tuesdays at noon.\n")
    assert run("ingest", str(folder), "--collection", "operations", "--roles", "operations", who="wren").status == 0
    assert "on Tuesdays" in run("ask", "When is the kelp siren tested?", "--mode", "quote", who="freya").out
    with sample.client("freya") as freya:
        siren = next(d["id"] for d in freya.pages("/documents", collection="operations") if d["path"] == "siren.md")
    wait_for(lambda: told("events", "-q", f"document:{siren} kind:answer.closed"))
    assert run("documents", "delete", siren, "--yes", who="wren").status == 0
    [stale] = told("stale-answers", "--document", siren)["found"]
    assert (stale["user"], [each["state"] for each in stale["documents"]]) == ("freya", ["gone"])
    assert stale in told("stale-answers", "--since", until)["found"]
    assert "gone" in officer("stale-answers", "--document", siren).out
