"""Lines of JSON with their place, so that an error names the line and the field. Reads files, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.evaluation.datasets import UnreadableDataset

_KINDS = {
    str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object",
    type(None): "null",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line's object; `place` says where it stands."""

    place: str
    fields: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        """A field with text; it may be missing only if there is a default."""
        return str(self._field(name, str, default))

    def words(self, name: str) -> str:
        """A field with text that is not blank."""
        text = self.text(name)
        if not text.strip():
            raise UnreadableDataset(f"{self.place}: {name!r} is empty")
        return text

    def texts(self, name: str) -> list[str]:
        """A field with a list of texts."""
        values = self._field(name, list, None)
        if not all(isinstance(value, str) for value in values):
            raise UnreadableDataset(f"{self.place}: {name!r} must be a list of texts")
        return list(values)

    def mapping(self, name: str, default: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """A field with an object; it may be missing only if there is a default."""
        return dict(self._field(name, dict, default))

    def _field(self, name: str, kind: type, default: Any) -> Any:
        if name not in self.fields:
            if default is not None:
                return default
            has = ", ".join(map(repr, self.fields)) or "nothing"
            raise UnreadableDataset(f"{self.place} lacks {name!r}; it has {has}")
        value = self.fields[name]
        if not isinstance(value, kind):
            raise UnreadableDataset(f"{self.place}: {name!r} is {_KINDS[type(value)]}, and must be {_KINDS[kind]}")
        return value


def read_rows(file: Path) -> Iterator[Row]:
    """Each line that is not blank; raises UnreadableDataset for a file without any."""
    where, empty = f"{file.parent.name}/{file.name}", True
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UnreadableDataset(f"line {number} of {where} is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise UnreadableDataset(f"line {number} of {where} is {_KINDS[type(row)]}, and must be an object")
        empty = False
        yield Row(f"line {number} of {where}", row)
    if empty:
        raise UnreadableDataset(f"{where} is empty")


def read_text(file: Path) -> str:
    """The text of a file in UTF-8."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise UnreadableDataset(f"the file {file} is missing") from None
    except UnicodeDecodeError as error:
        raise UnreadableDataset(f"the file {file} is no UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise UnreadableDataset(f"the file {file} cannot be read: {error.strerror}") from error
