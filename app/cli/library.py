"""`clearance collections`, `documents`, `jobs` and `explain`."""

import codecs
import datetime as dt
import os
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app.cli.connection import connected, when
from app.cli.find import DocumentName, find_document
from app.cli.output import done, moment, note, result, safe_text, say, table, wants_json
from app.cli.people import Label
from app.cli.steps import Step, carry_out, command
from app.client.api import PAGE, Client, path
from app.client.errors import UserError

State = Literal["queued", "running", "indexed", "unchanged", "failed"]

collections = typer.Typer(help="Collections: their rules and curators.", no_args_is_help=True)
documents = typer.Typer(help="Documents you may read.", no_args_is_help=True)
jobs = typer.Typer(help="Your uploads.", no_args_is_help=True)


class FileThere(UserError):
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
    found = list(client.pages("/collections"))
    rows = ((c["name"], c["description"]) for c in found)
    result(found, lambda: table(("collection", "description"), rows))


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
    body = {"name": name, "description": description, "label": label}
    first = Step(
        lambda: client.post("/collections", body),
        f"the collection {name} is there",
        command("collections", "make", name),
    )
    made = carry_out([first, *(_curating(client, name, person) for person in curator or [])])
    done(f"the collection {name} is there", made[0])


def _curating(client: Client, name: str, person: str) -> Step:
    place = path("collections", name, "curators", person)
    again = command("collections", "curate", name, person)
    return Step(lambda: client.put(place), f"{person} curates {name}", again)


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
    result(found, lambda: show_documents(found))
    if len(found) == limit:
        note(f"The first {limit}; --limit shows more.")


def show_documents(found: list[dict[str, str]]) -> None:
    """A row for each: on a terminal the title stands below the path, in a pipe in a column of its own."""
    if sys.stdout.isatty():
        rows = [(d["id"], f"{d['collection']}/{d['path']}\n{d.get('title') or ''}", d.get("label")) for d in found]
        table(("id", "document", "label"), rows)
    else:
        every = ((d["id"], f"{d['collection']}/{d['path']}", d.get("label"), d.get("title")) for d in found)
        table(("id", "document", "label", "title"), every)


@documents.command("show")
@connected
def show(client: Client, document: DocumentName) -> None:
    """The text of a document, redacted."""
    found = client.get(path("documents", find_document(client, document)))
    result(found, lambda: show_document(found))


def show_document(found: dict[str, Any]) -> None:
    """The title, where it stands, and all passages."""
    say((found["title"], "bold"))
    say((f"{found['collection']}/{found['path']} · {found['label']} · version {found['version']}", "dim"))
    say((f"id {found['id']} · changed {moment(found['updated_at'])} UTC\n", "dim"))
    for passage in found["passages"]:
        if passage["heading"]:
            say((" › ".join(passage["heading"]), "bold"))
        say(passage["text"] + "\n", wrap=True)


@documents.command("download")
@connected
def download(
    client: Client,
    document: DocumentName,
    *,
    to: Annotated[str | None, typer.Option(help="file; - is standard output; unset: the document's name")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """The original file, not redacted (download)."""
    found = find_document(client, document)
    if to is None:
        to = client.get(path("documents", found))["path"].rsplit("/", 1)[-1].lstrip(".") or found
    save(client, path("documents", found, "original"), to, force=force)


def save(client: Client, source: str, to: str, *, force: bool, **params: str | bool | None) -> None:
    """Write what the service sends to a file (0600, whole or not at all), or to standard output for `-`."""
    if to == "-" and wants_json():
        raise FileThere("--to - writes the file itself to standard output, where --json would write too: leave one out")
    if to == "-":
        shown = sys.stdout.isatty()
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for piece in client.lines(source, **params):
            # On a terminal nothing may act; into a pipe goes what was sent.
            sys.stdout.buffer.write(safe_text(decoder.decode(piece)).encode() if shown else piece)
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
    size = target.stat().st_size
    done(f"{target} ({size:,} bytes)", {"file": str(target), "bytes": size})


@documents.command("delete")
@connected
def delete(
    client: Client,
    document: Annotated[str, typer.Argument(help="id, or COLLECTION/PATH")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete a document and all that was derived from it (its curator)."""
    found = find_document(client, document, numbers=False)
    if not yes:
        typer.confirm(safe_text(f"Delete {document} for good?"), abort=True, err=True)
    client.delete(path("documents", found))
    done("the document is gone")


@documents.command("move")
@connected
def move(
    client: Client,
    document: DocumentName,
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
    found = list(islice(client.pages("/jobs", state=state, limit=min(PAGE, limit)), limit))
    rows = ((moment(j["created_at"]), f"{j['collection']}/{j['path']}", j["state"], j["reason"]) for j in found)
    result(found, lambda: table(("uploaded (UTC)", "document", "state", "reason"), rows))


@connected
def explain(
    client: Client,
    document: DocumentName,
    *,
    user: Annotated[str | None, typer.Option(help="about this person; unset: yourself")] = None,
    at: Annotated[dt.datetime | None, typer.Option(parser=when, help="at a moment of the past (curators)")] = None,
) -> None:
    """Why a person may read a document, or may not."""
    wanted = find_document(client, document)
    found = client.get("/access/explain", document=wanted, user=user, at=at.isoformat() if at else None)
    words = ("could read", "could not read") if at else ("may read", "may not read")
    verdict = (words[0], "green") if found["allowed"] else (words[1], "red")

    def show() -> None:
        say((user or "you", "bold"), " ", verdict, f" it ({found['reason']})")
        say(f"  {found['explanation']}", wrap=True)

    result(found, show)


@connected
def who_can_see(client: Client, document: DocumentName) -> None:
    """Everybody who may read a document now (its curators, and administrators who may read it)."""
    found = list(client.pages("/access/readers", document=find_document(client, document)))
    result(found, lambda: table(("who",), ((name,) for name in found), empty="Nobody."))


@connected
def what_can_see(
    client: Client,
    *,
    user: Annotated[str | None, typer.Option(help="what this person may read")] = None,
    role: Annotated[str | None, typer.Option(help="or what membership in this role alone opens")] = None,
) -> None:
    """How many documents a person or a role may read, by collection (administrators; curators: of their own)."""
    found = list(client.pages("/access/reach", user=user, role=role))
    rows = ((r["collection"], r["documents"]) for r in found)
    empty = "No document of the collections that you look after."
    result(found, lambda: table(("collection", "documents"), rows, empty=empty))
