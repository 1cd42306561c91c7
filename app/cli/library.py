"""`clearance collections`, `documents`, `jobs` and `explain`."""

import codecs
import datetime as dt
import os
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from app.cli.connect import connected, when
from app.cli.people import Label
from app.cli.screen import done, moment, note, out, table
from app.cli.visible import visible
from app.local.client import PAGE, Client, path
from app.local.failure import LocalFailure

Document = Annotated[str, typer.Argument(help="id of a document")]
State = Literal["queued", "running", "indexed", "unchanged", "failed"]

collections = typer.Typer(help="Collections: shelves with rules and curators.", no_args_is_help=True)
documents = typer.Typer(help="Documents you may read.", no_args_is_help=True)
jobs = typer.Typer(help="Your uploads.", no_args_is_help=True)


class FileThere(LocalFailure):
    """A file that nobody asked to replace."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(collections, name="collections")
    app.add_typer(documents, name="documents")
    app.add_typer(jobs, name="jobs")
    app.command()(explain)
    app.command("who-can-see")(who_can_see)
    app.command("what-can-see")(what_can_see)


@collections.command("list")
@connected
def list_collections(client: Client) -> None:
    """Collections you may read from or curate."""
    table(("collection", "description"), ((c["name"], c["description"]) for c in client.pages("/collections")))


@collections.command("make")
@connected
def make(
    client: Client,
    name: Annotated[str, typer.Argument()],
    *,
    description: Annotated[str, typer.Option()] = "",
    label: Annotated[Label, typer.Option(help="label of documents that have no own one")] = "internal",
    curator: Annotated[list[str] | None, typer.Option(help="who may upload; may be given again")] = None,
) -> None:
    """Make a collection (administer). Nobody reads from it until a grant or the tags of a document say so."""
    client.post("/collections", {"name": name, "description": description, "label": label})
    for person in curator or []:
        client.put(path("collections", name, "curators", person))
    done(f"the collection {name} is there")


@collections.command("curate")
@connected
def curate(
    client: Client,
    name: Annotated[str, typer.Argument(help="a collection")],
    person: Annotated[str, typer.Argument(help="who may upload to it")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="no longer")] = False,
) -> None:
    """Let a person with the capability curate look after a collection (administer). Curating is not reading."""
    place = path("collections", name, "curators", person)
    if undo:
        client.delete(place)
        done(f"{person} no longer curates {name}")
    else:
        client.put(place)
        done(f"{person} curates {name}")


@documents.command("list")
@connected
def list_documents(
    client: Client,
    *,
    collection: Annotated[str | None, typer.Option(help="only of this one")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 100,
) -> None:
    """Documents you may read, and those on shelves you curate (without their titles)."""
    found = list(islice(client.pages("/documents", collection=collection, limit=min(PAGE, limit)), limit))
    table(("id", "document", "label"), ((d["id"], f"{d['collection']}/{d['path']}", d.get("label")) for d in found))
    if len(found) == limit:
        note(f"The first {limit}; --limit shows more.")


@documents.command("show")
@connected
def show(client: Client, document: Document) -> None:
    """The text of a document, redacted."""
    found = client.get(path("documents", document))
    out.print(Text(found["title"], "bold"))
    place = f"{found['collection']}/{found['path']}"
    out.print(Text(f"{place} · {found['label']} · version {found['version']} · {moment(found['updated_at'])}\n", "dim"))
    for passage in found["passages"]:
        if passage["heading"]:
            out.print(Text(" › ".join(passage["heading"]), "bold"))
        out.print(Text(passage["text"] + "\n"))


@documents.command("download")
@connected
def download(
    client: Client,
    document: Document,
    *,
    to: Annotated[str | None, typer.Option(help="file; - is standard output; unset: the document's name")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """The original file, not redacted (download)."""
    if to is None:
        to = client.get(path("documents", document))["path"].rsplit("/", 1)[-1].lstrip(".") or document
    save(client, path("documents", document, "original"), to, force=force)


def save(client: Client, source: str, to: str, *, force: bool, **params: str | bool | None) -> None:
    """Write what the service sends to a file (0600, whole or not at all), or to standard output for `-`."""
    if to == "-":
        shown = sys.stdout.isatty()
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for piece in client.lines(source, **params):
            # On a terminal nothing may act; into a pipe goes what was sent.
            sys.stdout.buffer.write(visible(decoder.decode(piece), keep="\n\t").encode() if shown else piece)
        return
    target = Path(to)
    if target.exists() and not force:
        raise FileThere(f"{target} is there; --force replaces it, --to names another")
    try:
        descriptor, work = tempfile.mkstemp(dir=target.parent, prefix=".clearance-")
    except OSError as error:
        raise FileThere(f"cannot write to {target.parent}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in client.lines(source, **params):
                file.write(piece)
        Path(work).replace(target)
    except BaseException:
        Path(work).unlink(missing_ok=True)
        raise
    done(f"{target} ({target.stat().st_size:,} bytes)")


@documents.command("delete")
@connected
def delete(
    client: Client, document: Document, *, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False
) -> None:
    """Delete a document and all that was derived from it (its curator)."""
    if not yes:
        typer.confirm(f"Delete {document} for good?", abort=True)
    client.delete(path("documents", document))
    done("the document is gone")


@documents.command("move")
@connected
def move(
    client: Client,
    document: Document,
    to: Annotated[str, typer.Argument(metavar="PATH", help="its new path in the collection; the ending stays")],
) -> None:
    """Move a document within its collection (its curator): it keeps its id, and its new folders' rules count."""
    moved = client.patch(path("documents", document), {"path": to})
    if moved["people"]:
        table(("reads", "gains", "loses"), ((p["user"], p["gains"], p["loses"]) for p in moved["people"]))
    done(f"{moved['old_path']} is now {moved['path']}")


