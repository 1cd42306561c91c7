"""`clearance people`."""

from typing import Annotated, Any, Literal

import typer

from app.cli import erasing, people_import, people_sync
from app.cli.api_calls import ApiCall, run_calls, shell_command
from app.cli.connection import split_list, with_client
from app.cli.output import format_time, print_note, print_result, print_secret, print_success, print_table
from app.cli.roles import Name, add_member, source_and_name
from app.client.api import Client, path

Label = Literal["public", "internal", "confidential", "restricted"]
DisplayName = Annotated[str | None, typer.Option("--display", help="full name")]
Clearance = Annotated[Label | None, typer.Option(help="highest label they may read")]
Capabilities = Annotated[
    str | None, typer.Option(help="capabilities: ask,download,curate,administer,audit,open,export,erase,hold,reveal")
]

people = typer.Typer(help="People and services.", no_args_is_help=True)
people.add_typer(people_import.commands)
people.add_typer(people_sync.commands)
people.add_typer(erasing.of_people)


@people.command("list")
@with_client
def list_people(
    client: Client, text: Annotated[str | None, typer.Argument(help="stands in the name or full name")] = None
) -> None:
    """Everybody, or those whose name says this (administer)."""
    headings = ("name", "kind", "full name", "clearance", "roles", "may", "curates", "last sign-in (UTC)")
    response = list(client.pages("/users", text=text))
    rows = (
        (
            f"{user['name']}{_state(user)}",
            user["kind"], user["display_name"], "–" if user["kind"] == "service" else user["clearance"],
            user["roles"], user["capabilities"], user["curates"], format_time(user["last_sign_in"]),
        )
        for user in response
    )  # fmt: skip
    print_result(response, lambda: print_table(headings, rows))


def _state(user: dict[str, Any]) -> str:
    """What stands behind a name: whether its source may switch it on again by itself."""
    return "" if user["active"] else " (off, held)" if user["held"] else " (off)"


@people.command("show")
@with_client
def show(client: Client, name: Name) -> None:
    """One person or service: source, roles and how they come by them, last sign-in, what switching off ends."""
    found = client.get(path("users", name))
    at = format_time(found["last_sign_in"])
    told = {
        **found,
        "last_sign_in": f"{at} UTC" if at else "never",
        "held_roles": [_held(role) for role in found["held_roles"]],
        "credentials": [f"{number} {what}" for what, number in found["credentials"].items()],
    }
    print_result(found, lambda: print_table(("what", "value"), told.items()))


def _held(role: dict[str, Any]) -> str:
    """A role, by which others it comes, and until when."""
    by = f" by {' in '.join(role['through'])}" if role["through"] else ""
    return f"{role['role']}{by}" + (f" until {format_time(role['until'])} UTC" if role["until"] else "")


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
    provisions: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="keep the people and roles of this source, and nothing else")
    ] = None,
) -> None:
    """Make a service (administer). It is in no role and reads nothing, but for a person who lets it act for them."""
    allowed = ["provision"] if provisions else split_list(may)
    more = {"kind": "service", "display_name": display or "", "capabilities": allowed, "provisions": provisions}
    created = client.post("/users", {**source_and_name(name), **more})
    then = f"people let it act for them with 'clearance delegations make {name}'"
    if provisions:
        then = f"'clearance keys add {name} --may provision' makes the key by which it keeps '{provisions}'"
    print_success(f"{name} is there; {then}", created)


@people.command("invite")
@with_client
def invite(
    client: Client,
    name: Name,
    *,
    loopback: Annotated[bool, typer.Option("--loopback", help="good from the service's own machine alone")] = False,
) -> None:
    """Make a link that signs a person in once (administer). It goes to standard output, this once."""
    made = client.post(path("users", name, "links"), {"loopback": loopback})
    where = ", from the service's own machine alone" if loopback else ""
    about = (
        f"Signs {name} in, once{where}, until {format_time(made['expires_at'])} UTC; "
        f"take it back with: clearance people uninvite {made['id']}"
    )
    print_result(made, lambda: print_secret(about, made["url"]))


@people.command("uninvite")
@with_client
def revoke_link(client: Client, link: Annotated[str, typer.Argument(help="id of the link, as it was printed")]) -> None:
    """Take back a link that nobody has used (administer)."""
    client.delete(path("links", link))
    print_success("the link signs nobody in any more")


@people.command("sign-out")
@with_client
def sign_out(client: Client, name: Name) -> None:
    """End all sessions of a person: yours, or anybody's as an administrator. Keys stay ('clearance keys revoke')."""
    answer = client.delete(path("users", name, "sessions"))
    print_success(f"{name} is signed out everywhere; sessions ended: {answer['ended']}", answer)


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
    """Switch a person off (administer): all that they come in with ends at once, for good."""
    changed = client.patch(path("users", name), {"active": False})
    print_success(f"{name} is off: their keys, sessions, links and passkeys have ended", changed)
    print_note(f"'clearance people set {name} --on' lets them in again; keys have to be made anew")
