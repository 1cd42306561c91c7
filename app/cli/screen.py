"""How things look on a terminal: tables for 80 columns, errors as one clear line and what to do."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.errors import AppError
from app.local.client import ApiError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

# A word this long is not broken, a longer one (a path) is.
WORD = 13

# What to do about an error, by its wire code.
MEND = {
    "NotSignedIn": "The key is wrong, expired or revoked. --key-file, CLEARANCE_KEY or --as gives another.",
    "MissingCapability": "Do it as somebody who has the capability (--as PERSON), or ask an administrator for it.",
    "NotFound": "Check the name or id. What you may not see looks like what is not there.",
    "SelfGrant": "Somebody else must do this; it is so that nobody opens a door for himself.",
    "TooManyRequests": "Wait a moment, or raise CLEARANCE_API__RATE_PER_MINUTE.",
    "ModelUnavailable": "--mode quote needs no model; 'clearance doctor' looks at the model.",
    "DatabaseUnavailable": "'clearance doctor' looks at the database.",
    "LabelTooHigh": "--mode quote shows passages without a model; or use a model inside (CLEARANCE_MODEL__INTERNAL).",
    "Unreachable": "Is Clearance running there? 'clearance run' starts it, --url names another place.",
}


def trouble(failure: Exception) -> None:
    """Show on stderr what went wrong, and what to do about it."""
    code = failure.code if isinstance(failure, ApiError | AppError) else ""
    message = str(failure) if not isinstance(failure, AppError) else failure.detail or failure.title
    err.print(Text.assemble(("✗ ", "bold red"), message), soft_wrap=True)
    if code in MEND:
        err.print(Text(f"  {MEND[code]}", "dim"), soft_wrap=True)


def note(text: str) -> None:
    """Say something beside the result, on stderr."""
    err.print(Text(text, "dim"), soft_wrap=True)


def done(text: str) -> None:
    """Say that a change was made."""
    err.print(Text.assemble(("✓ ", "green"), text), soft_wrap=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "Nothing.") -> None:
    """Print rows; a cell that is too long goes on in the next line, so that nothing is cut off."""
    drawn = draw(headings, rows)
    if drawn.row_count:
        out.print(drawn)
    else:
        note(empty)


def draw(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table of plain text; identifiers keep to one line, since they are there to be copied."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    cells = [[cell(value) for value in row] for row in rows]
    least = [
        max(
            (len(word) for row in cells for word in row[number].split() if heading == "id" or len(word) <= WORD),
            default=1,
        )
        for number, heading in enumerate(headings)
    ]
    while sum(least) + 2 * (len(least) - 1) > out.width and max(least) > 1:
        least[least.index(max(least))] -= 1
    for heading, width in zip(headings, least, strict=True):
        drawn.add_column(heading, overflow="fold", min_width=width)
    for row in cells:
        drawn.add_row(*map(escape, row))
    return drawn


def cell(value: Any) -> str:
    """How a value of the API looks in a table."""
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value)) or "–"
        case _:
            return str(value)


def moment(value: str | None) -> str | None:
    """An ISO time in UTC as it is shown: to the second, without its zone."""
    return value[:19].replace("T", " ") if value else None
