"""What a reader makes of a record's text, whoever wrote it: a value of the form that records have, or nothing.

The database takes no other record from a service of ours. Should one stand there all the same, it must not keep an
auditor from all others.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.evidence.merkle import NotCanonical, parse

SEALED = {"sealed", "commitment", "keeps"}
# What a sealed value names beside: documents, whose keys it takes too; and whose words it has, if not the actor's.
DOCUMENTS, PERSON = "documents", "person"
# Kinds of records that speak of others: the key by which the log is signed changes; records were removed.
KEY_CHANGED, LOG_PRUNED = "signingkey.changed", "log.pruned"
# From this version on records have addresses sealed.
SEALS_ADDRESSES = 3
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


def id_bytes(record: Mapping[str, Any]) -> bytes:
    """The id of a record that was read, which has one spelling."""
    return bytes.fromhex(record["id"].replace("-", ""))


def is_sealed(value: object) -> bool:
    """Whether a record's field holds a sealed value; one with text of documents names these, one of another person's
    words than the actor's that person.
    """
    # Most fields of JSON are no object, which is seen at once.
    if value is None or type(value) is str or not isinstance(value, Mapping):
        return False
    if set(value) - {DOCUMENTS, PERSON} != SEALED:
        return False
    named = [value[PERSON]] if PERSON in value else []
    of_documents = value.get(DOCUMENTS, [])
    return (
        all(isinstance(value[name], str) for name in SEALED)
        and isinstance(of_documents, list)
        and all(isinstance(each, str) and _is_id(each) for each in [*named, *of_documents])
    )


def sealed_for(record: Mapping[str, Any], field: str) -> str | None:
    """The id of the person under whose key a record's sealed field is; None for one of nobody."""
    found: str | None = part(record[field], PERSON) or record["actor"]["user"]
    return found


def seals_addresses(record: Mapping[str, Any] | None) -> bool:
    """Whether a record of this version has its address sealed."""
    version = part(record, "v")
    return isinstance(version, int) and version >= SEALS_ADDRESSES


def part(value: object, name: str) -> Any:
    """A field of what may be an object; None where it is none, or has no such field."""
    # Of JSON it is a dict or None, which is seen at once.
    if value is None:
        return None
    return value.get(name) if type(value) is dict or isinstance(value, Mapping) else None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ: with two equal ones, two readers might see two logs."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value
