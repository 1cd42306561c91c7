"""`clearance keys`."""

import datetime as dt
from typing import Annotated, Any

import typer

from app.cli.connection import parse_time, split_list, with_client
from app.cli.output import format_time, print_result, print_secret, print_success, print_table
from app.client.api import Client, path
from app.client.errors import UserError

NEVER = "never"

keys = typer.Typer(help="API keys.", no_args_is_help=True)


class KeyUnclear(UserError):
    """The options contradict each other, or name no key."""


def parse_expiry(text: str) -> str:
    """A date, or a time with its zone, as an ISO time in UTC; `never` as it is."""
    if text == NEVER:
        return NEVER
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        try:
            zoned = dt.datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            zoned = True  # no time at all: `parse_time` says so
        if not zoned:
            raise typer.BadParameter(f"say in which zone: {text}Z is UTC, {text}+01:00 an hour before it") from None
    at = parse_time(text).astimezone(dt.UTC)
    if at <= dt.datetime.now(dt.UTC):
        raise typer.BadParameter(f"{at:%Y-%m-%d %H:%M} UTC is past; 'clearance keys revoke' ends a key at once")
    return at.isoformat()


Expires = Annotated[
    str | None,
    typer.Option(
        parser=parse_expiry,
        metavar="TIME",
        help="when it stops working: 2027-01-31 (the start of that day, UTC), 2027-01-31T18:00+01:00, or never",
    ),
]
Key = Annotated[str, typer.Argument(help="prefix (clr_…) or id of the key, as 'clearance keys list' shows them")]


@keys.command("list")
@with_client
def list_keys(client: Client, *, user: Annotated[str | None, typer.Option(help="keys of this person")] = None) -> None:
    """Your keys; an administrator sees everybody's. The keys themselves are kept nowhere."""
    listed = list(client.pages("/keys", user=user))
    rows = [(k["prefix"], k["user"], k["label"], k["capabilities"], expiry_state(k, "revoked")) for k in listed]
    print_result(listed, lambda: print_table(("prefix", "of", "label", "may", "until (UTC)"), rows))


@keys.command("add")
@keys.command("make", hidden=True)
@with_client
def add(
    client: Client,
    user: Annotated[str, typer.Argument(help="whose key")],
    *,
    may: Annotated[str, typer.Option(help="capabilities, of those the person has: ask,download,…")] = "ask",
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    expires: Expires = None,
    days: Annotated[int | None, typer.Option(min=1, help="in place of --expires: works for so many days")] = None,
) -> None:
    """Make a key (administer). It goes to standard output, this once."""
    if days is not None and expires is not None:
        raise KeyUnclear("give either --expires or --days")
    if days is not None:
        expires = (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).isoformat()
    body = {"user": user, "label": label, "capabilities": split_list(may), "expires_at": _expires_at(expires)}
    created = client.post("/keys", body)
    about = f"The key of {user}, shown this once; revoke it with: clearance keys revoke {created['id']}"
    print_result(created, lambda: print_secret(about, created["secret"]))


@keys.command("change")
@with_client
def change(
    client: Client,
    prefix: Annotated[str, typer.Argument(help="prefix of the key (clr_…), as 'clearance keys list' shows it")],
    *,
    expires: Expires = None,
    label: Annotated[str | None, typer.Option(help="what it is for")] = None,
) -> None:
    """Change when a key stops working, or what it is for (administer). What is not given stays."""
    if expires is None and label is None:
        raise KeyUnclear("say what is to change: --expires TIME, --label TEXT")
    body: dict[str, Any] = {}
    if expires is not None:
        body["expires_at"] = _expires_at(expires)
    if label is not None:
        body["label"] = label
    changed = client.patch(path("keys", _key_id(client, prefix)), body)
    until = format_time(changed["expires_at"])
    print_success(f"{prefix} works until {until + ' UTC' if until else 'it is revoked'}", changed)


@keys.command("revoke")
@with_client
def revoke(client: Client, key: Key) -> None:
    """Revoke a key: yours, or any as an administrator. It stops working at once."""
    client.delete(path("keys", _key_id(client, key)))
    print_success("the key is revoked")


def _expires_at(expires: str | None) -> str | None:
    return None if expires == NEVER else expires


def expiry_state(credential: dict[str, str | None], revoked: str) -> str:
    """When a key or delegation expires or was revoked, as a table cell; `revoked` is the word for the latter."""
    if credential["revoked_at"]:
        return f"{revoked} {format_time(credential['revoked_at'])}"
    return format_time(credential["expires_at"]) or "–"


def _key_id(client: Client, key: str) -> str:
    """The id of a key, named by id or public prefix."""
    if not key.startswith("clr_"):
        return key
    for listed in client.pages("/keys"):
        if listed["prefix"] == key:
            return str(listed["id"])
    raise KeyUnclear(f"no key that you may change begins with {key}: see 'clearance keys list'")
