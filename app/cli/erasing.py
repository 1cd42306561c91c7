"""`clearance people erase` and `clearance documents erase`: asked for by one, approved by another."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import print_note, print_result
from app.cli.roles import Name
from app.client.api import Client

Reason = Annotated[str, typer.Option(help="why; the log keeps it")]

of_people, of_documents = typer.Typer(), typer.Typer()


@of_people.command("erase")
@with_client
def erase_person(client: Client, name: Name, *, reason: Reason) -> None:
    """Ask to erase a person who is switched off: words, names, addresses. Somebody else approves (erase)."""
    _ask(client, {"user": name, "reason": reason})


@of_documents.command("erase")
@with_client
def erase_document(client: Client, document: Annotated[str, typer.Argument(help="its id")], *, reason: Reason) -> None:
    """Ask to erase what kept answers hold of a document that is gone. Somebody else approves (erase)."""
    _ask(client, {"document": document, "reason": reason})


def _ask(client: Client, of: dict[str, Any]) -> None:
    asked = client.post("/erasures", of)
    said = f"asked for; somebody else who may erase approves it: clearance erasures approve {asked['id']}"
    print_result(asked, lambda: print_note(said))
