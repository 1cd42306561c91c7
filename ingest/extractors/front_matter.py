"""Front matter: the fields before the text of a page, in YAML, TOML or JSON. Pure.

Most of them steer a site generator. Kept are what a reader of the page would be told (`DESCRIPTIONS`), and the facts
that people ask for (`FACTS`); the title is the document's.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from ingest.extractors.plain import one_line

YAML = re.compile(r"\A---[ \t]*\n(.*?)(?:\n|(?<=\n))(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
TOML = re.compile(r"\A\+\+\+[ \t]*\n(.*?)(?:\n|(?<=\n))\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
# A line of YAML that a parser refuses ("title: Leave: who gets it") but nobody takes for prose.
YAML_LINE = re.compile(r"(?P<key>[A-Za-z_][\w-]*):(?:[ \t]+(?P<value>.*))?|[ \t]*- (?P<item>.*)|[ \t]+.*|#.*|")
TITLES = ("title", "linktitle", "heading")
DESCRIPTIONS = frozenset(("description", "subtitle", "summary", "abstract", "excerpt", "lead", "tagline", "intro"))
FACTS = frozenset(
    """
    owner owners author authors contact contacts maintainer maintainers approver approved approved_by team department
    responsible questions date created updated last_updated lastmod last_modified modified reviewed last_reviewed
    review_date next_review date_approved effective effective_date valid_from valid_until expires version status
    outdated audience applies_to classification location language_of_record
    """.split()  # noqa: SIM905  # a list of words reads best as text
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The title of a page, what its fields tell a reader, a line each, and the text that follows."""

    title: str
    lines: tuple[str, ...]
    rest: str


def split_front_matter(text: str) -> FrontMatter | None:
    """The fields before a text; None if it begins without, or with what is no mapping: then that is text."""
    for pattern, load in ((YAML, _yaml), (TOML, _toml)):
        if match := pattern.match(text):
            fields = load(match[1])
            return _chosen(fields, text[match.end() :]) if fields else None
    if text.startswith("{") and (found := _json(text)):
        return _chosen(*found)
    return None


def _chosen(fields: Mapping[str, object], rest: str) -> FrontMatter:
    texts = {str(key): shown for key, value in fields.items() if (shown := one_line(_shown(value)))}
    names = {key: key.lower().replace("-", "_") for key in texts}
    title = next((texts[key] for wanted in TITLES for key in texts if names[key].replace("_", "") == wanted), "")
    lines = [
        text if names[key] in DESCRIPTIONS else f"{_label(names[key])}: {text}"
        for key, text in texts.items()
        if names[key] in DESCRIPTIONS | FACTS
    ]
    return FrontMatter(title, tuple(lines), rest)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_shown, value)))
    if isinstance(value, dict):
        return _shown([item for key, item in value.items() if str(key).lower() in ("name", "title", "email")])
    return "" if value is None or isinstance(value, bool) else str(value)


def _yaml(block: str) -> Mapping[str, object]:
    try:
        data = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _lenient(block.split("\n"))
    return data if isinstance(data, dict) else {}


def _lenient(lines: Iterable[str]) -> Mapping[str, object]:
    """The plain fields of YAML that is not quite YAML; none if a line is anything else."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        match = YAML_LINE.fullmatch(line)
        if match is None:
            return {}
        if match["key"]:
            fields[match["key"]] = []
        if fields and (text := (match["value"] or match["item"] or "").strip("\"' ")):
            list(fields.values())[-1].append(text)
    return fields


def _toml(block: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(block)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(text: str) -> tuple[Mapping[str, object], str] | None:
    """JSON before a text: an object that has a title, alone on its lines."""
    try:
        data, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    rest = text[end:].lstrip(" \t")
    named = isinstance(data, dict) and any(str(key).lower() in (*TITLES, "date") for key in data)
    return (data, rest) if named and rest.startswith("\n") else None
