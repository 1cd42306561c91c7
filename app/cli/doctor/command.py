"""`clearance doctor`: looks at every part and says how to mend what is wrong."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg
import typer

from app.cli.connection import HOME, AsJson, Home
from app.cli.console import err
from app.cli.doctor.checks import CHECKS, files
from app.cli.doctor.finding import Finding
from app.cli.doctor.installation import Setup
from app.cli.output import print_note, print_result, print_table
from app.client.errors import UserError
from app.errors import DatabaseUnavailable


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(*, home: Home = HOME, _as_json: AsJson = False) -> None:
    """Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails."""
    findings = list(examine(home))
    rows = ((f.part, f.state, f"{f.says}\n→ {f.mend}" if f.mend else f.says) for f in findings)
    print_result([asdict(f) for f in findings], lambda: print_table(("part", "state", "what was found"), rows))
    bad = sum(finding.state == "fail" for finding in findings)
    odd = sum(finding.state == "warn" for finding in findings)
    print_note(f"{len(findings)} checks, {bad} failed, {odd} to look at")
    raise typer.Exit(1 if bad else 0)


def examine(home: Path) -> Iterator[Finding]:
    """All findings. Without settings the parts cannot be found, so that is the last one then."""
    yield from files(home)
    try:
        setup = Setup.of(home, os.environ)
    except UserError as failure:
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
