"""`clearance doctor`: looks at every part and says how to mend what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from app.cli.checks import CHECKS, files
from app.cli.connect import HOME, Home
from app.cli.finding import Finding
from app.cli.screen import err, note, out
from app.cli.setup import Setup
from app.errors import DatabaseUnavailable
from app.local.failure import LocalFailure

LOOKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[bold red]fail[/bold red]"}


def add_to(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(*, home: Home = HOME) -> None:
    """Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails."""
    findings = list(examine(home))
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("part", "", "what was found"):
        drawn.add_column(heading, overflow="fold")
    for finding in findings:
        mend = f"\n[dim]→ {escape(finding.mend)}[/dim]" if finding.mend else ""
        drawn.add_row(escape(finding.part), LOOKS[finding.state], escape(finding.says) + mend)
    out.print(drawn)
    bad = sum(finding.state == "fail" for finding in findings)
    odd = sum(finding.state == "warn" for finding in findings)
    note(f"{len(findings)} checks, {bad} failed, {odd} to look at")
    raise typer.Exit(1 if bad else 0)


def examine(home: Path) -> Iterator[Finding]:
    """All findings. Without settings the parts cannot be found, so that is the last one then."""
    yield from files(home)
    try:
        setup = Setup.of(home, os.environ)
    except LocalFailure as failure:
        yield Finding("settings", "fail", str(failure), "docs/reference.md lists the settings")
        return
    yield Finding("settings", "ok", "of the environment" if not setup.embedded else f"of {home}")
    for name, check in CHECKS.items():
        with err.status(f"{name} …"):
            try:
                found = list(check(setup))
            except (psycopg.OperationalError, DatabaseUnavailable):
                found = [Finding(name, "fail", "not to be seen while the database does not answer")]
            except Exception as error:  # noqa: BLE001  # whatever breaks a check is what the doctor is asked for
                found = [Finding(name, "fail", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", "")]
        yield from found
