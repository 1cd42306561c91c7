"""`clearance delegations`: which services may act for the caller."""

from typing import Annotated

import typer

from app.cli.connection import split_list, with_client
from app.cli.keys import expiry_state
from app.cli.output import print_result, print_secret, print_success, print_table
from app.client.api import Client, path

delegations = typer.Typer(help="What you let services do for you.", no_args_is_help=True)


@delegations.command("list")
@with_client
def list_delegations(
    client: Client, *, user: Annotated[str | None, typer.Option(help="those of this person (administer)")] = None
) -> None:
    """Which services may act for you; an administrator sees everybody's. The tokens themselves are kept nowhere."""
    listed = list(client.pages("/delegations", user=user))
    rows = [(d["id"], d["person"], d["service"], d["capabilities"], expiry_state(d, "ended")) for d in listed]
    print_result(listed, lambda: print_table(("id", "person", "service", "may", "until (UTC)"), rows))


@delegations.command("make")
@with_client
def create(
    client: Client,
    service: Annotated[str, typer.Argument(help="the service that may act for you")],
    *,
    hours: Annotated[float, typer.Option(min=0.01, help="how long")] = 8.0,
    may: Annotated[str, typer.Option(help="ask, download or both, of what you may yourself: ask,download")] = "ask",
) -> None:
    """Let a service ask for you, as you. The token goes to standard output, this once."""
    body = {"service": service, "expires_in": round(hours * 3600), "capabilities": split_list(may)}
    created = client.post("/delegations", body)
    about = f"Your token for {service}, shown this once; end it with: clearance delegations revoke {created['id']}"
    print_result(created, lambda: print_secret(about, created["secret"]))


@delegations.command("revoke")
@with_client
def revoke(client: Client, delegation: Annotated[str, typer.Argument(help="id of the delegation")]) -> None:
    """End one of yours, or any as an administrator. It stops working at once."""
    client.delete(path("delegations", delegation))
    print_success("the delegation is ended")
