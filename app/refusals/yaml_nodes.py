"""What the file of refusals has beside what all our YAML files have: lists and texts with limits, and numbers. Pure."""

from typing import Any, Literal

import yaml

from app.yaml_nodes import YamlFileError, YamlNodes


class RefusalsFileError(YamlFileError):
    """The file cannot be used; the message has the line and says what to write."""


class NodeReader(YamlNodes):
    """The values of a file of refusals. All raise RefusalsFileError."""

    error = RefusalsFileError

    def items(self, node: Any, where: str, *, most: int) -> list[Any]:
        entries = self.sequence(node, where)
        if len(entries) > most:
            raise self.wrong(entries[most], f"{where} has {len(entries)} entries: at most {most}")
        return entries

    def texts(self, node: Any, where: str, *, most: int) -> list[tuple[Any, str]]:
        """A list of texts, each with its node; none may stand twice."""
        found: list[tuple[Any, str]] = []
        seen: set[str] = set()
        for entry in self.items(node, where, most=most):
            text = self.limited(entry, f"an entry of {where}")
            if text in seen:
                raise self.wrong(entry, f"{text[:60]!r} stands twice in {where}")
            seen.add(text)
            found.append((entry, text))
        return found

    def limited(self, node: Any, where: str, *, longest: int = 1_000) -> str:
        """A text of any lines without the blanks around it."""
        text = self.text(node, where).strip()
        if not text:
            raise self.wrong(node, f"{where} must be text")
        if len(text) > longest:
            raise self.wrong(node, f"{where} has {len(text):,} characters: at most {longest:,}")
        return text

    def true(self, node: Any, where: str) -> Literal[True]:
        if not isinstance(node, yaml.ScalarNode) or node.value.lower() not in {"true", "yes"}:
            raise self.wrong(node, f"{where} must be `true`, or be left out")
        return True

    def number(self, node: Any, where: str, *, least: float, most: float) -> float:
        try:
            value = float(node.value) if isinstance(node, yaml.ScalarNode) else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise self.wrong(node, f"{where} must be a number from {least:g} to {most:g}")
        return value
