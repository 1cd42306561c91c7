"""`clearance people erase`, `erasures` and `erasure`: a person is erased by two people."""

from typing import Annotated

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_note, print_result, print_success, print_table
from app.cli.roles import Name
from app.client.api import Client, path
from app.client.errors import UserError

Reason = Annotated[str, typer.Option(help="why; the log keeps it")]

commands = typer.Typer()


class NothingDecided(UserError):
    """Neither approval nor refusal was said, or both."""


@commands.command("erase")
@with_client
def erase(client: Client, name: Name, *, reason: Reason) -> None:
    """Ask to erase a person who is switched off: words, names, addresses. Somebody else approves (erase)."""
    asked = client.post("/erasures", {"user": name, "reason": reason})
    said = f"asked for; somebody else who may erase approves it: clearance people erasure {asked['id']} --approve"
    print_result(asked, lambda: print_note(said))


@commands.command("erasures")
@with_client
def erasures(client: Client, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
    """Who was to be erased, newest first, by whom and why, and what went (erase or audit)."""
    found = client.get("/erasures", limit=limit)
    rows = (
        (e["id"], e["name"] or e["person"], e["requested_by"], format_time(e["requested_at"]), e["reason"] or "–",
         f"{e['state']}, held" if e["held"] else e["state"], e["decided_by"] or "–", _gone(e["counts"]))
        for e in found
    )  # fmt: skip
    columns = ("id", "person", "by", "at (UTC)", "why", "state", "decided by", "gone")
    print_result(found, lambda: print_table(columns, rows, empty="Nothing was asked for."))


@commands.command("erasure")
@with_client
def erasure(
    client: Client,
    erasure: Annotated[str, typer.Argument(help="its id")],
    *,
    approve: Annotated[bool, typer.Option("--approve", help="erase the person, for good")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="keep them")] = False,
) -> None:
    """Decide on an erasure that somebody else asked for (erase)."""
    if approve == refuse:
        raise NothingDecided("say --approve, which cannot be undone, or --refuse")
    client.post(path("erasures", erasure, "decision"), {"approved": approve})
    found = client.get(path("erasures", erasure))
    gone = f"erased: {_gone(found['counts'])}" if approve else "refused"
    print_result(found, lambda: print_success(gone))


def _gone(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number) or "–"
