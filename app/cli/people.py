"""`clearance people` and `clearance roles`: who there is, and in which role."""

from typing import Annotated, Literal

import typer

from app.cli.connection import connected, words
from app.cli.output import done, result, table
from app.cli.steps import Step, carry_out, command
from app.client.api import Client, path

Label = Literal["public", "internal", "confidential", "restricted"]
Name = Annotated[str, typer.Argument(help="name, as in maya; okta:maya from another source")]
Role = Annotated[str, typer.Argument(help="name of a role; okta:sales from another source")]
Outer = Annotated[str, typer.Argument(help="the role it lies inside of")]
Display = Annotated[str | None, typer.Option("--display", help="full name")]
Clearance = Annotated[Label | None, typer.Option(help="highest label they may read")]
May = Annotated[str | None, typer.Option(help="capabilities: ask,download,curate,administer,audit")]

Foresee = Annotated[bool, typer.Option("--plan", help="only foresee it: who would gain and lose what")]

people = typer.Typer(help="People and services.", no_args_is_help=True)
roles = typer.Typer(help="Roles, who is in them, and which lie inside which.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(people, name="people")
    app.add_typer(roles, name="roles")


@people.command("list")
@connected
def list_people(client: Client) -> None:
    """Everybody (administer)."""
    headings = ("name", "kind", "full name", "clearance", "roles", "may", "curates")
    found = list(client.pages("/users"))
    rows = (
        (
            user["name"] if user["active"] else f"{user['name']} (off)",
            user["kind"], user["display_name"], "–" if user["kind"] == "service" else user["clearance"],
            user["roles"], user["capabilities"], user["curates"],
        )
        for user in found
    )  # fmt: skip
    result(found, lambda: table(headings, rows))


@people.command("me")
@connected
def me(client: Client) -> None:
    """Who you are to the service."""
    found = client.get("/users/me")
    result(found, lambda: table(("what", "value"), found.items()))


@people.command("add")
@connected
def add(
    client: Client,
    name: Name,
    *,
    display: Display = None,
    clearance: Clearance = "internal",
    may: May = "ask",
    roles: Annotated[str | None, typer.Option(help="roles to join: a,b")] = None,
) -> None:
    """Make a person (administer). They read nothing until a role or a grant lets them."""
    more = {"clearance": clearance, "display_name": display or "", "capabilities": words(may)}
    person = Step(
        lambda: client.post("/users", {**_named(name), **more}), f"{name} is there", command("people", "add", name)
    )
    made = carry_out([person, *(_joining(client, name, role) for role in words(roles))])
    done(f"{name} is there; 'clearance keys add {name}' makes a key", made[0])


@people.command("add-service")
@connected
def add_service(
    client: Client,
    name: Name,
    *,
    display: Display = None,
    may: Annotated[str, typer.Option(help="the most it may do for anybody: ask,download")] = "ask",
) -> None:
    """Make a service (administer). It is in no role and reads nothing, but for a person who lets it act for them."""
    more = {"kind": "service", "display_name": display or "", "capabilities": words(may)}
    made = client.post("/users", {**_named(name), **more})
    done(f"{name} is there; people let it act for them with 'clearance delegations make {name}'", made)


@people.command("set")
@connected
def change(
    client: Client,
    name: Name,
    *,
    display: Display = None,
    clearance: Clearance = None,
    may: May = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="may sign in or not")] = None,
) -> None:
    """Change a person (administer). What is not given stays."""
    body = {
        "display_name": display,
        "clearance": clearance,
        "capabilities": None if may is None else words(may),
        "active": active,
    }
    changed = client.patch(path("users", name), {key: value for key, value in body.items() if value is not None})
    done(f"{name} is changed", changed)


@people.command("off")
@connected
def off(client: Client, name: Name) -> None:
    """Switch a person off (administer): all their keys stop working at once."""
    changed = client.patch(path("users", name), {"active": False})
    done(f"{name} is off; 'clearance people set {name} --on' undoes it", changed)


@roles.command("list")
@connected
def list_roles(client: Client) -> None:
    """All roles (administer or curate); members are shown to administrators."""
    found = list(client.pages("/roles"))
    rows = ((role["name"], role["inside"], role["members"]) for role in found)
    result(found, lambda: table(("role", "inside", "members"), rows))


@roles.command("add")
@connected
def add_role(
    client: Client, name: Role, *, inside: Annotated[str | None, typer.Option(help="roles around it: a,b")] = None
) -> None:
    """Make a role (administer)."""
    made = client.post("/roles", {**_named(name), "inside": words(inside)})
    done(f"the role {name} is there", made)


@roles.command("remove")
@connected
def remove_role(client: Client, name: Role) -> None:
    """Delete a role that no rule names (administer)."""
    client.delete(path("roles", name))
    done(f"the role {name} is gone")


@roles.command("join")
@connected
def join(client: Client, person: Name, role: Role, *, foresee: Foresee = False) -> None:
    """Put a person into a role (administer, or to whom the role is delegated)."""
    if foresee:
        _foresee(client, "join", person, role)
        return
    client.put(path("roles", role, "members", person))
    done(f"{person} is in {role}")


@roles.command("leave")
@connected
def leave(client: Client, person: Name, role: Role, *, foresee: Foresee = False) -> None:
    """Take a person out of a role (administer, or to whom the role is delegated)."""
    if foresee:
        _foresee(client, "leave", person, role)
        return
    client.delete(path("roles", role, "members", person))
    done(f"{person} is not in {role}")


@roles.command("delegate")
@connected
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
        done(f"{person} no longer looks after {role}")
    else:
        client.put(place)
        done(f"{person} looks after {role}")


@roles.command("nest")
@connected
def nest(
    client: Client,
    role: Role,
    outer: Outer,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="take it out again")] = False,
) -> None:
    """Put a role inside another: its members become members of that one too (administer)."""
    if undo:
        client.delete(path("roles", role, "inside", outer))
        done(f"{role} does not lie inside {outer}")
    else:
        client.put(path("roles", role, "inside", outer))
        done(f"{role} lies inside {outer}")


def _foresee(client: Client, change: str, person: str, role: str) -> None:
    from app.cli.plans import keep  # noqa: PLC0415  # the commands about grants, which no other command here needs

    keep(client, {"change": change, "user": person, "role": role})


def _joining(client: Client, person: str, role: str) -> Step:
    place = path("roles", role, "members", person)
    return Step(lambda: client.put(place), f"{person} is in {role}", command("roles", "join", person, role))


def _named(name: str) -> dict[str, str]:
    """Source and name of `okta:maya`; a name alone is of ours."""
    source, colon, own = name.partition(":")
    return {"source": source, "name": own} if colon else {"source": "local", "name": name}
