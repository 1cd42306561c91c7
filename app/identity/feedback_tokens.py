"""Tokens by which an asker names a block of an answer: nobody can make one, and none is good for anybody else."""

import base64
import binascii
import hashlib
import hmac
import uuid

from app.errors import NotFound

_MAC_BYTES = 16
_BLOCK_BYTES = 2


class FeedbackTokens:
    """Issues and reads tokens. Nothing is stored: a token holds the trail and the block, and a MAC over these and the
    asker, who is not named in it.
    """

    def __init__(self, key: bytes) -> None:
        """`key` may be shared with other uses: what is signed says that it is for feedback."""
        self._key = key

    def issue(self, user_id: uuid.UUID, trail: uuid.UUID, block: int) -> str:
        """The token for block number `block` of the answer with this trail."""
        named = trail.bytes + block.to_bytes(_BLOCK_BYTES, "big")
        return base64.urlsafe_b64encode(named + self._mac(user_id, named)).decode().rstrip("=")

    def read(self, user_id: uuid.UUID, token: str) -> tuple[uuid.UUID, int]:
        """The trail and the block's number; raises NotFound for what was not issued to this user."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise NotFound from None
        named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(named) != 16 + _BLOCK_BYTES or not hmac.compare_digest(mac, self._mac(user_id, named)):
            raise NotFound
        return uuid.UUID(bytes=named[:16]), int.from_bytes(named[16:], "big")

    def _mac(self, user_id: uuid.UUID, named: bytes) -> bytes:
        return hmac.new(self._key, b"feedback\0" + user_id.bytes + named, hashlib.sha256).digest()[:_MAC_BYTES]
