"""How results look: tables for a terminal, plain lines for a pipe, JSON for a program, errors as one clear line.

Titles, answers, names and what a server says are text of others. They reach the screen through `safe_text`, which all
functions here use: no character of theirs acts on the terminal, and nothing in them is markup. Drawn without Rich,
which would take a quarter of a command's time: what needs a bar or a panel has it in `app.cli.console`.
"""

import json
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from app.errors import AppError, NotFound

# Text, or text with its style: "bold", "dim" and colors, with blanks between.
Span = str | tuple[str, str]

# Controls but for tab and newline; what reorders, hides or breaks text (bidi, line separators, tags); halves of pairs.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
# A word this long is not broken, a longer one (a path) is.
MAX_UNBROKEN_WORD = 13
# Blanks between two columns.
COLUMN_GAP = 3

# What to do about an error, by its wire code.
HINTS = {
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


def safe_text(text: str) -> str:
    """The text with each character that acts on a terminal replaced by a sign for it. Tabs and newlines stay."""
    return _CONTROLS.sub(lambda found: _symbol(ord(found[0])), text.replace("\r\n", "\n"))


def _symbol(number: int) -> str:
    """A picture for the old controls (ESC is ␛), the replacement character for all others."""
    if number < 0x20:
        return chr(0x2400 + number)
    return "␡" if number == 0x7F else "�"


def print_text(*parts: Span, wrap: bool = False) -> None:
    """Print one result line on standard output. `wrap`: on a terminal, break it between words."""
    _print(sys.stdout, parts, wrap=wrap)


def print_chunk(text: str) -> None:
    """Print a piece of a text at once, as it comes."""
    sys.stdout.write(safe_text(text))
    sys.stdout.flush()


def print_note(text: str) -> None:
    """Say something beside the result, on stderr."""
    _print(sys.stderr, [(text, "dim")])


class _Format:
    """Whether this command's result is to be JSON."""

    json = False


def set_json_output(*, on: bool) -> None:
    """Print results as JSON from here on, or not."""
    _Format.json = on


def wants_json() -> bool:
    """Whether the result is to be JSON: nothing else may go to standard output then."""
    return _Format.json


def print_result(data: Any, show: Callable[[], None]) -> None:
    """A command's result: `data` under --json, else what `show` prints. Once for each command."""
    if _Format.json:
        sys.stdout.write(_json(data, indent=2) + "\n")
    else:
        show()


def print_success(text: str, data: Any = None) -> None:
    """Say that a change was made. Under --json the result is `data`, or the sentence where the service gave none."""
    if _Format.json:
        print_result({"done": text} if data is None else data, lambda: None)
    else:
        _print(sys.stderr, [("✓ ", "green"), text])


def print_secret(about: str, value: str) -> None:
    """Show a key or token this once: alone on standard output, so that a pipe gets it and nothing else."""
    print_note(about)
    sys.stderr.flush()
    sys.stdout.write(value + "\n")


def print_error(failure: Exception) -> None:
    """Show on stderr what went wrong, and what to do about it."""
    # What a service answers has a code of its own (ApiError).
    given: str | None = getattr(failure, "code", None)
    code = given or type(failure).__name__
    message = str(failure) if not isinstance(failure, AppError) else failure.detail or failure.title
    # What names the missing thing needs no general advice.
    named = code == "NotFound" and getattr(failure, "detail", NotFound.NOTHING) != NotFound.NOTHING
    hint = "" if named else HINTS.get(code, "")
    if _Format.json:
        sys.stderr.write(_json({"code": code, "message": message, "hint": hint}) + "\n")
        return
    _print(sys.stderr, [("✗ ", "bold red"), message])
    if hint:
        _print(sys.stderr, [(f"  {hint}", "dim")])


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "Nothing.", report: bool = False
) -> None:
    """Print rows: as a table in which nothing is cut off, or off a terminal as lines of cells with tabs between.

    A pipe gets the rows alone, unless the table is part of a `report` that says nothing without its headings.
    """
    rows = list(rows)
    if not rows:
        print_note(empty)
    elif sys.stdout.isatty():
        _draw_table(headings, [[safe_text(format_cell(value)) for value in row] for row in rows])
    else:
        for row in [headings, *rows] if report else rows:
            sys.stdout.write("\t".join(_tsv_cell(value) for value in row) + "\n")


