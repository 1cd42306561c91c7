"""How both sides prove that they know one key, and seal what they say from there on. Pure.

HMAC-SHA256 over random numbers of both sides. Each direction has a key of its own and each message a number, so what
was said once is worth nothing in another connection, in another place, or from the other side. Nothing is encrypted.
"""

import hmac
from typing import Literal

NONCE, TAG = 32, 32
Side = Literal["client", "server"]


class Spoilt(ValueError):
    """A proof or a seal that the key did not make."""


class Seal:
    """Seals the messages of one direction, or checks them; in their order."""

    def __init__(self, key: bytes) -> None:
        self._key, self._number = key, 0

    def close(self, message: bytes) -> bytes:
        """The message behind its seal."""
        return self._next(message) + message

    def open(self, sealed: bytes) -> bytes:
        """The message; raises Spoilt."""
        message = sealed[TAG:]
        if not hmac.compare_digest(self._next(message), sealed[:TAG]):
            raise Spoilt
        return message

    def _next(self, message: bytes) -> bytes:
        number, self._number = self._number, self._number + 1
        return hmac.digest(self._key, number.to_bytes(8, "big") + message, "sha256")


class Proof:
    """What one connection's two random numbers and the key give."""

    def __init__(self, key: bytes, *, server: bytes, client: bytes) -> None:
        """`server` and `client` are the random numbers of both sides, 32 bytes each."""
        self._key, self._nonces = key, server + client

    def of(self, side: Side) -> bytes:
        """That this side knows the key."""
        return self._made(b"proof", side)

    def check(self, side: Side, given: bytes) -> None:
        """Raises Spoilt."""
        if not hmac.compare_digest(self.of(side), given):
            raise Spoilt

    def seal(self, side: Side) -> Seal:
        """For what this side says."""
        return Seal(self._made(b"seal", side))

    def _made(self, purpose: bytes, side: Side) -> bytes:
        return hmac.digest(self._key, b"clearance lists 1 " + purpose + side.encode() + self._nonces, "sha256")
