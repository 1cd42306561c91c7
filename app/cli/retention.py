"""`clearance retention`: how long records of the log are kept, by rules that take two people."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_note, print_result, print_success, print_table
from app.client.api import Client, path

RuleId = Annotated[str, typer.Argument(help="id of a rule")]

retention = typer.Typer(help="How long records of the log are kept.", no_args_is_help=True)


@retention.command("list")
@with_client
def list_rules(client: Client, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
    """All rules that were asked for, newest first, and what they removed (erase or audit)."""
    found = client.get("/retention", limit=limit)
    rows = (
        (r["id"], _of(r), _kept(r), r["state"].replace("_", " "), r["requested_by"], r["decided_by"] or "–",
         f"{r['pruned']:,}", format_time(r["pruned_before"]) if r["pruned_before"] else "–", r["reason"])
        for r in found
    )  # fmt: skip
    columns = ("id", "records", "kept for", "state", "asked by", "decided by", "removed", "of before (UTC)", "why")
    print_result(found, lambda: print_table(columns, rows, empty="No rule: all records are kept for ever."))


@retention.command("set")
@with_client
def set_rule(
    client: Client,
    kind: Annotated[str, typer.Argument(help="the word before the dot: answer, search, session …")],
    *,
    reason: Annotated[str, typer.Option(help="why; the log keeps it")],
    days: Annotated[int | None, typer.Option(help="30 at least")] = None,
    forever: Annotated[bool, typer.Option("--forever", help="in the place of --days")] = False,
    label: Annotated[str | None, typer.Option(help="of answers: of this label alone")] = None,
) -> None:
    """Ask to keep records of a kind for so many days. Somebody else approves (erase)."""
    if (days is None) != forever:
        raise typer.BadParameter("give --days, or --forever")
    asked = client.post("/retention", {"kind": kind, "label": label, "days": days, "reason": reason})
    said = f"asked for; somebody else who may erase approves it: clearance retention approve {asked['id']}"
    print_result(asked, lambda: print_note(said))


@retention.command("approve")
@with_client
def approve(client: Client, rule: RuleId) -> None:
    """Approve of a rule that somebody else asked for: what is older is removed, and cannot be had back (erase)."""
    _decide(client, rule, approved=True)


@retention.command("refuse")
@with_client
def refuse(client: Client, rule: RuleId) -> None:
    """Refuse a rule that somebody else asked for (erase)."""
    _decide(client, rule, approved=False)


def _decide(client: Client, rule: str, *, approved: bool) -> None:
    client.post(path("retention", rule, "decision"), {"approved": approved})
    said = "in force: what is older is removed within the hour" if approved else "refused"
    print_result({"id": rule, "approved": approved}, lambda: print_success(said))


def _of(rule: dict[str, Any]) -> str:
    return f"{rule['kind']}, {rule['label']}" if rule["label"] else str(rule["kind"])


def _kept(rule: dict[str, Any]) -> str:
    return "ever" if rule["days"] is None else f"{rule['days']:,} days"
