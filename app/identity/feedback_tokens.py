"""Tokens by which an asker names an answer or a block of it: nobody can make one, and none is good for anybody else."""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Iterable

from app.errors import NotFound

_MAC_BYTES = 16
_BLOCK_BYTES = 2
_ID_BYTES = 16
# The number of what is no block: the whole answer. Blocks are numbered from 1.
WHOLE_ANSWER = 0
# So many documents fit into a token, whose length this bounds: 16 of them in 392 characters.
MAX_DOCUMENTS = 16
MAX_TOKEN = 400


class FeedbackTokens:
    """Issues and reads tokens. Nothing is stored: a token holds the trail, the block and the documents behind it, and a
    MAC over these and the asker, who is not named in it.
    """

    def __init__(self, key: bytes) -> None:
        """`key` may be shared with other uses: what is signed says that it is for feedback."""
        self._key = key

    def issue(self, user_id: uuid.UUID, trail: uuid.UUID, block: int, documents: Iterable[uuid.UUID] = ()) -> str:
        """The token for block number `block` of the answer with this trail, made from these documents."""
        behind = list(dict.fromkeys(documents))[:MAX_DOCUMENTS]
        named = trail.bytes + block.to_bytes(_BLOCK_BYTES, "big") + b"".join(each.bytes for each in behind)
        return base64.urlsafe_b64encode(named + self._mac(user_id, named)).decode().rstrip("=")

    def read(self, user_id: uuid.UUID, token: str) -> tuple[uuid.UUID, int, frozenset[uuid.UUID]]:
        """The trail, the block's number and the documents; raises NotFound for what was not issued to this user."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise NotFound from None
        named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(user_id, named)):
            raise NotFound
        head = _ID_BYTES + _BLOCK_BYTES
        block = int.from_bytes(named[_ID_BYTES:head], "big")
        behind = (named[at : at + _ID_BYTES] for at in range(head, len(named), _ID_BYTES))
        return uuid.UUID(bytes=named[:_ID_BYTES]), block, frozenset(uuid.UUID(bytes=each) for each in behind)

    def _mac(self, user_id: uuid.UUID, named: bytes) -> bytes:
        return hmac.new(self._key, b"feedback\0" + user_id.bytes + named, hashlib.sha256).digest()[:_MAC_BYTES]