def format_cell(value: Any) -> str:
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


def format_time(value: str | None) -> str | None:
    """An ISO time in UTC as it is shown: to the second, without its zone."""
    return value[:19].replace("T", " ") if value else None


def terminal_width() -> int:
    """Width of the terminal."""
    return shutil.get_terminal_size().columns


def _json(data: Any, *, indent: int | None = None) -> str:
    """Characters that act on a terminal are escaped, which JSON reads back."""
    return _CONTROLS.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(data, ensure_ascii=False, indent=indent))


def _print(to: TextIO, parts: Iterable[Span], *, wrap: bool = False) -> None:
    styled = to.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    line = ""
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        text = safe_text(text)
        if wrap and to.isatty():
            text = "\n".join(
                textwrap.fill(
                    each, terminal_width(), break_long_words=False, break_on_hyphens=False, replace_whitespace=False
                )
                for each in text.split("\n")
            )
        line += _styled(text, style) if styled and style else text
    to.write(line + "\n")


def _styled(text: str, style: str) -> str:
    return f"\x1b[{';'.join(_STYLES[word] for word in style.split())}m{text}\x1b[0m"


def _tsv_cell(value: Any) -> str:
    """A cell as a pipe gets it: no dash for nothing, white space as one blank."""
    return "" if value is None or value in ("", [], ()) else " ".join(safe_text(format_cell(value)).split())


def _draw_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of text, as wide as the screen at most; a cell that is too long goes on in the next line."""
    widths = _column_widths(headings, rows)
    gap = " " * COLUMN_GAP
    _print(sys.stdout, [(gap.join(map(_pad, headings, widths)).rstrip(), "bold")])
    _print(sys.stdout, [("─" * (sum(widths) + COLUMN_GAP * (len(widths) - 1)), "dim")])
    for row in rows:
        folded = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
        for n in range(max(map(len, folded))):
            line = [cells[n] if n < len(cells) else "" for cells in folded]
            sys.stdout.write(gap.join(map(_pad, line, widths)).rstrip() + "\n")


def _column_widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Widths of the columns. Long texts give way first; identifiers and short words stay whole as long as it goes."""
    every = [[heading, *(line for row in rows for line in row[n].split("\n"))] for n, heading in enumerate(headings)]
    widths = [max(map(_display_width, column)) for column in every]
    whole = [
        max(
            (
                _display_width(w)
                for text in column
                for w in text.split()
                if column[0] == "id" or len(w) <= MAX_UNBROKEN_WORD
            ),
            default=1,
        )
        for column in every
    ]
    while sum(widths) + COLUMN_GAP * (len(widths) - 1) > terminal_width() and max(widths) > 1:
        slack = [width - least for width, least in zip(widths, whole, strict=True)]
        give = slack if max(slack) > 0 else widths
        widths[give.index(max(give))] -= 1
    return widths


def _wrap(text: str, width: int) -> list[str]:
    """The text in lines of this width: broken between words, and within a word that is longer."""
    lines = []
    for given in text.split("\n"):
        line = ""
        for word in given.replace("\t", " ").split(" "):
            if line and _display_width(line) + 1 + _display_width(word) <= width:
                line += " " + word
                continue
            if line:
                lines.append(line)
            line = word
            while _display_width(line) > width:
                end = next(n for n in range(len(line), 0, -1) if n == 1 or _display_width(line[:n]) <= width)
                lines.append(line[:end])
                line = line[end:]
        lines.append(line)
    return lines


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _display_width(text))


def _display_width(text: str) -> int:
    """Columns that a text takes: two for a wide character, none for one that joins the last."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
