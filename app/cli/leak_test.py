"""`clearance leak-test`: whether anybody can be shown, or can tell, what they may not, on the running instance."""

import os
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from app.cli.connection import (
    HOME,
    AsJson,
    AsPerson,
    ConnectionOptions,
    Home,
    KeyFile,
    Url,
    find_key,
    find_url,
    person_key,
)
from app.cli.console import err, out
from app.cli.output import print_error, print_note, print_result
from app.client.api import Client
from app.client.errors import UserError
from app.errors import AppError
from app.leak_test.cast import PEOPLE
from app.leak_test.report import LEGEND, SIGNS, STAYS, LeakReport
from app.leak_test.results import Verdict
from app.leak_test.run import leak_test as run_test
from app.local.sample_people import ADMINISTRATOR, PEOPLE_FILE, read_people

LEAKED, NOT_TESTED = 1, 2
COLORS: dict[Verdict, str] = {"holds": "green", "fails": "bold red", "refused": "dim", "not asked": "dim"}
WIDE = 100


def leak_test(
    *,
    report: Annotated[Path, typer.Option(help="file for the report; a .md file of the same name is put beside it")] = (
        Path("leak-test.json")
    ),
    as_person: AsPerson = None,
    key_file: KeyFile = None,
    url: Url = None,
    home: Home = HOME,
    _as_json: AsJson = False,
) -> None:
    """Try to leak: plant canaries, ask as everybody through every surface, remove it all (administer).

    It works on the running instance, in a collection of its own that nobody else reads. Without a key that is named,
    the sample company's administrator is used, if it runs here. Exit status: 0 nothing leaked, 1 something did,
    2 it could not be tested.
    """
    wanted = ConnectionOptions(as_person, key_file, url, home)
    try:
        if not report.parent.is_dir():
            raise NotADirectoryError(f"there is no folder {report.parent} for the report")
        with Client(find_url(wanted, os.environ), _key(wanted)) as admin, _Shown() as shown:
            found = run_test(admin, shown)
        saved = found.save(report)
    except (UserError, AppError, OSError) as failure:
        print_error(failure)
        raise typer.Exit(NOT_TESTED) from failure
    except KeyboardInterrupt:
        print_note("Ended. What was planted is removed.")
        raise typer.Exit(NOT_TESTED) from None
    print_result(
        {"ok": found.ok, "verdict": found.verdict(), "reports": [str(file) for file in saved]}, lambda: show(found)
    )
    print_note(f"{STAYS}\nThe report: {saved[0]} and {saved[1]}")
    raise typer.Exit(0 if found.ok else LEAKED)


def show(found: LeakReport) -> None:
    """The matrix, what is wrong, and the verdict."""
    # Wider than a screen of 80: a matrix in pieces says nothing.
    wide = Console(file=out.file, width=max(WIDE, out.width), highlight=False)
    wide.print(draw(found))
    wide.print(Text(LEGEND, "dim"))
    for person in PEOPLE.values():
        wide.print(Text(f"  {person.head:<4} {person.about}", "dim"))
    for line in found.lines():
        out.print(Text.assemble(("✗ ", "bold red"), line), soft_wrap=True)
    out.print(Text(found.verdict(), "bold green" if found.ok else "bold red"), soft_wrap=True)


def draw(found: LeakReport) -> Table:
    """Surfaces as rows, people as columns."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    drawn.add_column("surface", overflow="fold")
    for person in PEOPLE.values():
        drawn.add_column(person.head, justify="center", no_wrap=True)
    for surface, row in found.matrix:
        drawn.add_row(Text(surface), *(Text(SIGNS[row[person]], COLORS[row[person]]) for person in PEOPLE))
    return drawn


def _key(wanted: ConnectionOptions) -> str:
    """The key that is named; else that of the sample company's administrator, who is there to be used."""
    named = wanted.as_person or wanted.key_file or wanted.url or os.environ.get("CLEARANCE_KEY")
    if not named and ADMINISTRATOR in read_people(wanted.home / PEOPLE_FILE):
        return person_key(wanted, os.environ, ADMINISTRATOR)
    return find_key(wanted, os.environ)


class _Shown:
    """A bar on a terminal; a line for each step elsewhere."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
        self._bar = Progress(*columns, TimeElapsedColumn(), console=err, transient=True)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_ended: object) -> None:
        self._bar.stop()

    def begin_step(self, what: str) -> None:
        self._bar.update(self._task, description=what, total=None, completed=0)

    def advanced(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)
