"""`clearance keys`."""

import datetime as dt
from typing import Annotated

import typer

from app.cli.connect import connected, when, words
from app.cli.screen import done, err, moment, note, out, table
from app.local.client import Client, path

Until = Annotated[dt.datetime | None, typer.Option(parser=when, help="its end: 2027-01-31 or 2027-01-31T09:00+01:00")]
keys = typer.Typer(help="API keys.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(keys, name="keys")


@keys.command("list")
@connected
def list_keys(client: Client, *, user: Annotated[str | None, typer.Option(help="keys of this person")] = None) -> None:
    """Your keys; an administrator sees everybody's. The keys themselves are kept nowhere."""
    rows = [
        (key["id"], key["user"], key["label"], key["capabilities"], _state(key))
        for key in client.pages("/keys", user=user)
    ]
    table(("id", "of", "label", "may", "until (UTC)"), rows)


@keys.command("make")
@connected
def make(
    client: Client,
    user: Annotated[str, typer.Argument(help="whose key")],
    *,
    may: Annotated[str, typer.Option(help="capabilities, of those the person has: ask,download,…")] = "ask",
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    days: Annotated[int | None, typer.Option(min=1, help="how long it works; unset: until it is revoked")] = None,
    until: Until = None,
) -> None:
    """Make a key (administer). It goes to standard output, this once."""
    if days is not None and until is not None:
        raise typer.BadParameter("give --days or --until, not both")
    end = until if days is None else dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    body = {
        "user": user,
        "label": label,
        "capabilities": words(may),
        "expires_at": None if end is None else end.isoformat(),
    }
    made = client.post("/keys", body)
    note(f"The key of {user}, shown this once; revoke it with: clearance keys revoke {made['id']}")
    err.file.flush()
    out.file.write(made["secret"] + "\n")


@keys.command("change")
@connected
def change(
    client: Client,
    key: Annotated[str, typer.Argument(help="id of the key")],
    *,
    until: Until = None,
    label: Annotated[str | None, typer.Option(help="what it is for")] = None,
    forever: Annotated[bool, typer.Option("--forever", help="until it is revoked")] = False,
) -> None:
    """Change a key's end or label (administer). You may let your own end earlier."""
    if forever and until is not None:
        raise typer.BadParameter("give --until or --forever, not both")
    body: dict[str, str | None] = {} if label is None else {"label": label}
    if forever or until is not None:
        body["expires_at"] = None if until is None else until.isoformat()
    if not body:
        raise typer.BadParameter("give --until, --forever or --label")
    changed = client.patch(path("keys", key), body)
    done(f"the key works until {moment(changed['expires_at']) or 'it is revoked'}")


@keys.command("revoke")
@connected
def revoke(client: Client, key: Annotated[str, typer.Argument(help="id of the key")]) -> None:
    """Revoke a key: yours, or any as an administrator. It stops working at once."""
    client.delete(path("keys", key))
    done("the key is revoked")


def _state(key: dict[str, str | None]) -> str:
    if key["revoked_at"]:
        return f"revoked {moment(key['revoked_at'])}"
    return moment(key["expires_at"]) or "–"
