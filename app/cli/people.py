"""`clearance people`."""

from typing import Annotated, Literal

import typer

from app.cli import people_import, people_sync
from app.cli.api_calls import ApiCall, run_calls, shell_command
from app.cli.connection import split_list, with_client
from app.cli.output import print_result, print_success, print_table
from app.cli.roles import Name, add_member, source_and_name
from app.client.api import Client, path

Label = Literal["public", "internal", "confidential", "restricted"]
DisplayName = Annotated[str | None, typer.Option("--display", help="full name")]
Clearance = Annotated[Label | None, typer.Option(help="highest label they may read")]
Capabilities = Annotated[str | None, typer.Option(help="capabilities: ask,download,curate,administer,audit")]

people = typer.Typer(help="People and services.", no_args_is_help=True)
people.add_typer(people_import.commands)
people.add_typer(people_sync.commands)


@people.command("list")
@with_client
def list_people(client: Client) -> None:
    """Everybody (administer)."""
    headings = ("name", "kind", "full name", "clearance", "roles", "may", "curates")
    response = list(client.pages("/users"))
    rows = (
        (
            user["name"] if user["active"] else f"{user['name']} (off)",
            user["kind"], user["display_name"], "–" if user["kind"] == "service" else user["clearance"],
            user["roles"], user["capabilities"], user["curates"],
        )
        for user in response
    )  # fmt: skip
    print_result(response, lambda: print_table(headings, rows))


@people.command("me")
@with_client
def me(client: Client) -> None:
    """Who you are to the service."""
    response = client.get("/users/me")
    print_result(response, lambda: print_table(("what", "value"), response.items()))


@people.command("add")
@with_client
def add(
    client: Client,
    name: Name,
    *,
    display: DisplayName = None,
    clearance: Clearance = "internal",
    may: Capabilities = "ask",
    roles: Annotated[str | None, typer.Option(help="roles to join: a,b")] = None,
) -> None:
    """Make a person (administer). They read nothing until a role or a grant lets them."""
    body = {
        **source_and_name(name),
        "clearance": clearance,
        "display_name": display or "",
        "capabilities": split_list(may),
    }
    first = ApiCall(lambda: client.post("/users", body), f"{name} is there", shell_command("people", "add", name))
    created, *_ = run_calls([first, *(add_member(client, name, role) for role in split_list(roles))])
    print_success(f"{name} is there; 'clearance keys add {name}' makes a key", created)


@people.command("add-service")
@with_client
def add_service(
    client: Client,
    name: Name,
    *,
    display: DisplayName = None,
    may: Annotated[str, typer.Option(help="the most it may do for anybody: ask,download")] = "ask",
) -> None:
    """Make a service (administer). It is in no role and reads nothing, but for a person who lets it act for them."""
    more = {"kind": "service", "display_name": display or "", "capabilities": split_list(may)}
    created = client.post("/users", {**source_and_name(name), **more})
    print_success(f"{name} is there; people let it act for them with 'clearance delegations make {name}'", created)


@people.command("set")
@with_client
def change(
    client: Client,
    name: Name,
    *,
    display: DisplayName = None,
    clearance: Clearance = None,
    may: Capabilities = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="may sign in or not")] = None,
) -> None:
    """Change a person (administer). What is not given stays."""
    body = {
        "display_name": display,
        "clearance": clearance,
        "capabilities": None if may is None else split_list(may),
        "active": active,
    }
    changed = client.patch(path("users", name), {key: value for key, value in body.items() if value is not None})
    print_success(f"{name} is changed", changed)


@people.command("off")
@with_client
def disable(client: Client, name: Name) -> None:
    """Switch a person off (administer): all their keys stop working at once."""
    changed = client.patch(path("users", name), {"active": False})
    print_success(f"{name} is off; 'clearance people set {name} --on' undoes it", changed)
