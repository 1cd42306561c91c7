"""`clearance audit deliveries`: where the log is delivered to, how far each target is, and what it refused."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_result, print_success, print_table
from app.client.api import Client, path
from app.client.errors import UserError


class OneOfBoth(UserError):
    """Two things were asked for at once."""


@with_client
def deliveries(
    client: Client,
    *,
    letters: Annotated[str | None, typer.Option(help="list the records that this target refused")] = None,
    retry: Annotated[str | None, typer.Option(help="have them sent to this target again; recorded")] = None,
) -> None:
    """Where the log is delivered to, how far each target is, and what it refused (audit)."""
    if letters and retry:
        raise OneOfBoth("give --letters or --retry, not both")
    if retry:
        client.post(path("audit", "deliveries", retry, "retry"), {})
    if letters:
        _show_letters(client, letters)
        return
    found = list(client.pages("/audit/deliveries"))
    said = f"what {retry} refused is sent to it again: see 'to be sent again'" if retry else ""

    def show() -> None:
        if said:
            print_success(said)
        columns = ("target", "kind", "form", "delivered", "waiting", "for", "last (UTC)", "refused",
                   "to be sent again", "error")  # fmt: skip
        print_table(columns, map(_row, found), empty="The log is delivered nowhere: CLEARANCE_AUDIT__DELIVERIES.")

    print_result(found, show)


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    target = each["target"] if each["configured"] else f"{each['target']} (no longer named)"
    last = format_time(each["delivered_at"]) if each["delivered_at"] else "never"
    error = f"{each['error']} ({each['failures']} times)" if each["error"] else "–"
    waits = f"{each['lag_seconds']:.0f} s" if each["waiting"] else "–"
    return (target, each["kind"], each["form"], each["delivered"], each["waiting"], waits, last,
            each["dead_letters"], each["retrying"], error)  # fmt: skip


def _show_letters(client: Client, target: str) -> None:
    found = list(client.pages(path("audit", "deliveries", target, "dead-letters")))
    rows = ((each["seq"], each["reason"], format_time(each["at"]), "yes" if each["retry"] else "–") for each in found)
    columns = ("record", "refused with", "at (UTC)", "to be sent again")
    print_result(found, lambda: print_table(columns, rows, empty=f"{target} refused nothing."))
