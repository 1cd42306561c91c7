"""The names that the guardrail looks for: of a file and of the people of this instance, read again while it runs.

What cannot be read at the start stops the service. Later the names of before stay, and the log says so; no name is
ever in the log or in an error.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from app import log
from app.guardrail.names.directory import DirectoryCheck, names_of
from app.watched_file import Refresher, file_state

_FIELD = "name"
_MORE = "also"  # other names of the same person, with semicolons between


class NamesUnreadable(ValueError):
    """The file of names is not there, or is no such file."""


def read_names(path: Path) -> list[str]:
    """The names in a CSV file with the columns `name` and, if wanted, `also`. Raises NamesUnreadable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if _FIELD not in (rows.fieldnames or ()):
                raise NamesUnreadable(f"the file of names, {path}, has no column '{_FIELD}' in its first line")
            return [name for row in rows for name in _names(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no CSV file in UTF-8"
        raise NamesUnreadable(f"the file of names, {path}, cannot be read: {why}") from None


def _names(row: dict[str, str | None]) -> Iterator[str]:
    yield row.get(_FIELD) or ""
    yield from (row.get(_MORE) or "").split(";")


class KnownNames:
    """Keeps a `DirectoryCheck` up to date."""

    def __init__(self, path: Path | None, people: Callable[[], list[str]] | None, *, seconds: float) -> None:
        """Reads the names: raises NamesUnreadable, or what `people` raises."""
        self.check = DirectoryCheck()
        self._path, self._people = path, people
        self._state: tuple[int, ...] = ()
        self._of_file: list[str] = []
        self._of_people: list[str] = []
        self._read()
        self._refresher = Refresher(self.refresh, seconds=seconds, name="known names")

    def start(self) -> None:
        """Read them again every so often."""
        self._refresher.start()

    def close(self) -> None:
        self._refresher.close()

    def refresh(self) -> None:
        """Read again what has changed. On an error the names of before stay."""
        try:
            self._read()
        except Exception as error:  # noqa: BLE001  # of a disk or database; a message may hold a name
            log.get().error("names.not_read", error=type(error).__name__, where=log.where(error))

    def _read(self) -> None:
        state, of_file, of_people = self._state, self._of_file, self._of_people
        if self._path is not None:
            state = _state(self._path)
            of_file = read_names(self._path) if state != self._state else of_file
        if self._people is not None:
            of_people = self._people()
        if (of_file, of_people) != (self._of_file, self._of_people):
            self.check.names = names_of([*of_file, *of_people])
            log.get().info("names.read", names=len(of_file) + len(of_people))
        self._state, self._of_file, self._of_people = state, of_file, of_people


def _state(path: Path) -> tuple[int, ...]:
    """What changes with the file."""
    try:
        return file_state(path)
    except OSError as error:
        raise NamesUnreadable(f"the file of names, {path}, cannot be read: {error.strerror}") from None
