"""`clearance erasures`: what somebody asked to erase is decided on by somebody else."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_result, print_success, print_table
from app.client.api import Client, path

ErasureId = Annotated[str, typer.Argument(help="id of an erasure")]

erasures = typer.Typer(help="Erasures, which take two people.", no_args_is_help=True)


@erasures.command("list")
@with_client
def list_erasures(client: Client, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
    """What was to be erased, newest first, by whom and why, and what went (erase or audit)."""
    found = client.get("/erasures", limit=limit)
    rows = (
        (e["id"], _of(e), e["requested_by"], format_time(e["requested_at"]), e["reason"] or "–",
         f"{e['state']}, held" if e["held"] else e["state"], e["decided_by"] or "–", _gone(e["counts"]))
        for e in found
    )  # fmt: skip
    columns = ("id", "of", "by", "at (UTC)", "why", "state", "decided by", "gone")
    print_result(found, lambda: print_table(columns, rows, empty="Nothing was asked for."))


@erasures.command("approve")
@with_client
def approve(client: Client, erasure: ErasureId) -> None:
    """Approve of an erasure that somebody else asked for: it is done, and cannot be undone (erase)."""
    _decide(client, erasure, approved=True)


@erasures.command("refuse")
@with_client
def refuse(client: Client, erasure: ErasureId) -> None:
    """Refuse an erasure that somebody else asked for (erase)."""
    _decide(client, erasure, approved=False)


def _decide(client: Client, erasure: str, *, approved: bool) -> None:
    client.post(path("erasures", erasure, "decision"), {"approved": approved})
    found = client.get(path("erasures", erasure))
    print_result(found, lambda: print_success(f"erased: {_gone(found['counts'])}" if approved else "refused"))


def _of(erasure: dict[str, Any]) -> str:
    return str(erasure["name"] or erasure["person"]) if erasure["person"] else f"document {erasure['document']}"


def _gone(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number) or "nothing"
