"""Prints results: tables on a terminal, tab-separated lines into a pipe, JSON for a program; errors with a hint.

Titles, answers, names and messages of servers are untrusted text. All functions here print through `safe_text`, so no
character acts on the terminal, and no text is markup. Rich would take a quarter of a command's time, so only commands
with bars or panels use it, through `app.cli.console`.
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

# Text, or (text, style): the names in _STYLES, separated by blanks.
Span = str | tuple[str, str]

# Control characters except tab and newline; bidi, line separator and tag characters; lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
MAX_WHOLE_WORD = 13  # a longer one, such as a path, may be broken
COLUMN_GAP = 3  # blanks

# What to do about an error, by its code.
HINTS = {
    "NotSignedIn": "The key is wrong, expired or revoked. --key-file, CLEARANCE_KEY or --as gives another.",
    "MissingCapability": "Do it as somebody who has the capability (--as PERSON), or ask an administrator for it.",
    "NotFound": "Check the name or id. What you may not see looks like what is not there.",
    "SelfGrant": "Somebody else must do this; it is so that nobody opens a door for himself.",
    "BeyondReach": "Ask an administrator to do it, or to let you look after it.",
    "PlanStale": "'clearance grants plan' makes it again.",
    "TooManyRequests": "Wait a moment, or raise CLEARANCE_API__RATE_PER_MINUTE.",
    "ModelUnavailable": "--mode quote needs no model; 'clearance doctor' looks at the model.",
    "GuardrailFailed": "The service's log says where ('guardrail.failed'), never at which text.",
    "DatabaseUnavailable": "'clearance doctor' looks at the database.",
    "LabelTooHigh": "--mode quote shows passages without a model; or use a model inside (CLEARANCE_MODEL__INTERNAL).",
    "Unreachable": "Is Clearance running there? 'clearance run' starts it, --url names another place.",
}


def safe_text(text: str) -> str:
    """Replace each character that acts on a terminal by a visible symbol. Tabs and newlines stay."""
    return _CONTROLS.sub(lambda match: _symbol(ord(match[0])), text.replace("\r\n", "\n"))


def _symbol(code_point: int) -> str:
    """The control picture of an ASCII control (ESC is ␛), the replacement character for all others."""
    if code_point < 0x20:
        return chr(0x2400 + code_point)
    return "␡" if code_point == 0x7F else "�"


def print_text(*parts: Span, wrap: bool = False) -> None:
    """Print a line on standard output. `wrap` breaks it between words if that is a terminal."""
    _print(sys.stdout, parts, wrap=wrap)


def print_chunk(text: str) -> None:
    """Print a piece of streamed text, without a newline, and flush."""
    sys.stdout.write(safe_text(text))
    sys.stdout.flush()


def print_note(text: str) -> None:
    """Print a line that is not part of the result, on stderr."""
    _print(sys.stderr, [(text, "dim")])


class _Format:
    json = False


def set_json_output(*, on: bool) -> None:
    _Format.json = on


def wants_json() -> bool:
    """Whether --json was given: nothing but the result may go to standard output then."""
    return _Format.json


def print_result(data: Any, show: Callable[[], None]) -> None:
    """Print `data` under --json, else call `show`. Each command calls this or `print_success` once."""
    if _Format.json:
        sys.stdout.write(_json(data, indent=2) + "\n")
    else:
        show()


def print_success(text: str, data: Any = None) -> None:
    """Confirm a change on stderr. Under --json print `data`, or the sentence if the service returned none."""
    print_result({"done": text} if data is None else data, lambda: _print(sys.stderr, [("✓ ", "green"), text]))


def print_secret(about: str, value: str) -> None:
    """Print a key or token alone on standard output, so that a pipe gets nothing else; `about` goes to stderr."""
    print_note(about)
    sys.stderr.flush()
    sys.stdout.write(value + "\n")


def print_error(error: Exception) -> None:
    """Print an error's message and hint on stderr; under --json its code, message and hint."""
    api_code: str | None = getattr(error, "code", None)  # of an ApiError
    code = api_code or type(error).__name__
    message = str(error) if not isinstance(error, AppError) else error.detail or error.title
    # A message that names the missing thing needs no general hint.
    specific = code == "NotFound" and getattr(error, "detail", NotFound.NOTHING) != NotFound.NOTHING
    hint = "" if specific else HINTS.get(code, "")
    if _Format.json:
        sys.stderr.write(_json({"code": code, "message": message, "hint": hint}) + "\n")
        return
    _print(sys.stderr, [("✗ ", "bold red"), message])
    if hint:
        _print(sys.stderr, [(f"  {hint}", "dim")])


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "Nothing.", report: bool = False
) -> None:
    """Print rows as a table that cuts nothing off; into a pipe, as lines of tab-separated cells.

    A pipe gets the headings only of a `report`, which cannot be read without them.
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
    """A JSON value as the text of a table cell."""
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
    """`2027-01-31T09:00:00+00:00` as `2027-01-31 09:00:00`."""
    return value[:19].replace("T", " ") if value else None


def terminal_width() -> int:
    return shutil.get_terminal_size().columns


def _json(data: Any, *, indent: int | None = None) -> str:
    """JSON in which characters that act on a terminal are escaped."""
    return _CONTROLS.sub(lambda match: json.dumps(match[0])[1:-1], json.dumps(data, ensure_ascii=False, indent=indent))


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
        line += f"\x1b[{';'.join(_STYLES[word] for word in style.split())}m{text}\x1b[0m" if styled and style else text
    to.write(line + "\n")


def _tsv_cell(value: Any) -> str:
    """A cell for a pipe: empty if there is no value, each run of white space one blank."""
    return "" if value is None or value in ("", [], ()) else " ".join(safe_text(format_cell(value)).split())


def _draw_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table at most as wide as the terminal; a cell that is too long continues on the next line."""
    widths = _column_widths(headings, rows)
    gap = " " * COLUMN_GAP
    _print(sys.stdout, [(gap.join(map(_pad, headings, widths)).rstrip(), "bold")])
    _print(sys.stdout, [("─" * (sum(widths) + COLUMN_GAP * (len(widths) - 1)), "dim")])
    for row in rows:
        cells = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
        for n in range(max(map(len, cells))):
            line = [lines[n] if n < len(lines) else "" for lines in cells]
            sys.stdout.write(gap.join(map(_pad, line, widths)).rstrip() + "\n")


def _column_widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Widths of the columns. Long texts shrink first; ids and short words are broken only if nothing else is left."""
    texts = [[heading, *(line for row in rows for line in row[n].split("\n"))] for n, heading in enumerate(headings)]
    widths = [max(map(_display_width, column)) for column in texts]
    unbroken = [
        max(
            (
                _display_width(w)
                for text in column
                for w in text.split()
                if column[0] == "id" or len(w) <= MAX_WHOLE_WORD
            ),
            default=1,
        )
        for column in texts
    ]
    while sum(widths) + COLUMN_GAP * (len(widths) - 1) > terminal_width() and max(widths) > 1:
        slack = [width - minimum for width, minimum in zip(widths, unbroken, strict=True)]
        candidates = slack if max(slack) > 0 else widths
        widths[candidates.index(max(candidates))] -= 1
    return widths


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width: broken between words, and within a word that is longer."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.replace("\t", " ").split(" "):
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
    """Terminal columns of a text: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
