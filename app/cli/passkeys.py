"""`clearance passkeys`: what people sign in with. They are added in a browser alone."""

from typing import Annotated

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_result, print_success, print_table
from app.client.api import Client, path

passkeys = typer.Typer(help="Passkeys, by which people sign in.", no_args_is_help=True)


@passkeys.command("list")
@with_client
def list_passkeys(
    client: Client, *, user: Annotated[str | None, typer.Option(help="those of this person (administer)")] = None
) -> None:
    """Your passkeys, or those of a person. A browser adds one, on the page where you are signed in."""
    listed = list(client.pages("/passkeys", user=user))
    rows = (
        (p["id"], p["user"], p["label"], format_time(p["created_at"]), format_time(p["last_used_at"])) for p in listed
    )
    print_result(listed, lambda: print_table(("id", "of", "device", "added (UTC)", "last used (UTC)"), rows))


@passkeys.command("revoke")
@with_client
def revoke(client: Client, passkey: Annotated[str, typer.Argument(help="id of the passkey")]) -> None:
    """Revoke a passkey: yours, or any as an administrator. It signs nobody in; sessions that it began go on."""
    client.delete(path("passkeys", passkey))
    print_success("the passkey is revoked")
