"""How things look on a terminal: tables for 80 columns, errors as one clear line and what to do."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from app.cli.visible import visible
from app.errors import AppError
from app.local.client import ApiError


class Screen(Console):
    """A console on which nothing that is shown can act: text comes from documents, files and other people."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What to print, each piece of text through `visible`; rich's own control codes are no text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text, keep="\n"), segment.style)


out = Screen(highlight=False)
err = Screen(stderr=True, highlight=False)

# A word this long is not broken, a longer one (a path) is.
WORD = 13
# Between two columns: padding, the divider, padding.
GAP = 3

# What to do about an error, by its wire code.
MEND = {
    "NotSignedIn": "The key is wrong, expired or revoked. --key-file, CLEARANCE_KEY or --as gives another.",
    "MissingCapability": "Do it as somebody who has the capability (--as PERSON), or ask an administrator for it.",
    "NotFound": "Check the name or id. What you may not see looks like what is not there.",
    "SelfGrant": "Somebody else must do this; it is so that nobody opens a door for himself.",
    "BeyondReach": "Ask an administrator to do it, or to let you look after it.",
    "PlanStale": "'clearance grants plan' makes it again.",
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
    """A table of plain text, as wide as the screen at most."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    cells = [[cell(value) for value in row] for row in rows]
    for heading, width in zip(headings, _widths(headings, cells), strict=True):
        drawn.add_column(heading, overflow="fold", width=width)
    for row in cells:
        drawn.add_row(*map(Text, row))
    return drawn


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Widths of the columns. Long texts give way first; identifiers and short words stay whole as long as it goes.

    The library's own way would give all columns the same share of the loss, and cut off what is left over.
    """
    columns = [[heading, *(row[n] for row in rows)] for n, heading in enumerate(headings)]
    widths = [max(map(cell_len, column)) for column in columns]
    whole = [
        max((cell_len(w) for text in column for w in text.split() if column[0] == "id" or len(w) <= WORD), default=1)
        for column in columns
    ]
    while sum(widths) + GAP * (len(widths) - 1) > out.width and max(widths) > 1:
        slack = [width - least for width, least in zip(widths, whole, strict=True)]
        give = slack if max(slack) > 0 else widths
        widths[give.index(max(give))] -= 1
    return widths


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
