"""`clearance grants`: the rule of a collection or of one document, read, changed and written back."""

import datetime as dt
import sys
import urllib.parse
from typing import Annotated, Any

import typer

from app.cli.connection import connected, when
from app.cli.find import is_id
from app.cli.output import done, moment, note, result, table
from app.cli.steps import Step, carry_out, command
from app.client.api import Client, path
from app.client.errors import UserError

Target = Annotated[str, typer.Argument(help="name of a collection, or id of a document")]
Folder = Annotated[str | None, typer.Option(help="of this folder of the collection, like payroll/2026")]
Role = Annotated[str | None, typer.Option(help="this role")]
User = Annotated[str | None, typer.Option(help="this person")]
Everyone = Annotated[bool, typer.Option("--everyone", help="every signed-in person")]
Deny = Annotated[bool, typer.Option("--deny", help="a denial instead of an allowance; it wins over any allowance")]

grants = typer.Typer(help="Who may read a collection or a document.", no_args_is_help=True)


class GrantUnclear(UserError):
    """The options name no grant, or several."""


@grants.command("show")
@connected
def show(client: Client, target: Target, *, folder: Folder = None) -> None:
    """The rule as it stands (its curators; of a collection or folder, administrators too)."""
    rule = client.get(place(target), folder=folder)
    result(rule, lambda: show_rule(target, rule))


def show_rule(target: str, rule: dict[str, Any]) -> None:
    """The grants of a rule, its label, and what it adds to."""
    rows = (
        (grant["effect"], described(grant), moment(grant["starts_at"]), moment(grant["ends_at"]))
        for grant in rule["grants"]
    )
    table(("effect", "who", "from (UTC)", "until (UTC)"), rows, empty="No grant of its own.")
    note(f"label: {rule['label'] or 'that of the collection'} · grants of the collection: "
         f"{'also' if rule['inherits'] else 'not used' if is_document(target) else 'these'}")  # fmt: skip


@grants.command("add")
@connected
def add(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    target: Target,
    *,
    role: Role = None,
    user: User = None,
    everyone: Everyone = False,
    folder: Folder = None,
    deny: Deny = False,
    start: Annotated[dt.datetime | None, typer.Option("--from", parser=when, help="counts from then on")] = None,
    end: Annotated[dt.datetime | None, typer.Option("--until", parser=when, help="counts until then")] = None,
) -> None:
    """Allow, or with --deny forbid, one role, one person or everyone to read."""
    grant = grant_body(principal(role, user, everyone=everyone), deny=deny, start=start, end=end)
    made = client.post(f"/grants?{query(target, folder)}", grant)
    done(f"{target}: {grant['effect']} {described(grant)}", made)


@grants.command("remove")
@connected
def remove(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    target: Target,
    *,
    role: Role = None,
    user: User = None,
    everyone: Everyone = False,
    folder: Folder = None,
    deny: Deny = False,
) -> None:
    """Take a grant away, whatever its times."""
    wanted = {**principal(role, user, everyone=everyone), "effect": "deny" if deny else "allow"}
    found = list(client.pages("/grants", **named(target, folder)))
    going = [grant for grant in found if all(grant[key] == value for key, value in wanted.items())]
    if not going:
        raise GrantUnclear(
            f"{target} has no grant '{wanted['effect']} {described(wanted)}': see 'clearance grants show'"
        )
    again = command(*sys.argv[1:])
    carry_out([_removal(client, grant, query(target, folder), again) for grant in going])
    done(f"{target}: no longer {wanted['effect']} {described(wanted)}")


def _removal(client: Client, grant: dict[str, Any], of: str, again: str) -> Step:
    until = moment(grant["ends_at"]) or "further notice"
    place = f"{path('grants', grant['id'])}?{of}"
    return Step(lambda: client.delete(place), f"the grant until {until} is gone", again)


def place(target: str) -> str:
    """Where the rule of a collection or document lies."""
    return path("documents" if is_document(target) else "collections", target, "access")


def query(target: str, folder: str | None = None) -> str:
    """The query that names a collection, a folder of it, or a document to /grants."""
    return urllib.parse.urlencode(named(target, folder))


def named(target: str, folder: str | None = None) -> dict[str, str]:
    """The parameters that name a collection, a folder of it, or a document to /grants."""
    given = {"document" if is_document(target) else "collection": target}
    return given if folder is None else {**given, "folder": folder}


@grants.command("folders")
@connected
def folders(client: Client, collection: Annotated[str, typer.Argument(help="name of a collection")]) -> None:
    """The folders with a rule of their own."""
    found = list(client.pages(path("collections", collection, "folders")))
    rows = (
        (f["path"], f["label"] or "", "also" if f["inherits"] else "no", ", ".join(_short(g) for g in f["grants"]))
        for f in found
    )
    headings = ("folder", "label", "inherits", "grants")
    result(found, lambda: table(headings, rows, empty="No folder has a rule of its own."))


@grants.command("folder")
@connected
def folder_rule(
    client: Client,
    collection: Annotated[str, typer.Argument(help="name of a collection")],
    folder: Annotated[str, typer.Argument(help="path of the folder, like payroll/2026")],
    *,
    inherits: Annotated[bool, typer.Option("--inherits/--breaks", help="with or without what lies above it")] = True,
    label: Annotated[str | None, typer.Option(help="label of what lies below it; unset: as above")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="take its rule away again")] = False,
) -> None:
    """Give a folder a rule of its own, without grants yet, or take it away. 'grants add --folder' fills it."""
    place = f"{path('collections', collection, 'access')}?{urllib.parse.urlencode({'folder': folder})}"
    if drop:
        client.delete(place)
        done(f"{collection}/{folder} has no rule of its own")
        return
    made = client.put(place, {"grants": [], "inherits": inherits, "label": label})
    done(f"{collection}/{folder} {'inherits from above' if inherits else 'is for nobody until a grant says so'}", made)
    note(f"documents below it: {made['documents']}")
    for warning in made["warnings"]:
        note(f"! {warning}")


def _short(grant: dict[str, Any]) -> str:
    return f"{grant['effect']} {described(grant)}"


def principal(role: str | None, user: str | None, *, everyone: bool) -> dict[str, Any]:
    """Whom the options name; raises GrantUnclear unless it is exactly one."""
    if sum((role is not None, user is not None, everyone)) != 1:
        raise GrantUnclear("name exactly one of --role, --user and --everyone")
    return {"role": role, "user": user, "everyone": everyone}


def grant_body(
    who: dict[str, Any], *, deny: bool, start: dt.datetime | None, end: dt.datetime | None
) -> dict[str, Any]:
    """A grant as it is sent."""
    return {
        **who,
        "effect": "deny" if deny else "allow",
        "starts_at": start.isoformat() if start else None,
        "ends_at": end.isoformat() if end else None,
    }


def described(grant: dict[str, Any]) -> str:
    """Whom a grant is about."""
    if grant["everyone"]:
        return "everyone"
    return f"role {grant['role']}" if grant["role"] is not None else f"user {grant['user']}"


def is_document(target: str) -> bool:
    """Whether a target is the id of a document; it is the name of a collection otherwise."""
    return is_id(target)
