"""Renders what tests/contracts/snapshots/ holds: `python -m tests.contracts.public_surfaces` writes it anew.

A change in one of these files changes what clients, scripts or auditors rely on, and belongs in CHANGELOG.md.
"""

import datetime as dt
import json
import types
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer

from app.audit.events import KINDS
from app.audit.events.base import VERSION, CommittedText, Event, SealedText
from app.cli.app import Commands
from app.cli.lazy import load
from app.main import create_routes

FOLDER = Path(__file__).parent / "snapshots"
WIDTH = 120
SCHEMAS = "#/components/schemas/"
# What explains and may be reworded, and what is made of the names of functions.
LEFT_OUT = frozenset({"description", "summary", "title", "tags", "example", "examples", "operationId"})
# Keys that say nothing in the name of a schema.
SILENT = frozenset({"responses", "content", "application/json", "schema", "properties", "anyOf", "oneOf", "items"})
TYPES: dict[Any, str] = {
    types.NoneType: "null",
    bool: "boolean",
    int: "integer",
    str: "text",
    uuid.UUID: "uuid",
    dt.datetime: "time",
    SealedText: "text, sealed",
    CommittedText: "text, committed to",
}


def openapi() -> str:
    """The OpenAPI document without explanations and examples, and without the names of Python functions and classes.

    A schema is named after its first use, and an error answer is the list of its codes: docs/reference.md has the rest.
    """
    document = create_routes().openapi()
    paths, schemas = dict(sorted(document["paths"].items())), document["components"]["schemas"]
    names: dict[str, str] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            operation["responses"] = {s: _error_codes(answer) for s, answer in operation["responses"].items()}
            _name_schemas(operation, (method.upper(), path), schemas, names)
    used = {place: schemas[name] for name, place in names.items()}
    whole = {"openapi": document["openapi"], "paths": paths, **document["components"], "schemas": used}
    return _json(_structure(whole, names)) + "\n"


def _error_codes(answer: Mapping[str, Any]) -> Any:
    problem = answer.get("content", {}).get("application/problem+json")
    return sorted(problem["examples"]) if problem else answer


def _name_schemas(value: Any, place: Sequence[str], schemas: Mapping[str, Any], names: dict[str, str]) -> None:
    """Fill in `names`, from the class to the place, for all schemas that `value` refers to."""
    if isinstance(value, list):
        value = {str(number): inner for number, inner in enumerate(value)}
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key != "$ref":
            _name_schemas(inner, place if key in SILENT else (*place, key), schemas, names)
        elif (name := inner.removeprefix(SCHEMAS)) not in names:
            names[name] = " ".join(place)
            _name_schemas(schemas[name], place, schemas, names)


def _structure(value: Any, names: Mapping[str, str], *, of_fields: bool = False) -> Any:
    """`value` with schemas renamed and without LEFT_OUT; `of_fields` says that its keys are fields of a model."""
    match value:
        case str() if value.startswith(SCHEMAS):
            return names[value.removeprefix(SCHEMAS)]
        case list():
            return [_structure(inner, names) for inner in value]
        case dict():
            return {
                key: _structure(inner, names, of_fields=key == "properties" and not of_fields)
                for key, inner in value.items()
                if of_fields or key not in LEFT_OUT
            }
    return value


def cli() -> str:
    """Each command with what `--help` says of it, of its arguments and of its options, before lines are wrapped."""
    commands = (_command(f"clearance {name}", load(e.target, name)) for name, e in Commands.entries.items())
    return "".join(f"{line}\n" for lines in commands for line in lines)


def _command(name: str, command: Any) -> Iterator[str]:
    yield name
    yield from (f"    {line}".rstrip() for line in command.help.splitlines())
    for parameter in command.params:
        names, text = parameter.get_help_record(typer.Context(command)) or (", ".join(parameter.opts), "(hidden)")
        yield f"  {names}  {text}"
    yield ""
    for word, inner in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {word}", inner)


def audit_records() -> str:
    """The kinds of audit record, with the fields of each beyond those that all have, and their types."""
    common = _type(Event)
    kinds = {kind: {n: t for n, t in _type(event).items() if common.get(n) != t} for kind, event in KINDS.items()}
    return _json({"version": VERSION, "all": common, "kinds": kinds}) + "\n"


def _type(kind: Any) -> Any:
    parts, origin = get_args(kind), get_origin(kind)
    if isinstance(kind, str) or kind in TYPES:
        return TYPES.get(kind, kind)
    if is_dataclass(kind):
        return {field.name: _type(field.type) for field in sorted(fields(kind), key=lambda field: field.name)}
    if origin is Literal:
        return " | ".join(map(repr, parts))
    if origin in {Union, types.UnionType}:
        choices = [_type(part) for part in parts]
        return " | ".join(choices) if all(isinstance(c, str) for c in choices) else choices
    if origin in {tuple, Sequence}:
        return {"list of": _type(parts[0])}
    if origin is Mapping:
        return {"object of": _type(parts[1])}
    raise TypeError(f"no name for {kind}: add it to TYPES")


def _json(value: Any, indent: str = "") -> str:
    """JSON with what fits into a line on one line, so that a difference is seen with what it belongs to."""
    short = json.dumps(value, ensure_ascii=False)
    if len(indent + short) < WIDTH or not isinstance(value, dict | list):
        return short
    deeper = indent + " "
    if isinstance(value, list):
        opening, lines, closing = "[", [_json(inner, deeper) for inner in value], "]"
    else:
        opening, closing = "{", "}"
        lines = [f"{json.dumps(key)}: {_json(inner, deeper)}" for key, inner in value.items()]
    return opening + ",".join(f"\n{deeper}{line}" for line in lines) + f"\n{indent}{closing}"


SNAPSHOTS = {"openapi.json": openapi, "cli.txt": cli, "audit_records.json": audit_records}

if __name__ == "__main__":
    for name, render in SNAPSHOTS.items():
        (FOLDER / name).write_text(render(), "utf-8")
