"""The command `clearance doctor`."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg
import typer

from app.admin.health.check_result import CheckResult
from app.cli.connection import HOME, AsJson, Home
from app.cli.console import err
from app.cli.doctor.checks import CHECKS, check_file_modes
from app.cli.doctor.installation import Installation
from app.cli.output import print_note, print_result, print_table
from app.client.errors import UserError
from app.errors import DatabaseUnavailable


def doctor(*, home: Home = HOME, _as_json: AsJson = False) -> None:
    """Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails."""
    results = list(run_checks(home))
    rows = ((r.part, r.state, f"{r.says}\n→ {r.mend}" if r.mend else r.says) for r in results)
    print_result([asdict(r) for r in results], lambda: print_table(("part", "state", "what was found"), rows))
    failed = sum(result.state == "fail" for result in results)
    warnings = sum(result.state == "warn" for result in results)
    print_note(f"{len(results)} checks, {failed} failed, {warnings} to look at")
    raise typer.Exit(1 if failed else 0)


def run_checks(home: Path) -> Iterator[CheckResult]:
    """The results of all checks; if the settings are missing, that is the last one."""
    yield from check_file_modes(home)
    try:
        installation = Installation.of(home, os.environ)
    except UserError as error:
        yield CheckResult("settings", "fail", str(error), "docs/reference.md lists the settings")
        return
    yield CheckResult("settings", "ok", "of the environment" if not installation.embedded else f"of {home}")
    for name, check in CHECKS.items():
        with err.status(f"{name} …"):
            try:
                results = list(check(installation))
            except (psycopg.OperationalError, DatabaseUnavailable):
                results = [CheckResult(name, "fail", "not to be seen while the database does not answer")]
            except Exception as error:  # noqa: BLE001  # an error in a check is a result of it
                results = [
                    CheckResult(name, "fail", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", "")
                ]
        yield from results
