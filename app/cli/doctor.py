"""`clearance doctor`: looks at every part and says how to mend what is wrong."""

import os
from collections.abc import Iterator

import typer
from rich.markup import escape

from app.cli import checks
from app.cli.checks import Check, Finding
from app.cli.connect import HOME, Home
from app.cli.screen import draw, note, out
from app.cli.setup import Setup, SetupUnusable

LOOKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[bold red]fail[/bold red]"}


def add_to(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(*, home: Home = HOME) -> None:
    """Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails."""
    findings = list(examine(Setup.files(home), Setup.of, home))
    drawn = draw(("part", "", "what was found"), [])
    for finding in findings:
        mend = f"\n[dim]→ {escape(finding.mend)}[/dim]" if finding.mend else ""
        drawn.add_row(escape(finding.part), LOOKS[finding.state], escape(finding.says) + mend)
    out.print(drawn)
    bad = sum(finding.state == "fail" for finding in findings)
    odd = sum(finding.state == "warn" for finding in findings)
    note(f"{len(findings)} checks, {bad} failed, {odd} to look at")
    raise typer.Exit(1 if bad else 0)
