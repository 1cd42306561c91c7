"""What a compliance officer asks of the log: who had or could have had a document, and which answers are stale."""

import datetime as dt
from typing import Annotated, Any

import typer

from app.cli.connection import parse_time, with_client
from app.cli.exposure_report import (
    PEOPLE,
    WAYS,
    grant_words,
    maker_words,
    markdown,
    person_name,
    person_row,
    pruned_words,
    summary_lines,
)
from app.cli.output import format_time, print_note, print_result, print_table, print_text
from app.client.api import Client, path

Document = Annotated[str, typer.Option(help="id of the document, also of one that is gone")]
Until = Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="before then; unset: until now")]


@with_client
def shown(
    client: Client,
    *,
    document: Annotated[str | None, typer.Option(help="who was shown this: its id, also of one that is gone")] = None,
    user: Annotated[str | None, typer.Option(help="what this person did")] = None,
    since: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="from then on")] = None,
    until: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="before then")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
) -> None:
    """Who was shown a document, or what a person was shown, last shown first (audit). Reading is recorded too."""
    times = {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
    report = client.get("/audit/shown", limit=limit, document=document, user=user, **times)
    columns = ("who", "document", *WAYS.values(), "first (UTC)", "last (UTC)")
    rows = (
        (each["user"] or f"{', '.join(each['names'])} (gone)", each["document"],
         *(each["times"][way] or "–" for way in WAYS), format_time(each["first"]), format_time(each["last"]))
        for each in report["found"]
    )  # fmt: skip

    def show() -> None:
        print_table(columns, rows, empty="Nobody was, as far as the log goes.")
        _print_lacking(report)

    print_result(report, show)


@with_client
def exposure(
    client: Client,
    *,
    document: Document,
    since: Annotated[dt.datetime, typer.Option(parser=parse_time, help="from then on")],
    until: Until = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="as Markdown, for the annex of a notice of a breach")
    ] = False,
) -> None:
    """Who was shown a document, who could have read it, and by which grant made by whom (audit). It is recorded."""
    end = until or dt.datetime.now(dt.UTC)
    asked = {"document": document, "since": since.isoformat(), "until": end.isoformat()}
    report = client.joined("/audit/exposure", items="people", **asked)

    def show() -> None:
        if as_markdown:
            print_text(markdown(report))
            return
        for line in summary_lines(report):
            print_text(line)
        _print_grants(report["grants"])
        rows = map(person_row, report["people"])
        print_table(PEOPLE, rows, empty="Nobody had it or could have had it, as far as log and history go.")

    print_result(report, show)


@with_client
def access(
    client: Client,
    *,
    document: Document,
    user: Annotated[str, typer.Option(help="a name of today or in any record, or an id")],
    at: Annotated[dt.datetime, typer.Option(parser=parse_time, help="the moment")],
) -> None:
    """Whether somebody could read a document at a moment, by which grant made by whom (audit). Reading is recorded."""
    answer = client.get("/audit/access", document=document, user=user, at=at.isoformat())
    verdicts = {True: ("could read", "green"), False: ("could not read", "red"), None: ("is not known to", "yellow")}

    def show() -> None:
        print_text((person_name(answer), "bold"), " ", verdicts[answer["allowed"]], f" it ({answer['reason']})")
        print_text(f"  {answer['explanation']}", wrap=True)
        if answer["grants"]:
            _print_grants(answer["grants"])

    print_result(answer, show)


@with_client
def stale_answers(
    client: Client,
    *,
    document: Annotated[str | None, typer.Option(help="answers made from this: its id, also of one gone")] = None,
    since: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="from then on")] = None,
    until: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="before then")] = None,
) -> None:
    """Answers that rest on a document which is gone or has another version now, newest first (audit). Recorded too."""
    moments = {name: at.isoformat() if at else None for name, at in (("since", since), ("until", until))}
    report = client.joined("/audit/stale-answers", items="found", document=document, **moments)
    rows = (
        (format_time(each["at"]), person_name(each) if each["person"] else "–", each["trail"], one["document"],
         ", ".join(one["shown"]), one["now"] or "gone")
        for each in report["found"]
        for one in each["documents"]
    )  # fmt: skip
    columns = ("at (UTC)", "who asked", "trail", "document", "version shown", "version now")

    def show() -> None:
        print_table(columns, rows, empty="No answer does.")
        _print_lacking(report)

    print_result(report, show)


@with_client
def unusual(
    client: Client,
    *,
    user: Annotated[str | None, typer.Option(help="of this person alone")] = None,
    since: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="from that day on")] = None,
    until: Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="before then; unset: until now")] = None,
) -> None:
    """Days on which people were shown far more documents than is usual for roles and people (audit). Recorded too."""
    moments = {name: at.isoformat() if at else None for name, at in (("since", since), ("until", until))}
    report = client.joined("/audit/unusual", items="found", user=user, **moments)

    def show() -> None:
        for each in report["found"]:
            by = f", also by {', '.join(each['via'])}" if each["via"] else ""
            print_text((f"{each['day']}  {person_name(each)}{by}", "bold"))
            print_text(f"  {each['explanation']}", wrap=True)
        if not report["found"]:
            print_text("No day was far above what is usual.")
        print_text(
            f"{report['days']:,} person-days from {report['since']} to before {report['until']} (UTC);"
            f" {report['without_baseline']:,} with many documents had nothing to be compared with.",
            wrap=True,
        )
        _print_lacking(report)

    print_result(report, show)


@with_client
def replay(
    client: Client,
    trail: Annotated[str, typer.Argument(help="of the answer, as the log and the answer name it")],
) -> None:
    """Make an answer's prompt again from what still stands, and compare it with its commitment (audit). Recorded too.

    No word of it is shown. Exit status 1 where all stands and the bytes differ.
    """
    found = client.get(path("audit", "trails", trail, "replay"))
    verdicts = {
        "same": ("the same, byte for byte", "bold green"),
        "different": ("different: all that the record names stands, and gives another prompt", "bold red"),
        "not rebuilt": ("not rebuilt", "bold yellow"),
    }

    def show() -> None:
        print_text(verdicts[found["result"]])
        for each in found["reasons"]:
            of = each["document"] or each["turn"]
            print_text(f"  {each['explanation']}{f' {of}' if of else ''}", wrap=True)

    print_result(found, show)
    raise typer.Exit(1 if found["result"] == "different" else 0)


def _print_lacking(report: dict[str, Any]) -> None:
    """Say so where records that were asked for are not there any more."""
    if before := report["pruned_before"]:
        print_note(pruned_words(before))


def _print_grants(grants: list[dict[str, Any]]) -> None:
    rows = ((place, grant_words(grant), maker_words(grant)) for place, grant in enumerate(grants))
    print_table(("grant", "to", "made by"), rows, empty="No grant opened it to anybody.")
