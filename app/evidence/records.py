"""What a reader makes of a record's text, whoever wrote it: a value of the form that records have, or nothing.

The database takes no other record from a service of ours. Should one stand there all the same, it must not keep an
auditor from all others.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.evidence.merkle import NotCanonical, parse

SEALED = {"sealed", "commitment", "keeps"}
DOCUMENTS = "documents"
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_record(body: str) -> dict[str, Any] | None:
    """The record, with its id, kind and actor in their form; None for any other text, which is then shown as it is."""
    try:
        record = parse(body)
    except NotCanonical:
        return None
    match record:
        case {"id": str(identity), "kind": str(), "actor": {"user": str() | None as user}} if _is_id(identity) and (
            user is None or _is_id(user)
        ):
            return dict(record)
        case _:
            return None


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def is_sealed(value: object) -> bool:
    """Whether a record's field holds a sealed value; one with text of documents names these."""
    if not isinstance(value, Mapping) or set(value) - {DOCUMENTS} != SEALED:
        return False
    named = value.get(DOCUMENTS, [])
    return all(isinstance(value[name], str) for name in SEALED) and (
        isinstance(named, list) and all(isinstance(each, str) and _is_id(each) for each in named)
    )


def part(value: object, name: str) -> Any:
    """A field of what may be an object; None where it is none, or has no such field."""
    # Of JSON it is a dict, which is seen at once.
    return value.get(name) if type(value) is dict or isinstance(value, Mapping) else None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ: with two equal ones, two readers might see two logs."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value
