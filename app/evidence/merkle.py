"""The arithmetic of the log: canonical JSON, leaf hashes, Merkle roots, commitments. No database, network or framework.

Hashing is that of RFC 6962 section 2.1 with SHA-256; canonical JSON is RFC 8785 narrowed (see `canonical`).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from app.evidence.fast_json import UNSURE, FastReader

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

HASH_BYTES = 32
SALT_BYTES = 32
MAX_DEPTH = 16  # objects and lists inside one another: no record comes near, and no reader runs out of stack
MAX_INTEGER = 2**53 - 1  # RFC 8785 numbers are IEEE doubles: beyond this, readers in other languages would differ
EMPTY_ROOT = hashlib.sha256(b"").digest()


class NotCanonical(ValueError):
    """The value has no canonical form, or the text is not in it."""


def canonical(value: Json) -> str:
    """The one text of `value`: keys sorted, no spaces, UTF-8.

    Narrower than RFC 8785, so that no two readers can differ: no floats, integers within 2^53 - 1, keys in ASCII, no
    NUL (PostgreSQL's jsonb has none), no lone surrogates, MAX_DEPTH at most. Raises NotCanonical.
    """
    _check(value, MAX_DEPTH)
    text = _ENCODER.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a text holds a lone surrogate") from error
    return text


def parse(text: str) -> Any:
    """The value of a canonical text; raises NotCanonical for any other spelling, a repeated key included."""
    return parse_by_standard_library(text) if (value := _FAST.read(text)) is UNSURE else value


def parse_by_standard_library(text: str) -> Any:
    """What `parse` does of a text that is not seen to be canonical at once."""
    try:
        value = _DECODER.decode(text)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("not JSON") from error
    if not _is_plainly_canonical(value, text) and canonical(value) != text:
        raise NotCanonical("JSON, but not in canonical form")
    return value


def _is_plainly_canonical(value: object, text: str) -> bool:
    """Whether this is seen at once, as of most records: in a text of ASCII without a NUL all keys and strings fit, and
    numbers were held to their bounds as they were read.
    """
    shallow = text.count("{") + text.count("[") <= MAX_DEPTH or _is_shallow(value, MAX_DEPTH)
    return shallow and text.isascii() and "\\u0000" not in text and _ENCODER.encode(value) == text


def _is_shallow(value: object, depth: int) -> bool:
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if type(each) in _CONTAINERS and not (depth > 1 and _is_shallow(each, depth - 1)):
            return False
    return True


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS or not -MAX_INTEGER <= (value := int(text)) <= MAX_INTEGER:
        raise NotCanonical(f"the integer {text[:_MAX_DIGITS]} is beyond 2^53 - 1")
    return value


def _no_float(text: str) -> NoReturn:
    raise NotCanonical(f"{text[:_MAX_DIGITS]} has no canonical form")


_FAST = FastReader(MAX_INTEGER)
_MAX_DIGITS = len(f"-{MAX_INTEGER}")
_CONTAINERS = {dict, list}
_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_no_float, parse_constant=_no_float)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check(value: object, depth: int) -> None:
    """Raise NotCanonical for what has no canonical form. Each record comes by here: texts, of which most values are,
    are looked at where they stand, without a call of their own.
    """
    if isinstance(value, dict):
        _check_depth(depth)
        for key, each in value.items():
            if not (isinstance(key, str) and key.isascii() and "\0" not in key):
                raise NotCanonical(f"the key {key!r} is not ASCII text")
            if type(each) is not str or "\0" in each:
                _check(each, depth - 1)
    elif isinstance(value, list | tuple):
        _check_depth(depth)
        for each in value:
            if type(each) is not str or "\0" in each:
                _check(each, depth - 1)
    else:
        _check_scalar(value)


def _check_depth(depth: int) -> None:
    if depth == 0:
        raise NotCanonical(f"more than {MAX_DEPTH} lists and objects stand inside one another")


def _check_scalar(value: object) -> None:
    match value:
        case None | bool():
            pass
        case str():
            if "\0" in value:
                raise NotCanonical("a text holds a NUL")
        case int():
            if abs(value) > MAX_INTEGER:
                raise NotCanonical(f"the integer {value} is beyond 2^53 - 1")
        case _:
            raise NotCanonical(f"a {type(value).__name__} has no canonical form")


def leaf_hash(body: str) -> bytes:
    """Hash of a record's canonical text: SHA-256(0x00 || UTF-8)."""
    return hashlib.sha256(b"\x00" + body.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, by the definition of RFC 6962 section 2.1; `Frontier` gives the same leaf by leaf."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


class Frontier:
    """The roots of the perfect subtrees of a growing tree, largest first: all that is needed to go on (compact range).

    It holds one hash for each set bit of `size`.
    """

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = [bytes(node) for node in nodes]
        if len(self.nodes) != size.bit_count() or any(len(node) != HASH_BYTES for node in self.nodes):
            raise ValueError(f"{len(self.nodes)} nodes do not make the frontier of a tree of {size}")

    def append(self, leaf: bytes) -> None:
        node, filled = leaf, self.size
        while filled & 1:
            node = node_hash(self.nodes.pop(), node)
            filled >>= 1
        self.nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle root over all leaves so far."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


@dataclass(frozen=True)
class Head:
    """What a holder keeps to catch any later rewriting: how many entries, and the root over them."""

    size: int
    root: bytes

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.root) != HASH_BYTES:
            raise ValueError("a head is a size and a root of 32 bytes")

    def __str__(self) -> str:
        return f"{self.size}:{encode(self.root)}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read `size:root`, the root in base64; raises ValueError."""
        size, _, root = text.strip().partition(":")
        if not (size.isascii() and size.isdigit()):
            raise ValueError("a head is written size:root, the root in base64")
        return cls(int(size), decode(root))


def commitment(salt: bytes, text: str) -> bytes:
    """HMAC-SHA-256 of a text under its own salt of 32 random bytes: binds to the text; hides it while the salt is."""
    return hmac.digest(salt, text.encode(), "sha256")


def encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of standard base64 as `encode` writes it; raises ValueError for any other spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if encode(data) != text:
        raise ValueError("not base64 in its one form")
    return data
