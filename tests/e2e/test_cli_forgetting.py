"""`clearance people erase` and `clearance hold` against the sample company: two people, a hold, and what is left."""

import json
import uuid

from tests.e2e.command_runs import Run
from tests.support.waiting import wait_for

WHY = ("--reason", "Request 2026-31 under article 17.")
CASE = ("--reason", "Case 12 of the court.")


def test_a_leaver_is_erased_by_two(run: Run) -> None:
    name = f"tess-{uuid.uuid4().hex[:8]}"
    assert run("people", "add", name, "--display", "Tess Winterbourne", who="ada").status == 0
    assert "switch them off first" in " ".join(run("people", "erase", name, *WHY, who="oskar").err.split())
    assert run("people", "off", name, who="ada").status == 0
    assert "A capability is missing" in run("people", "erase", name, *WHY, who="ada").err
    assert "at least 10 characters" in run("people", "erase", name, "--reason", "gone", who="oskar").err

    held = run("hold", "place", "--person", name, *CASE, who="ines")
    assert f"held: {name}" in held.out + held.err
    hold = next(h for h in json.loads(run("hold", "list", "--json", who="oskar").out) if h["name"] == name)
    assert "legal hold" in run("people", "erase", name, *WHY, who="oskar").err
    assert "A capability is missing" in run("hold", "lift", hold["id"], who="oskar").err
    assert "say --person or --document" in run("hold", "place", *CASE, who="ines").err
    assert run("hold", "lift", hold["id"], who="ines").status == 0
    assert "lifted by ines" in " ".join(run("hold", "list", who="ines").out.split())

    asked = run("people", "erase", name, *WHY, who="oskar")
    assert asked.status == 0, asked.err
    erasure = json.loads(run("erasures", "list", "--json", who="ines").out)[0]
    assert erasure["name"] == name
    assert "somebody else has to decide" in run("erasures", "approve", erasure["id"], who="oskar").err
    done = run("erasures", "approve", erasure["id"], who="ines")
    assert "erased: " in done.out + done.err, done.err
    listed = run("erasures", "list", who="oskar").out
    assert name not in listed
    assert "erased" in listed
    assert name not in run("people", "list", who="ada").out

    def recorded() -> str:
        return run("audit", "events", "-q", f"who:{erasure['person']},oskar kind:erasure,user", who="oskar").out

    wait_for(lambda: "erasure.requested" in recorded())
    assert name not in recorded()


def test_what_is_kept_of_a_document_is_erased_once_it_is_gone(run: Run) -> None:
    gone, standing = str(uuid.uuid4()), json.loads(run("documents", "list", "--json", who="wren").out)[0]["id"]
    for document in (gone, standing):
        assert run("documents", "erase", document, *WHY, who="oskar").status == 0
    waiting = {e["document"]: e["id"] for e in json.loads(run("erasures", "list", "--json", who="ines").out)}
    assert "delete it first" in " ".join(run("erasures", "approve", waiting[standing], who="ines").err.split())
    assert "refused" in "".join(run("erasures", "refuse", waiting[standing], who="ines")[1:])
    assert "erased: nothing" in "".join(run("erasures", "approve", waiting[gone], who="ines")[1:])


def test_a_rule_of_how_long_records_are_kept_takes_two(run: Run) -> None:
    asked = ("retention", "set", "plan", "--reason", "Agreed with the works council.")
    assert "A capability is missing" in run(*asked, "--days", "90", who="ada").err
    assert "give --days, or --forever" in run(*asked, who="oskar").err
    assert "give --days, or --forever" in run(*asked, "--days", "90", "--forever", who="oskar").err
    assert "greater than or equal to 30" in run(*asked, "--days", "7", who="oskar").err
    assert (
        "is no kind of records that can be removed"
        in run("retention", "set", "log", "--days", "90", *WHY, who="oskar").err
    )
    assert run(*asked, "--days", "90", who="oskar").status == 0
    rule = json.loads(run("retention", "list", "--json", who="ines").out)[0]
    assert (rule["kind"], rule["days"], rule["state"]) == ("plan", 90, "waiting")
    assert "somebody else has to decide" in run("retention", "approve", rule["id"], who="oskar").err
    done = run("retention", "approve", rule["id"], who="ines")
    assert "in force" in done.out + done.err
    assert run(*asked, "--forever", who="ines").status == 0
    waiting = json.loads(run("retention", "list", "--json", who="oskar").out)[0]
    refused = run("retention", "refuse", waiting["id"], who="oskar")
    assert "refused" in refused.out + refused.err
    listed = " ".join(run("retention", "list", who="oskar").out.split())
    assert "90 days" in listed
    assert "ever" in listed
    wait_for(lambda: "retention.decided" in run("audit", "events", "-q", "kind:retention", who="oskar").out)
