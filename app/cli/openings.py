"""`clearance audit open`, `words`, `openings`, `approve` and `refuse`: sealed words of the log, opened for a reason."""

import shlex
from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_note, print_result, print_success, print_table, print_text
from app.client.api import Client, path
from app.client.errors import UserError

OpeningId = Annotated[str, typer.Argument(help="id of an opening")]

commands = typer.Typer()


class NothingToOpen(UserError):
    """Neither a record nor a query was named, or both."""


@commands.command("open")
@with_client
def open_words(
    client: Client,
    record: Annotated[str | None, typer.Argument(help="id of a record: its words, and those of its trail")] = None,
    *,
    reason: Annotated[str, typer.Option(help="why; the log keeps it")],
    query: Annotated[str | None, typer.Option(help="for an export of what this query finds; empty: of all")] = None,
) -> None:
    """Open sealed words for a reason (audit and open). Each opening is recorded, and the asker may be told of it."""
    if (record is None) == (query is None):
        raise NothingToOpen("name a record by its id, or give --query for an export")
    _show_words(client, client.post("/audit/openings", {"reason": reason, "record": record, "q": query}))


@commands.command("words")
@with_client
def words(client: Client, opening: OpeningId) -> None:
    """The words of an opening of yours, again, or when it was approved of (audit and open)."""
    _show_words(client, client.get(path("audit", "openings", opening)))


def _show_words(client: Client, asked: dict[str, Any]) -> None:
    words = _words_of(client, asked) if asked["state"] == "approved" and asked["record"] else []

    def show() -> None:
        for each in words:
            print_text((f"{each['seq']}  {each['kind']}  {each['field']}", "bold"))
            print_text(each["text"])
        print_note(_said(asked))

    print_result({**asked, "words": words}, show)


@commands.command("openings")
@with_client
def list_openings(client: Client, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
    """What was asked to be opened, newest first, by whom and why (audit)."""
    found = client.get("/audit/openings", limit=limit)
    rows = (
        (o["id"], o["requested_by"], format_time(o["requested_at"]), o["record"] or f"query: {o['q'] or 'all'}",
         o["reason"], o["state"], o["decided_by"] or "–")
        for o in found
    )  # fmt: skip
    columns = ("id", "by", "at (UTC)", "of", "why", "state", "decided by")
    print_result(found, lambda: print_table(columns, rows, empty="Nothing was asked for."))


@commands.command("approve")
@with_client
def approve(client: Client, opening: OpeningId) -> None:
    """Approve of what somebody else asked to open (audit and open)."""
    _decide(client, opening, approved=True)


@commands.command("refuse")
@with_client
def refuse(client: Client, opening: OpeningId) -> None:
    """Refuse what somebody else asked to open (audit and open)."""
    _decide(client, opening, approved=False)


def _decide(client: Client, opening: str, *, approved: bool) -> None:
    client.post(path("audit", "openings", opening, "decision"), {"approved": approved})
    decided = client.get(path("audit", "openings", opening))
    print_result(decided, lambda: print_success(f"{'approved' if approved else 'refused'}: {decided['reason']}"))


def _words_of(client: Client, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The words of the record and its trail, in order."""
    found = client.get(path("audit", "events", str(asked["seq"])), opening=asked["id"])
    events = {each["seq"]: each for each in (*found["trail"], found["event"])}
    return [
        {"seq": seq, "kind": events[seq]["record"]["kind"], "field": field, "text": words["text"]}
        for seq in sorted(events)
        for field, words in events[seq]["opened"].items()
        if "text" in words
    ]


def _said(asked: dict[str, Any]) -> str:
    of = f"opening {asked['id']}"
    if asked["state"] == "waiting":
        return f"{of} waits for somebody else who may open words: clearance audit approve {asked['id']}"
    if asked["state"] == "approved":
        until = format_time(asked["usable_until"])
        export = f": clearance audit export --query {shlex.quote(asked['q'] or '')} --opening {asked['id']}"
        more = "" if asked["record"] else export
        return f"{of} can be used until {until} (UTC){more}"
    return f"{of}: {asked['state']}"
