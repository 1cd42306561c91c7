"""YAML as nodes that know their lines, so that an error names the line and says what to write.

What would be read as something else than its author meant is an error: a key unknown or given twice, a list that is
none, a number where text is meant.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, TypeVar

import yaml

Choice = TypeVar("Choice", bound=str)


class YamlFileError(ValueError):
    """A file is invalid; the message has its name and the line, and says what to write."""


class YamlNodes:
    """Reads the nodes of one file, called `name` in its errors."""

    error: type[YamlFileError] = YamlFileError

    def __init__(self, name: str) -> None:
        self._name = name

    def compose(self, text: str) -> Any:
        """The root of a text; None if there is nothing in it."""
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            tabs = "\\t" in str(error.problem) or _has_tabs(text, line)
            advice = "indent with spaces, not tabs" if tabs else error.problem
            raise self.error(f"{self._name}, line {line}: not valid YAML: {advice}") from None  # it quotes the file
        except (yaml.YAMLError, RecursionError) as error:
            raise self.error(f"{self._name}: not valid YAML ({type(error).__name__})") from None

    def mapping(self, node: Any, keys: Sequence[str], where: str, *, needed: Sequence[str] = ()) -> dict[str, Any]:
        """The values of a mapping by their keys, which are among these; those that are `needed` are there."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"{where} must hold `key: value` lines; known keys: {', '.join(keys)}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in keys:
                raise self.wrong(key, f"unknown key {name!r} in {where}; known keys: {', '.join(keys)}")
            if name in fields:
                raise self.wrong(key, f"{name!r} stands twice in {where}")
            fields[name] = value
        if missing := [key for key in needed if key not in fields]:
            raise self.wrong(node, f"{where} has no `{missing[0]}`")
        return fields

    def sequence(self, node: Any, where: str) -> list[Any]:
        """The entries of a list."""
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, f"{where} must be a list, in brackets or with a dash before each entry")
        return list(node.value)

    def string(self, node: Any, where: str) -> str:
        """A text on one line, in normal form C."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.wrong(node, f"{where} must be text")
        if node.tag != "tag:yaml.org,2002:str":
            raise self.wrong(node, f'{where} reads as something other than text: put quotes around it, "{node.value}"')
        if node.value != node.value.strip() or any(ord(character) < 32 for character in node.value):
            raise self.wrong(node, f"{where} has spaces around it or control characters in it")
        return unicodedata.normalize("NFC", node.value)

    def text(self, node: Any, where: str) -> str:
        """A text of any lines, as it stands."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
            raise self.wrong(node, f"{where} must be text: put quotes around it")
        return str(node.value)

    def names(self, node: Any, where: str, advice: str) -> tuple[str, ...]:
        """Texts in a list, at least one, each once; `advice` says what to write into one that is empty."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            raise self.wrong(node, f"{where} must be a list: write [{node.value}]")
        names = tuple(self.string(entry, f"an entry in {where}") for entry in self.sequence(node, where))
        if not names:
            raise self.wrong(node, f"{where} is empty: {advice}")
        if len(set(names)) < len(names):
            raise self.wrong(node, f"{where} names something twice")
        return names

    def one_of(self, node: Any, choices: Sequence[Choice], where: str) -> Choice:
        """One of these words."""
        for each in choices:
            if isinstance(node, yaml.ScalarNode) and node.value == each:
                return each
        raise self.wrong(node, f"{where} must be one of {', '.join(choices)}")

    def wrong(self, node: Any, text: str) -> YamlFileError:
        """The error of a node, with its line."""
        return self.error(f"{self._name}, line {node.start_mark.line + 1}: {text}")


def _has_tabs(text: str, line: int) -> bool:
    """Whether this line or the one before is indented with a tab."""
    lines = text.splitlines()
    return any("\t" in row[: len(row) - len(row.lstrip())] for row in lines[max(line - 2, 0) : line])
