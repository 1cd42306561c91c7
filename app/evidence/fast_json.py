"""Reads canonical JSON several times as fast as the standard library, where msgspec is installed.

It takes what it is sure of and nothing else: of any other text the caller decides by the standard library, so that
what is canonical, and what is found of a file, do not depend on whether it is there.
"""

import re
import types
from typing import Annotated, Any

try:
    import msgspec
except ImportError:  # an auditor may have this folder alone
    HAS_MSGSPEC = False
else:
    HAS_MSGSPEC = True

# What a reader gives for a text that it is not sure of; None is a value.
UNSURE = object()
# Objects and lists inside one another: a record of ours has four, and a reader for more takes long to build.
_DEPTH = 6
# How a line begins and ends as the service writes one, with nothing opened. Between, a string or more may stand.
_BEGIN = re.compile(rb'\{"seq":(0|[1-9][0-9]{0,17}),"leaf_hash":"([0-9A-Za-z+/=]*)","record":(?=")')
_END = b'"}\n'


class FastReader:
    """Reads canonical texts of ASCII, with integers up to this one."""

    def __init__(self, max_integer: int) -> None:
        if not HAS_MSGSPEC:
            return
        scalar: Any = None | bool | Annotated[int, msgspec.Meta(ge=-max_integer, le=max_integer)] | str
        form = scalar
        for _ in range(_DEPTH):
            form = scalar | types.GenericAlias(list, form) | types.GenericAlias(dict, (str, form))
        self._decode = msgspec.json.Decoder(form).decode
        self._encode = msgspec.json.Encoder(order="sorted").encode

    def read(self, text: str) -> Any:
        """The value of a text that is surely canonical, else UNSURE.

        Written again it must be the same text: a repeated key, a space, another spelling or another order would not
        come back. A NUL comes back, and a key that is not ASCII: neither is in a text that is read here.
        """
        if not HAS_MSGSPEC or not text.isascii() or "\\u0000" in text:
            return UNSURE
        try:
            value = self._decode(text)
            return value if self._encode(value) == text.encode() else UNSURE
        except (ValueError, RecursionError):
            return UNSURE


def read_line(line: bytes) -> dict[str, Any] | None:
    """The entry on a line of an export as the service writes it, else None."""
    if not HAS_MSGSPEC or not (line.isascii() and line.endswith(_END)) or (begin := _BEGIN.match(line)) is None:
        return None
    seq, leaf_hash = begin.groups()
    try:
        # Refuses what stands behind the first string, such as a key that stands twice.
        record = _read_text(memoryview(line)[begin.end() : -len(_END) + 1])
        return {"seq": int(seq), "leaf_hash": leaf_hash.decode(), "record": record}
    except ValueError:
        return None


def ascii_json(value: object) -> bytes | None:
    """A value of JSON's types but floats, without spaces and in ASCII, as the standard library writes it; None where
    the two would differ, or may.
    """
    if not HAS_MSGSPEC:
        return None
    try:
        text: bytes = _write(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return text if text.isascii() and b"\x7f" not in text else None


if HAS_MSGSPEC:
    _write = msgspec.json.Encoder().encode
    _read_text = msgspec.json.Decoder(str).decode
