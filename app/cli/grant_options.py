"""Options that name one grant, shared by `clearance grants add`, `remove` and `plan`."""

import datetime as dt
from typing import Annotated, Any

import typer

from app.cli.connection import parse_time
from app.cli.document_id import is_id
from app.client.errors import UserError

Target = Annotated[str, typer.Argument(help="name of a collection, or id of a document")]
Folder = Annotated[str | None, typer.Option(help="of this folder of the collection, like payroll/2026")]
Role = Annotated[str | None, typer.Option(help="this role")]
User = Annotated[str | None, typer.Option(help="this person")]
Everyone = Annotated[bool, typer.Option("--everyone", help="every signed-in person")]
Deny = Annotated[bool, typer.Option("--deny", help="a denial instead of an allowance; it wins over any allowance")]
From = Annotated[dt.datetime | None, typer.Option("--from", parser=parse_time, help="counts from then on")]
Until = Annotated[dt.datetime | None, typer.Option("--until", parser=parse_time, help="counts until then")]


class GrantUnclear(UserError):
    """The options name no grant, or several."""


def grant_body(
    role: str | None,
    user: str | None,
    *,
    everyone: bool,
    deny: bool,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
) -> dict[str, Any]:
    """A grant as the API takes it; raises GrantUnclear unless exactly one principal is named."""
    if sum((role is not None, user is not None, everyone)) != 1:
        raise GrantUnclear("name exactly one of --role, --user and --everyone")
    return {
        "role": role,
        "user": user,
        "everyone": everyone,
        "effect": "deny" if deny else "allow",
        "starts_at": start.isoformat() if start else None,
        "ends_at": end.isoformat() if end else None,
    }


def target_params(target: str, folder: str | None) -> dict[str, str]:
    """What names a collection, a folder of it, or a document to the API: an id is a document's, else it is a name."""
    params = {"document" if is_id(target) else "collection": target}
    return params if folder is None else {**params, "folder": folder}
