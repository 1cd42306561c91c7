"""`clearance sessions`: browsers that are signed in."""

from typing import Annotated

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_result, print_success, print_table
from app.client.api import Client, path
from app.client.errors import UserError

User = Annotated[str | None, typer.Option(help="those of this person (administer)")]

sessions = typer.Typer(help="Browsers that are signed in.", no_args_is_help=True)


class SessionUnclear(UserError):
    """The prefix names no session that the caller may end."""


@sessions.command("list")
@with_client
def list_sessions(client: Client, *, user: User = None) -> None:
    """Your sessions, or those of a person."""
    listed = list(client.pages("/sessions", user=user))
    rows = (
        (
            s["prefix"],
            s["user"],
            s["source"] or s["means"],
            s["address"],
            s["agent"],
            format_time(s["created_at"]),
            format_time(s["expires_at"]),
        )
        for s in listed
    )
    headings = ("session", "of", "signed in by", "from", "browser", "since (UTC)", "until (UTC)")
    print_result(listed, lambda: print_table(headings, rows))


@sessions.command("end")
@with_client
def end(
    client: Client,
    session: Annotated[str, typer.Argument(help="prefix (cls_…) or id, as 'clearance sessions list' shows them")],
    *,
    user: User = None,
) -> None:
    """End a session: yours, or any as an administrator. The browser is signed out at once."""
    client.delete(path("sessions", _session_id(client, session, user)))
    print_success("the session is ended")


def _session_id(client: Client, session: str, user: str | None) -> str:
    """The id of a session, named by id or public prefix."""
    if not session.startswith("cls_"):
        return session
    for listed in client.pages("/sessions", user=user):
        if listed["prefix"] == session:
            return str(listed["id"])
    whose = f"of {user}" if user else "of yours (--user looks among another person's)"
    raise SessionUnclear(f"no living session {whose} begins with {session}: see 'clearance sessions list'")
