"""What there is to know of an entry of a file that is right by itself, so that another process can look at its record.

Most of the time of verification goes into what one line gives alone: reading its record, holding it to its canonical
form, to its leaf hash and to what is opened of it. What needs the lines before stays with `LogChecker`.
"""

import json
from typing import Any, NamedTuple

from app.evidence.fast_json import read_line
from app.evidence.merkle import encode, leaf_hash
from app.evidence.opened import opened_text_matches
from app.evidence.records import KEY_CHANGED, LOG_PRUNED, id_bytes, read_record, unique_keys

_KEYS = {"seq", "leaf_hash", "record"}
_KEYS_WITH_OPENED = _KEYS | {"opened"}


class SoundEntry(NamedTuple):
    """An entry whose line says nothing wrong. `identity`: its record's id; `at`: when the record says that it was
    written; `opened` and `erased`: how many texts are opened, and how many are gone.
    """

    seq: int
    leaf_hash: bytes
    identity: bytes
    at: str | None
    opened: int
    erased: int


def sound_entry(line: bytes) -> SoundEntry | None:
    """What is to know of the entry on a line of an export; None for any other line, in which case what is wrong, if
    anything is, is for `LogChecker` to find. So is what speaks of other entries: a change of the log's key, and which
    records were removed.
    """
    value = read_line(line) or read_any_line(line)
    if type(value) is not dict or (value.keys() != _KEYS and value.keys() != _KEYS_WITH_OPENED):
        return None
    seq, claimed, body = value["seq"], value["leaf_hash"], value["record"]
    if type(seq) is not int or seq < 0 or type(body) is not str:
        return None
    record = read_record(body)
    if record is None or record["kind"] in {KEY_CHANGED, LOG_PRUNED}:
        return None
    computed = leaf_hash(body)
    counts = _counts(record, value["opened"]) if "opened" in value else (0, 0)
    if claimed != encode(computed) or counts is None:
        return None
    at = record.get("at")
    return SoundEntry(seq, computed, id_bytes(record), at if type(at) is str else None, *counts)


def read_any_line(line: bytes) -> object:
    """The JSON on a line, None for what is none or holds a key twice."""
    try:
        return json.loads(line.decode(), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError):
        return None


def _counts(record: dict[str, Any], opened: object) -> tuple[int, int] | None:
    """How many texts are opened and how many are gone; None where one is not what was recorded."""
    if type(opened) is not dict or not all(
        opened_text_matches(record.get(name), words) for name, words in opened.items()
    ):
        return None
    texts = sum("text" in words for words in opened.values())
    return texts, sum("text" not in words and "salt" not in words for words in opened.values())