@jobs.command("list")
@connected
def list_jobs(
    client: Client,
    *,
    state: Annotated[State | None, typer.Option(help="only those")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Your uploads, newest first."""
    rows = (
        (moment(job["created_at"]), f"{job['collection']}/{job['path']}", job["state"], job["reason"])
        for job in islice(client.pages("/jobs", state=state, limit=min(PAGE, limit)), limit)
    )
    table(("uploaded (UTC)", "document", "state", "reason"), rows)


@connected
def explain(
    client: Client,
    document: Document,
    *,
    user: Annotated[str | None, typer.Option(help="about this person; unset: yourself")] = None,
    at: Annotated[dt.datetime | None, typer.Option(parser=when, help="at a moment of the past (curators)")] = None,
) -> None:
    """Why a person may read a document, or may not."""
    found = client.get("/access/explain", document=document, user=user, at=at.isoformat() if at else None)
    words = ("could read", "could not read") if at else ("may read", "may not read")
    verdict = (words[0], "green") if found["allowed"] else (words[1], "red")
    out.print(Text.assemble((user or "you", "bold"), " ", verdict, f" it ({found['reason']})"))
    out.print(Text(f"  {found['explanation']}"))


@connected
def who_can_see(client: Client, document: Document) -> None:
    """Everybody who may read a document now (its curators, and administrators who may read it)."""
    table(("who",), ((name,) for name in client.pages("/access/readers", document=document)), empty="Nobody.")


@connected
def what_can_see(
    client: Client,
    *,
    user: Annotated[str | None, typer.Option(help="what this person may read")] = None,
    role: Annotated[str | None, typer.Option(help="or what membership in this role alone opens")] = None,
) -> None:
    """How many documents a person or a role may read, by collection (administrators; curators: of their own)."""
    rows = ((r["collection"], r["documents"]) for r in client.pages("/access/reach", user=user, role=role))
    table(("collection", "documents"), rows, empty="No document of the collections that you look after.")
