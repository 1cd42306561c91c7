"""`clearance grants`: shows and changes the rule of a collection, a folder or a document."""

import sys
from typing import Annotated, Any

import typer

from app.cli import plans
from app.cli.api_calls import ApiCall, run_calls, shell_command
from app.cli.connection import with_client
from app.cli.document_id import is_id
from app.cli.grant_options import (
    Deny,
    Everyone,
    Folder,
    From,
    GrantUnclear,
    Role,
    Target,
    Until,
    User,
    grant_body,
    target_params,
)
from app.cli.output import format_time, print_note, print_result, print_success, print_table
from app.client.api import Client, path, with_query

grants = typer.Typer(help="Who may read a collection or a document.", no_args_is_help=True)
grants.add_typer(plans.commands)


@grants.command("show")
@with_client
def show(client: Client, target: Target, *, folder: Folder = None) -> None:
    """The rule as it stands (its curators; of a collection or folder, administrators too)."""
    rule = client.get(rule_path(target), folder=folder)
    print_result(rule, lambda: print_rule(target, rule))


def print_rule(target: str, rule: dict[str, Any]) -> None:
    """Print the grants of a rule, its label, and whether those of the collection count too."""
    rows = (
        (grant["effect"], format_principal(grant), format_time(grant["starts_at"]), format_time(grant["ends_at"]))
        for grant in rule["grants"]
    )
    print_table(("effect", "who", "from (UTC)", "until (UTC)"), rows, empty="No grant of its own.")
    print_note(f"label: {rule['label'] or 'that of the collection'} · grants of the collection: "
               f"{'also' if rule['inherits'] else 'not used' if is_id(target) else 'these'}")  # fmt: skip


@grants.command("add")
@with_client
def add(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    target: Target,
    *,
    role: Role = None,
    user: User = None,
    everyone: Everyone = False,
    folder: Folder = None,
    deny: Deny = False,
    start: From = None,
    end: Until = None,
) -> None:
    """Allow, or with --deny forbid, one role, one person or everyone to read."""
    grant = grant_body(role, user, everyone=everyone, deny=deny, start=start, end=end)
    created = client.post(with_query("/grants", **target_params(target, folder)), grant)
    print_success(f"{target}: {format_grant(grant)}", created)


@grants.command("remove")
@with_client
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
    wanted = grant_body(role, user, everyone=everyone, deny=deny)
    params = target_params(target, folder)
    keys = ("role", "user", "everyone", "effect")
    matching = [grant for grant in client.pages("/grants", **params) if all(grant[key] == wanted[key] for key in keys)]
    if not matching:
        raise GrantUnclear(f"{target} has no grant '{format_grant(wanted)}': see 'clearance grants show'")
    again = shell_command(*sys.argv[1:])
    run_calls([_removal(client, grant, params, again) for grant in matching])
    print_success(f"{target}: no longer {format_grant(wanted)}")


def _removal(client: Client, grant: dict[str, Any], params: dict[str, str], again: str) -> ApiCall:
    until = format_time(grant["ends_at"]) or "further notice"
    place = with_query(path("grants", grant["id"]), **params)
    return ApiCall(lambda: client.delete(place), f"the grant until {until} is gone", again)


@grants.command("folders")
@with_client
def folders(client: Client, collection: Annotated[str, typer.Argument(help="name of a collection")]) -> None:
    """The folders with a rule of their own."""
    listed = list(client.pages(path("collections", collection, "folders")))
    rows = (
        (f["path"], f["label"] or "", "also" if f["inherits"] else "no", ", ".join(map(format_grant, f["grants"])))
        for f in listed
    )
    headings = ("folder", "label", "inherits", "grants")
    print_result(listed, lambda: print_table(headings, rows, empty="No folder has a rule of its own."))


@grants.command("folder")
@with_client
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
    place = with_query(path("collections", collection, "access"), folder=folder)
    if drop:
        client.delete(place)
        print_success(f"{collection}/{folder} has no rule of its own")
        return
    rule = client.put(place, {"grants": [], "inherits": inherits, "label": label})
    effect = "inherits from above" if inherits else "is for nobody until a grant says so"
    print_success(f"{collection}/{folder} {effect}", rule)
    print_note(f"documents below it: {rule['documents']}")
    for warning in rule["warnings"]:
        print_note(f"! {warning}")


def rule_path(target: str) -> str:
    """API path of the rule of a collection or document."""
    return path("documents" if is_id(target) else "collections", target, "access")


def format_grant(grant: dict[str, Any]) -> str:
    """Effect and principal: `deny role interns`."""
    return f"{grant['effect']} {format_principal(grant)}"


def format_principal(grant: dict[str, Any]) -> str:
    """The role or person that a grant names, or `everyone`."""
    if grant["everyone"]:
        return "everyone"
    return f"role {grant['role']}" if grant["role"] is not None else f"user {grant['user']}"
