"""`clearance collections`."""

from typing import Annotated

import typer

from app.cli.api_calls import ApiCall, run_calls, shell_command
from app.cli.connection import with_client
from app.cli.output import print_result, print_success, print_table
from app.cli.people import Label
from app.client.api import Client, path

collections = typer.Typer(help="Collections: their rules and curators.", no_args_is_help=True)


@collections.command("list")
@with_client
def list_collections(client: Client) -> None:
    """Collections you may read from or curate."""
    listed = list(client.pages("/collections"))
    rows = ((c["name"], c["description"]) for c in listed)
    print_result(listed, lambda: print_table(("collection", "description"), rows))


@collections.command("make")
@with_client
def create(
    client: Client,
    name: Annotated[str, typer.Argument()],
    *,
    description: Annotated[str, typer.Option()] = "",
    label: Annotated[Label, typer.Option(help="label of documents that have no own one")] = "internal",
    curator: Annotated[list[str] | None, typer.Option(help="who may upload; may be given again")] = None,
) -> None:
    """Make a collection (administer). Nobody reads from it until a grant or the tags of a document say so."""
    body = {"name": name, "description": description, "label": label}
    first = ApiCall(
        lambda: client.post("/collections", body),
        f"the collection {name} is there",
        shell_command("collections", "make", name),
    )
    created, *_ = run_calls([first, *(_add_curator(client, name, person) for person in curator or [])])
    print_success(f"the collection {name} is there", created)


def _add_curator(client: Client, name: str, person: str) -> ApiCall:
    place = path("collections", name, "curators", person)
    again = shell_command("collections", "curate", name, person)
    return ApiCall(lambda: client.put(place), f"{person} curates {name}", again)


@collections.command("curate")
@with_client
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
        print_success(f"{person} no longer curates {name}")
    else:
        client.put(place)
        print_success(f"{person} curates {name}")
