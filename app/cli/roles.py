"""`clearance roles`: roles, their members and owners, and which role is nested in which."""

from typing import Annotated

import typer

from app.cli.api_calls import ApiCall, shell_command
from app.cli.connection import split_list, with_client
from app.cli.output import print_result, print_success, print_table
from app.cli.plans import create_plan
from app.client.api import Client, path

Name = Annotated[str, typer.Argument(help="name, as in maya; okta:maya from another source")]
Role = Annotated[str, typer.Argument(help="name of a role; okta:sales from another source")]
Outer = Annotated[str, typer.Argument(help="the role it lies inside of")]
DryRun = Annotated[bool, typer.Option("--plan", help="only foresee it: who would gain and lose what")]

roles = typer.Typer(help="Roles, who is in them, and which lie inside which.", no_args_is_help=True)


@roles.command("list")
@with_client
def list_roles(client: Client, text: Annotated[str | None, typer.Argument(help="stands in the name")] = None) -> None:
    """All roles, or those whose name says this (administer or curate); members are shown to administrators."""
    listed = list(client.pages("/roles", text=text))
    rows = ((role["name"], role["inside"], role["members"]) for role in listed)
    print_result(listed, lambda: print_table(("role", "inside", "members"), rows))


@roles.command("add")
@with_client
def add(
    client: Client,
    name: Role,
    *,
    inside: Annotated[str | None, typer.Option(help="roles around it: a,b")] = None,
    group: Annotated[
        str | None, typer.Option(metavar="EXTERNAL_ID", help="the group of its source whose members it has")
    ] = None,
) -> None:
    """Make a role (administer)."""
    body = {**source_and_name(name), "inside": split_list(inside), "external_id": group}
    created = client.post("/roles", body)
    print_success(f"the role {name} is there", created)


@roles.command("remove")
@with_client
def remove(client: Client, name: Role) -> None:
    """Delete a role that no rule names (administer)."""
    client.delete(path("roles", name))
    print_success(f"the role {name} is gone")


@roles.command("join")
@with_client
def join(client: Client, person: Name, role: Role, *, plan: DryRun = False) -> None:
    """Put a person into a role (administer, or to whom the role is delegated)."""
    if plan:
        create_plan(client, {"change": "join", "user": person, "role": role})
    else:
        client.put(path("roles", role, "members", person))
        print_success(f"{person} is in {role}")


@roles.command("leave")
@with_client
def leave(client: Client, person: Name, role: Role, *, plan: DryRun = False) -> None:
    """Take a person out of a role (administer, or to whom the role is delegated)."""
    if plan:
        create_plan(client, {"change": "leave", "user": person, "role": role})
    else:
        client.delete(path("roles", role, "members", person))
        print_success(f"{person} is not in {role}")


@roles.command("delegate")
@with_client
def delegate(
    client: Client,
    role: Role,
    person: Name,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="no longer")] = False,
) -> None:
    """Let a person put others into a role and take them out (administer)."""
    place = path("roles", role, "stewards", person)
    if undo:
        client.delete(place)
        print_success(f"{person} no longer looks after {role}")
    else:
        client.put(place)
        print_success(f"{person} looks after {role}")


@roles.command("nest")
@with_client
def nest(
    client: Client,
    role: Role,
    outer: Outer,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="take it out again")] = False,
) -> None:
    """Put a role inside another: its members become members of that one too (administer)."""
    place = path("roles", role, "inside", outer)
    if undo:
        client.delete(place)
        print_success(f"{role} does not lie inside {outer}")
    else:
        client.put(place)
        print_success(f"{role} lies inside {outer}")


@roles.command("map")
@with_client
def map_group(
    client: Client,
    role: Role,
    group: Annotated[str | None, typer.Argument(help="the group as claims name it, often an id")] = None,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="stand for no group any more")] = False,
    plan: DryRun = False,
) -> None:
    """Let a role stand for a group of its provider (administer): who is in it follows from sign-ins."""
    if (group is None) != undo:
        raise typer.BadParameter("give the group, or --undo")
    if plan:
        create_plan(client, {"change": "group", "role": role, "group": group})
        return
    client.put(path("roles", role, "group"), {"group": group})
    print_success(f"{role} stands for {'no group' if group is None else group}")


@roles.command("groups")
@with_client
def claimed_groups(client: Client) -> None:
    """The groups that providers named when people signed in, and the roles that stand for them (administer)."""
    listed = list(client.pages("/roles/claimed-groups"))
    rows = ((each["source"], each["group"], each["role"], each["people"]) for each in listed)
    headings = ("source", "group", "role", "people")
    print_result(listed, lambda: print_table(headings, rows, empty="No sign-in has named a group."))


def add_member(client: Client, person: str, role: str) -> ApiCall:
    place = path("roles", role, "members", person)
    again = shell_command("roles", "join", person, role)
    return ApiCall(lambda: client.put(place), f"{person} is in {role}", again)


def source_and_name(name: str) -> dict[str, str]:
    """`okta:maya` is maya from the source okta; a name without a colon is of the source `local`."""
    source, colon, bare = name.partition(":")
    return {"source": source, "name": bare} if colon else {"source": "local", "name": name}
