"""A list of people as a CSV file, read without looking anything up: each row as values, and every mistake at its place.

A value is text and never a formula. An absent column and an empty cell leave what is; `-` says "none".
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.db.tables.people import LOCAL
from app.identity.subject import FOR_PEOPLE, Capability, Label

COLUMNS = ("name", "display_name", "source", "external_id", "clearance", "capabilities", "roles", "active")
MAX_ROWS = 20_000
MAX_SHOWN = 60
MAX_TEXT = {"display_name": 200, "external_id": 255}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
TRUE, FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
NONE = "-"
# What stands where bytes were no UTF-8.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, order=True)
class ListMistake:
    """What is wrong in a list, and where."""

    line: int
    column: str
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}{f', column {self.column}' if self.column else ''}: {self.problem}"


@dataclass(frozen=True)
class ListedPerson:
    """A row; None: it says nothing of it."""

    line: int
    name: str
    source: str = LOCAL
    display_name: str | None = None
    external_id: str | None = None
    clearance: Label | None = None
    capabilities: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    active: bool | None = None


@dataclass
class PeopleList:
    """The rows that could be read, and all mistakes of the file."""

    people: list[ListedPerson] = field(default_factory=list)
    mistakes: list[ListMistake] = field(default_factory=list)

    def wrong(self, line: int, column: str, problem: str) -> None:
        """Note a mistake."""
        self.mistakes.append(ListMistake(line, column, problem))


def quoted(text: str) -> str:
    """A value of the file in a sentence: cut, and without what a terminal would obey."""
    cut = f"{text[:MAX_SHOWN]}…" if len(text) > MAX_SHOWN else text
    return f"'{''.join(c if c.isprintable() else UNREADABLE for c in cut)}'"


def parse_list(content: bytes) -> PeopleList:
    """The people of a file with commas, semicolons or tabs between its cells, as a spreadsheet writes it, in UTF-8."""
    found = PeopleList()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        found.wrong(1, "", "this is not UTF-8; save the file as 'CSV UTF-8'")
        return found
    text = content.decode("utf-8-sig", errors="replace")
    rows = _rows(text, found)
    header = next(rows, None)
    if header is None:
        found.wrong(
            1, "", f"the file is empty; its first line names columns, of which it may have: {', '.join(COLUMNS)}"
        )
        return found
    columns = _columns(*header, found)
    for line, cells in rows:
        if len(found.people) >= MAX_ROWS:
            found.wrong(line, "", f"a list has at most {MAX_ROWS} people; divide it")
            break
        if len(cells) != len(columns):
            found.wrong(line, "", f"this line has {len(cells)} cells, and the first one names {len(columns)} columns")
        elif "name" in columns:
            _read_person(line, dict(zip(columns, cells, strict=True)), found)
    _refuse_twice(found)
    return found


def _rows(text: str, found: PeopleList) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, with the number of the line in which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            found.wrong(line, "", "its quotes do not fit: a cell in quotes ends with one, and one inside is doubled")
            continue
        if any(cells):
            yield line, cells


def _delimiter(text: str) -> str:
    """What stands between the names of columns most often."""
    first = text.lstrip().partition("\n")[0]
    return max(",;\t", key=first.count)


def _columns(line: int, cells: Sequence[str], found: PeopleList) -> list[str]:
    columns = [cell.lower() for cell in cells]
    for n, column in enumerate(columns):
        if column not in COLUMNS:
            found.wrong(line, quoted(cells[n]), f"there is no such column; there are: {', '.join(COLUMNS)}")
        elif column in columns[:n]:
            found.wrong(line, column, "this column is there twice")
    if "name" not in columns:
        found.wrong(line, "name", "this column is missing")
    return columns


def _read_person(line: int, cells: Mapping[str, str], found: PeopleList) -> None:
    values = {name: value for name, value in cells.items() if name in COLUMNS}
    before = len(found.mistakes)
    for column, value in values.items():
        if UNREADABLE in value:
            found.wrong(line, column, f"{quoted(value)} is not UTF-8; save the file as 'CSV UTF-8'")
        elif not value.isprintable():
            found.wrong(line, column, f"{quoted(value)} holds a line break or a control character")
        elif len(value) > MAX_TEXT.get(column, len(value)):
            found.wrong(line, column, f"longer than {MAX_TEXT[column]} characters")
    if len(found.mistakes) > before:
        return
    person = ListedPerson(
        line,
        name=_name(line, "name", values["name"], found),
        source=_name(line, "source", values.get("source") or LOCAL, found),
        display_name=values.get("display_name") or None,
        external_id=values.get("external_id") or None,
        clearance=_clearance(line, values.get("clearance", ""), found),
        capabilities=_capabilities(line, values.get("capabilities", ""), found),
        roles=_split(values.get("roles", ""), ";"),
        active=_active(line, values.get("active", ""), found),
    )
    if len(found.mistakes) == before:
        found.people.append(person)


def _name(line: int, column: str, value: str, found: PeopleList) -> str:
    if not value:
        found.wrong(line, column, "this cell is empty")
    elif not NAME.fullmatch(value):
        found.wrong(
            line,
            column,
            f"{quoted(value)} is no name: use a-z, 0-9, '.', '_' and '-', at most 63, the first a letter or digit"
            + ("; the source has its own column" if ":" in value else ""),
        )
    return value


def _clearance(line: int, value: str, found: PeopleList) -> Label | None:
    if not value:
        return None
    try:
        return Label.parse(value)
    except ValueError:
        labels = ", ".join(label.text for label in Label)
        found.wrong(line, "clearance", f"{quoted(value)} is no label: use one of {labels}")
        return None


def _capabilities(line: int, value: str, found: PeopleList) -> tuple[str, ...] | None:
    given = _split(value, ",;")
    for name in given or ():
        if name not in FOR_PEOPLE:
            known = ", ".join(capability for capability in Capability if capability in FOR_PEOPLE)
            found.wrong(line, "capabilities", f"{quoted(name)} is nothing that a person may do: use {known}")
    return None if given is None else tuple(sorted(set(given)))


def _active(line: int, value: str, found: PeopleList) -> bool | None:
    if value and value.lower() not in TRUE | FALSE:
        found.wrong(line, "active", f"{quoted(value)} is neither true nor false")
    return value.lower() in TRUE if value else None


def _split(value: str, marks: str) -> tuple[str, ...] | None:
    """The parts of a cell; None if it is empty, nothing for `-`."""
    parts = tuple(part.strip() for part in re.split(f"[{marks}]", value) if part.strip())
    return () if parts == (NONE,) else parts or None


def _refuse_twice(found: PeopleList) -> None:
    names: dict[tuple[str, str], int] = {}
    external: dict[tuple[str, str], int] = {}
    for person in found.people:
        if (first := names.setdefault((person.source, person.name), person.line)) != person.line:
            found.wrong(person.line, "name", f"{quoted(person.name)} stands in line {first} already")
        if person.external_id is None:
            continue
        if (first := external.setdefault((person.source, person.external_id), person.line)) != person.line:
            found.wrong(person.line, "external_id", f"{quoted(person.external_id)} stands in line {first} already")
