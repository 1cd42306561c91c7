"""Reads YAML by its nodes, which know their lines: each error names the line and says what to write. Pure."""

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import yaml

Choice = TypeVar("Choice", bound=str)


class RefusalsFileError(ValueError):
    """The file cannot be used; the message has the line and says what to write."""


class NodeReader:
    """The values of a file called `name`. All raise RefusalsFileError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def compose(self, text: str) -> Any:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            advice = "indent with spaces, not tabs" if "\\t" in str(error.problem) else error.problem
            raise RefusalsFileError(f"{self._name}, line {line}: not valid YAML: {advice}") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise RefusalsFileError(f"{self._name}: not valid YAML ({type(error).__name__})") from None
        if root is None:
            raise RefusalsFileError(f"{self._name}: the file is empty; write `version: 1` and `categories:`")
        return root

    def mapping(self, node: Any, keys: Sequence[str], where: str, *, needed: Sequence[str] = ()) -> dict[str, Any]:
        """The values by key; unknown keys, and those that stand twice, are errors."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{where} must hold `key: value` lines; known keys: {', '.join(keys)}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            if str(key.value) not in keys:
                raise self.error(key, f"unknown key {str(key.value)!r} in {where}; known keys: {', '.join(keys)}")
            if str(key.value) in fields:
                raise self.error(key, f"{str(key.value)!r} stands twice in {where}")
            fields[str(key.value)] = value
        if missing := [key for key in needed if key not in fields]:
            raise self.error(node, f"{where} has no `{missing[0]}`")
        return fields

    def items(self, node: Any, where: str, *, most: int) -> list[Any]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"{where} must be a list, in brackets or with a dash before each entry")
        if len(node.value) > most:
            raise self.error(node.value[most], f"{where} has {len(node.value)} entries: at most {most}")
        return list(node.value)

    def texts(self, node: Any, where: str, *, most: int, longest: int = 1_000) -> list[tuple[Any, str]]:
        """A list of texts, each with its node; none may stand twice."""
        found: list[tuple[Any, str]] = []
        seen: set[str] = set()
        for entry in self.items(node, where, most=most):
            text = self.text(entry, f"an entry of {where}", longest=longest)
            if text in seen:
                raise self.error(entry, f"{text[:60]!r} stands twice in {where}")
            seen.add(text)
            found.append((entry, text))
        return found

    def text(self, node: Any, where: str, *, longest: int = 1_000) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.error(node, f"{where} must be text")
        if node.tag != "tag:yaml.org,2002:str":
            raise self.error(node, f'{where} reads as something other than text: put quotes around it, "{node.value}"')
        if len(node.value) > longest:
            raise self.error(node, f"{where} has {len(node.value):,} characters: at most {longest:,}")
        return str(node.value).strip()

    def choice(self, node: Any, where: str, choices: Sequence[Choice]) -> Choice:
        for each in choices:
            if isinstance(node, yaml.ScalarNode) and node.value == each:
                return each
        raise self.error(node, f"{where} must be one of {', '.join(choices)}")

    def true(self, node: Any, where: str) -> Literal[True]:
        if not isinstance(node, yaml.ScalarNode) or node.value.lower() not in {"true", "yes"}:
            raise self.error(node, f"{where} must be `true`, or be left out")
        return True

    def number(self, node: Any, where: str, *, least: float, most: float) -> float:
        try:
            value = float(node.value) if isinstance(node, yaml.ScalarNode) else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise self.error(node, f"{where} must be a number from {least:g} to {most:g}")
        return value

    def error(self, node: Any, text: str) -> RefusalsFileError:
        return RefusalsFileError(f"{self._name}, line {node.start_mark.line + 1}: {text}")
