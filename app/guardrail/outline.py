"""What names the value at a place without standing right before it: its column, the line above it, the heading.

A function of the text up to that place, and so the same for every cutting. Its memory is bounded.
"""

import re

from app.guardrail.check import MAX_PLACEHOLDER, plain_placeholders

_MAX_LINE = 400  # characters of a line that is looked at; a longer one names nothing
_KEPT = _MAX_LINE + MAX_PLACEHOLDER  # with one that is not all there yet
_MAX_LABEL = 60
_MARKERS = re.compile(r"[ >]*(?:#{1,6} |[-+.] |\d{1,2}[.)] )?[ _\"'`]*\Z")  # what stands in a line before its text
_RULE = re.compile(r"[|\-:=+ ]+\Z")
_CELL = re.compile(r"</?t[dh](?: [^<>]*)?>", re.IGNORECASE)
_DELIMITERS = re.compile(r"[,;]")
_SIGNS = " #*_>`\"'|"

# How a label stands before the value, as the checks read it: one that says that a value follows, one that may.
SURE = ": "
UNSURE = " => "
CELL = ":  "  # the same as SURE, for a row whose cells commas or semicolons end


_ITEM = re.compile(r"[ >]*(?:[-+.] |\d{1,2}[.)] )")
_ITEM_SIGN = re.compile(r"\A(?:[-+.] |\d{1,2}[.)] )")
_COLUMN_NAME = re.compile(r" ?[\"']?[^\W\d][\w \-]{0,24}[\"']?")


class LabelOutline:
    """Fed with the text up to a place; gives the label of that place."""

    def __init__(self) -> None:
        self._line = ""
        self._label = ""  # the last line that may name what follows it, and how
        self._header: tuple[str, ...] = ()  # the cells of the first row of this table
        self._delimiter = ""

    def feed(self, text: str) -> None:
        """Take the text that follows."""
        *lines, rest = text.split("\n")
        for line in lines:
            self._end_line(plain_placeholders(self._line + line))
            self._line = ""
        self._line = plain_placeholders(self._line + rest)[:_KEPT]

    def after(self, text: str) -> "LabelOutline":
        """The outline as it is behind a text, which it does not keep."""
        other = LabelOutline()
        other._line, other._label = self._line, self._label
        other._header, other._delimiter = self._header, self._delimiter
        other.feed(text)
        return other

    def label_behind(self, text: str) -> str:
        """The label of the place behind a text."""
        if self._header or "\n" in text:
            return self.after(text).label()
        # The commonest case: it goes on with a line, which is named only if nothing but signs stand in it.
        line = self._line + text
        return self._label if self._label and len(line) <= _MAX_LINE and _MARKERS.match(line) else ""

    def label(self) -> str:
        """What names a value that begins here, with `SURE` or `UNSURE` behind it; empty if nothing does."""
        line = _CELL.sub("|", self._line) if "<t" in self._line else self._line
        if len(line) > _MAX_LINE:
            return ""
        if self._header and self._delimiter in line and self._delimiter:
            *before, cell = line.split(self._delimiter)
            column = len(before)
            named = column < len(self._header) and not cell.strip(_SIGNS)
            says = SURE if self._delimiter == "|" else CELL
            return self._header[column] + says if named and self._header[column] else ""
        if self._delimiter != "|" and self._header and not line.strip(_SIGNS):
            return self._header[0] + CELL
        return self._label if _MARKERS.match(line) else ""

    def _end_line(self, line: str) -> None:
        if "<t" in line:
            line = _CELL.sub("|", line)
        if not line.strip(" >") or len(line) > _MAX_LINE:
            self._header, self._delimiter = (), ""
            self._label = self._label if len(line) <= _MAX_LINE else ""
            return
        if "|" in line:
            if not self._header and _RULE.match(line) is None:
                self._set_header(line, "|")
            return
        if self._header and self._delimiter != "|" and self._delimiter in line:
            return
        self._header, self._delimiter = (), ""
        if (found := _DELIMITERS.search(line)) is not None and _is_header(line.split(found[0])):
            self._set_header(line, found[0])
        self._label = self._named_by(line)

    def _set_header(self, line: str, delimiter: str) -> None:
        self._header = tuple(cell.strip(_SIGNS)[:_MAX_LABEL] for cell in line.split(delimiter))
        self._delimiter = delimiter

    def _named_by(self, line: str) -> str:
        """The label that a line is to what follows it: an item keeps the one before the list."""
        text = line.strip(_SIGNS)
        item = _ITEM.match(line) is not None
        text = _ITEM_SIGN.sub("", text) if item else text
        if text.endswith(":") and len(text) <= _MAX_LINE:
            return text.rstrip(": *_`")[-_MAX_LABEL:] + SURE
        if item:
            return self._label
        heading = line.lstrip(" >").startswith("#")
        plain = len(text) <= _MAX_LABEL and text[-1:] not in ".!?;,"
        return text[-_MAX_LABEL:] + UNSURE if heading or plain else ""


def _is_header(cells: list[str]) -> bool:
    """Whether the cells of a line are the names of columns: short, and without digits."""
    return len(cells) > 1 and all(_COLUMN_NAME.fullmatch(cell) for cell in cells)
