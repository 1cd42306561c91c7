"""`clearance documents`."""

import sys
from itertools import islice
from typing import Annotated, Any

import typer

from app.cli import erasing
from app.cli.connection import with_client
from app.cli.document_id import DocumentName, resolve_document
from app.cli.download import download
from app.cli.output import format_time, print_note, print_result, print_success, print_table, print_text, safe_text
from app.client.api import PAGE, Client, path

documents = typer.Typer(help="Documents you may read.", no_args_is_help=True)
documents.add_typer(erasing.of_documents)


@documents.command("list")
@with_client
def list_documents(
    client: Client,
    *,
    collection: Annotated[str | None, typer.Option(help="only of this one")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 100,
) -> None:
    """Documents you may read, and those in collections you curate (without their titles)."""
    listed = list(islice(client.pages("/documents", collection=collection, limit=min(PAGE, limit)), limit))
    print_result(listed, lambda: print_documents(listed))
    if len(listed) == limit:
        print_note(f"The first {limit}; --limit shows more.")


def print_documents(listed: list[dict[str, str]]) -> None:
    """Print a row for each: on a terminal the title is below the path, in a pipe in a column of its own."""
    if sys.stdout.isatty():
        rows = [(d["id"], f"{d['collection']}/{d['path']}\n{d.get('title') or ''}", d.get("label")) for d in listed]
        print_table(("id", "document", "label"), rows)
    else:
        cells = ((d["id"], f"{d['collection']}/{d['path']}", d.get("label"), d.get("title")) for d in listed)
        print_table(("id", "document", "label", "title"), cells)


@documents.command("show")
@with_client
def show(client: Client, document: DocumentName) -> None:
    """The text of a document, redacted."""
    response = client.get(path("documents", resolve_document(client, document)))
    print_result(response, lambda: print_document(response))


def print_document(document: dict[str, Any]) -> None:
    """Print the title, path, label, version and id, then all passages."""
    print_text((document["title"], "bold"))
    print_text(
        (f"{document['collection']}/{document['path']} · {document['label']} · version {document['version']}", "dim")
    )
    print_text((f"id {document['id']} · changed {format_time(document['updated_at'])} UTC\n", "dim"))
    for passage in document["passages"]:
        if passage["heading"]:
            print_text((" › ".join(passage["heading"]), "bold"))
        print_text(passage["text"] + "\n", wrap=True)


@documents.command("download")
@with_client
def download_original(
    client: Client,
    document: DocumentName,
    *,
    to: Annotated[str | None, typer.Option(help="file; - is standard output; unset: the document's name")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """The original file, not redacted (download)."""
    document_id = resolve_document(client, document)
    if to is None:
        to = client.get(path("documents", document_id))["path"].rsplit("/", 1)[-1].lstrip(".") or document_id
    download(client, path("documents", document_id, "original"), to, force=force)


@documents.command("delete")
@with_client
def delete(
    client: Client,
    document: Annotated[str, typer.Argument(help="id, or COLLECTION/PATH")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete a document and all that was derived from it (its curator)."""
    document_id = resolve_document(client, document, numbers=False)
    if not yes:
        typer.confirm(safe_text(f"Delete {document} for good?"), abort=True, err=True)
    client.delete(path("documents", document_id))
    print_success("the document is gone")


@documents.command("move")
@with_client
def move(
    client: Client,
    document: DocumentName,
    to: Annotated[str, typer.Argument(metavar="PATH", help="its new path in the collection; the ending stays")],
) -> None:
    """Move a document within its collection (its curator): it keeps its id, and its new folders' rules count."""
    moved = client.patch(path("documents", document), {"path": to})
    if moved["people"]:
        print_table(("reads", "gains", "loses"), ((p["user"], p["gains"], p["loses"]) for p in moved["people"]))
    print_success(f"{moved['old_path']} is now {moved['path']}")
