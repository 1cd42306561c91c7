"""`access.yaml`: who may read the files in its folder; pure.

    label: internal              # of every file without its own: public, internal, confidential or restricted
    rules:                       # the first match wins
      - path: "payroll/**"       # relative to this file; * and ? within a folder, ** across folders
        roles: [hr]              # who may read; `everyone` is every signed-in person
        deny: [hr-interns]       # who may not, whatever else they are
        label: confidential
        from: 2026-01-01         # readable from this moment; UTC where no zone is given
        until: 2027-01-01        # and no longer from this moment on
      - path: "board/**"
        inherits: true           # as its folder and collection say; `roles` and `deny` may add to that

A file that no rule matches has no tags and is not uploaded. Everything unknown is an error with its line, since a rule
that is misread would show a document to the wrong people. Parsed from YAML nodes, which know their lines.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from app.errors import InvalidInput
from app.paths import normal_path
from app.yaml_nodes import YamlFileError, YamlNodes

LABELS = ("public", "internal", "confidential", "restricted")
EVERYONE = "everyone"
DEFAULT_LABEL = "internal"
FILE_KEYS = ("label", "rules")
RULE_KEYS = ("path", "roles", "deny", "label", "from", "until", "inherits")
T = TypeVar("T")


class AccessFileError(YamlFileError):
    """The file is invalid; the message has the line and says what to write."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Who may read an uploaded file; `roles` and `deny` are names of roles, times are in UTC.

    With `inherits` these are added to the rules of its folder and collection; an empty label is theirs.
    """

    roles: tuple[str, ...]
    deny: tuple[str, ...] = ()
    label: str = DEFAULT_LABEL
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    inherits: bool = False


@dataclass(frozen=True, slots=True)
class AccessRule:
    pattern: re.Pattern[str]
    tags: Tags


@dataclass(frozen=True, slots=True)
class AccessFile:
    label: str
    rules: tuple[AccessRule, ...]

    @classmethod
    def read(cls, path: Path) -> "AccessFile":
        """Read a file. Raises AccessFileError, also if it does not exist or is not UTF-8."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise AccessFileError(f"{path.name}: cannot be read as UTF-8 text ({error})") from error
        return cls.parse(text, name=path.name)

    @classmethod
    def parse(cls, text: str, *, name: str = "access.yaml") -> "AccessFile":
        """Parse the text of a file called `name`. Raises AccessFileError."""
        return _Parser(name).parse(text)

    def tags_for(self, relative_path: str) -> Tags | None:
        """Tags of the file at this path, relative to access.yaml; None if no rule matches. Raises InvalidInput."""
        path = normal_path(relative_path)
        return next((rule.tags for rule in self.rules if rule.pattern.fullmatch(path)), None)


class _Parser(YamlNodes):
    error = AccessFileError

    def parse(self, text: str) -> AccessFile:
        root = self.compose(text)
        if root is None:
            raise AccessFileError(f"{self._name}: the file is empty; write at least one rule under `rules:`")
        fields = self.mapping(root, FILE_KEYS, "the file")
        label = self.one_of(fields["label"], LABELS, "label") if "label" in fields else DEFAULT_LABEL
        if "rules" not in fields:
            raise self.wrong(root, "`rules` is missing; write a list of rules, each with `path` and `roles`")
        entries = self.sequence(fields["rules"], "rules")
        if not entries:
            raise self.wrong(fields["rules"], "`rules` is empty; write at least one rule with `path` and `roles`")
        return AccessFile(label, tuple(self._rule(node, n, label) for n, node in enumerate(entries, start=1)))

    def _rule(self, node: Any, number: int, default_label: str) -> AccessRule:
        where = f"rule {number}"
        fields = self.mapping(node, RULE_KEYS, where)

        def value(key: str, parse: Callable[[Any, str], T], default: T) -> T:
            return parse(fields[key], f"`{key}` of {where}") if key in fields else default

        inherits = value("inherits", self._true, False)
        for key in ("path",) if inherits else ("path", "roles"):
            if key not in fields:
                raise self.wrong(node, f"{where} has no `{key}`")
        path = value("path", self.string, "")
        nobody: tuple[str, ...] = ()
        roles, deny = value("roles", self._roles, nobody), value("deny", self._roles, nobody)
        if EVERYONE in deny:
            raise self.wrong(fields["deny"], f"`deny` of {where} hides the files from everyone: do not upload them")
        if both := sorted(set(roles) & set(deny)):
            raise self.wrong(fields["deny"], f"{where} both allows and denies {both[0]!r}: name it once")
        label = value("label", lambda node, where: self.one_of(node, LABELS, where), "" if inherits else default_label)
        starts, ends = value("from", self._time, None), value("until", self._time, None)
        if starts and ends and starts >= ends:
            raise self.wrong(fields["until"], f"`until` of {where} is not after its `from`")
        return AccessRule(self._pattern(fields["path"], path, where), Tags(roles, deny, label, starts, ends, inherits))

    def _true(self, node: Any, where: str) -> bool:
        if not isinstance(node, yaml.ScalarNode) or node.value.lower() not in {"true", "yes"}:
            raise self.wrong(node, f"{where} must be `true`; leave the line out where files do not inherit")
        return True

    def _roles(self, node: Any, where: str) -> tuple[str, ...]:
        return self.names(node, where, f"name a role, or [{EVERYONE}] for every signed-in person")

    def _time(self, node: Any, where: str) -> datetime | None:
        try:
            value = yaml.SafeLoader("").construct_object(node) if isinstance(node, yaml.ScalarNode) else None
            if isinstance(value, str):
                value = datetime.fromisoformat(value)
        except ValueError:
            value = None
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if not isinstance(value, datetime):
            raise self.wrong(node, f"{where} must be a date or a time, like 2026-01-31 or 2026-01-31T09:00:00+01:00")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def _pattern(self, node: Any, path: str, where: str) -> re.Pattern[str]:
        if set(path) & set("[]{}\\!"):
            raise self.wrong(node, f"`path` of {where}: only *, ** and ? are special; write one rule for each case")
        try:
            parts = normal_path(path).split("/")
        except InvalidInput as error:
            advice = f"`path` of {where} must be relative to this file, like payroll/** or *.pdf"
            raise self.wrong(node, f"{advice}. {error.detail}") from error
        if any("**" in part and part != "**" for part in parts):
            raise self.wrong(node, f"`path` of {where}: ** must stand alone between slashes, like payroll/**")
        return re.compile(_expression(parts), re.DOTALL)


def _expression(parts: list[str]) -> str:
    """A glob as a regular expression: ** matches any folders or none, and at the end everything below."""
    translate: Callable[[str], str] = lambda part: "".join(  # noqa: E731  # used twice, meaningless elsewhere
        {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character) for character in part
    )
    *folders, last = parts
    head = "".join("(?:[^/]+/)*" if part == "**" else translate(part) + "/" for part in folders)
    return head + (".+" if last == "**" else translate(last))
