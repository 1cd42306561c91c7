"""`clearance hold`: legal holds, which keep a person or a document from going."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.erasing import Reason
from app.cli.output import format_time, print_result, print_success, print_table
from app.client.api import Client, path
from app.client.errors import UserError

hold = typer.Typer(help="Legal holds.", no_args_is_help=True)


class NothingHeld(UserError):
    """Neither a person nor a document was named, or both."""


@hold.command("list")
@with_client
def list_holds(client: Client, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
    """Legal holds, newest first (hold, erase or audit)."""
    found = client.get("/holds", limit=limit)
    rows = (
        (h["id"], _of(h), h["reason"], h["placed_by"], format_time(h["placed_at"]),
         f"lifted by {h['lifted_by']}, {format_time(h['lifted_at'])}" if h["lifted_at"] else "in force")
        for h in found
    )  # fmt: skip
    columns = ("id", "of", "why", "by", "at (UTC)", "state")
    print_result(found, lambda: print_table(columns, rows, empty="There are no holds."))


@hold.command("place")
@with_client
def place(
    client: Client,
    *,
    person: Annotated[str | None, typer.Option(help="name of a person")] = None,
    document: Annotated[str | None, typer.Option(help="id of a document")] = None,
    reason: Reason,
) -> None:
    """Put a hold on a person or a document: nothing of it goes until it is lifted (hold)."""
    if (person is None) == (document is None):
        raise NothingHeld("say --person or --document")
    placed = client.post("/holds", {"user": person, "document": document, "reason": reason})
    print_result(placed, lambda: print_success(f"held: {_of(placed)}, by {placed['id']}"))


@hold.command("lift")
@with_client
def lift(client: Client, hold: Annotated[str, typer.Argument(help="its id")]) -> None:
    """Lift a hold (hold)."""
    client.post(path("holds", hold, "lift"), {})
    print_result({"lifted": hold}, lambda: print_success("lifted"))


def _of(hold: dict[str, Any]) -> str:
    return str(hold["name"] or hold["person"]) if hold["person"] else f"document {hold['document']}"
