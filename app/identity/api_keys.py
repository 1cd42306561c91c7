"""API keys, delegation tokens, sessions and sign-in links: how they look, how one is made, and what of it is kept.

`clr_` (a key), `cld_` (a delegation), `cls_` (a session) or `cll_` (a link) + 8 characters that name it + `_` + 43
characters of secret (256 bits). Only the SHA-256 of all is kept.
"""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass

ALPHABET = string.ascii_letters + string.digits
SHAPE = re.compile(r"clr_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
DELEGATION_SHAPE = re.compile(r"cld_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
SESSION_SHAPE = re.compile(r"cls_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
LINK_SHAPE = re.compile(r"cll_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class NewKey:
    """A key or token just made. `secret` is shown once and never stored."""

    prefix: str
    secret: str
    hash: bytes

    def __repr__(self) -> str:
        return f"NewKey(prefix={self.prefix!r})"


def make_key() -> NewKey:
    return _make("clr_")


def make_token() -> NewKey:
    return _make("cld_")


def make_session_secret() -> NewKey:
    return _make("cls_")


def make_link_secret() -> NewKey:
    return _make("cll_")


def hash_key(secret: str) -> bytes:
    """What is stored and looked up; a lookup by hash needs no comparison in constant time."""
    return hashlib.sha256(secret.encode()).digest()


def looks_like_key(text: str) -> bool:
    """Whether it has the shape of a key, so that anything else costs no query."""
    return SHAPE.fullmatch(text) is not None


def looks_like_token(text: str) -> bool:
    """The same for a delegation token. Neither is ever taken for the other."""
    return DELEGATION_SHAPE.fullmatch(text) is not None


def looks_like_session(text: str) -> bool:
    """The same for a session's secret."""
    return SESSION_SHAPE.fullmatch(text) is not None


def looks_like_link(text: str) -> bool:
    """The same for a sign-in link's."""
    return LINK_SHAPE.fullmatch(text) is not None


def _make(kind: str) -> NewKey:
    prefix = kind + "".join(secrets.choice(ALPHABET) for _ in range(8))
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(prefix, secret, hash_key(secret))
