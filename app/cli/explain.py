"""`clearance explain`, `who-can-see` and `what-can-see`: who may read what, and by which rule."""

import datetime as dt
from typing import Annotated

import typer

from app.cli.connection import parse_time, with_client
from app.cli.document_id import DocumentName, resolve_document
from app.cli.output import print_result, print_table, print_text
from app.client.api import Client


@with_client
def explain(
    client: Client,
    document: DocumentName,
    *,
    user: Annotated[str | None, typer.Option(help="about this person; unset: yourself")] = None,
    at: Annotated[
        dt.datetime | None, typer.Option(parser=parse_time, help="at a moment of the past (curators)")
    ] = None,
) -> None:
    """Why a person may read a document, or may not."""
    document_id = resolve_document(client, document)
    answer = client.get("/access/explain", document=document_id, user=user, at=at.isoformat() if at else None)
    yes, no = ("could read", "could not read") if at else ("may read", "may not read")
    verdict = (yes, "green") if answer["allowed"] else (no, "red")

    def show() -> None:
        print_text((user or "you", "bold"), " ", verdict, f" it ({answer['reason']})")
        print_text(f"  {answer['explanation']}", wrap=True)

    print_result(answer, show)


@with_client
def who_can_see(client: Client, document: DocumentName) -> None:
    """Everybody who may read a document now (its curators, and administrators who may read it)."""
    names = list(client.pages("/access/readers", document=resolve_document(client, document)))
    print_result(names, lambda: print_table(("who",), ((name,) for name in names), empty="Nobody."))


@with_client
def what_can_see(
    client: Client,
    *,
    user: Annotated[str | None, typer.Option(help="what this person may read")] = None,
    role: Annotated[str | None, typer.Option(help="or what membership in this role alone opens")] = None,
) -> None:
    """How many documents a person or a role may read, by collection (administrators; curators: of their own)."""
    counts = list(client.pages("/access/reach", user=user, role=role))
    rows = ((c["collection"], c["documents"]) for c in counts)
    empty = "No document of the collections that you look after."
    print_result(counts, lambda: print_table(("collection", "documents"), rows, empty=empty))
