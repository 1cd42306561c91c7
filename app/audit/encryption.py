"""Seals personal words under a key for each person, so that destroying one key erases one person's words.

What a record holds is `{"sealed", "commitment"}`: the words and their salt, encrypted (AES-256-GCM), and an HMAC of the
words under that salt. Who is given words and salt can check them against the record; without the key nobody can guess.
"""

import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from app.audit.events.base import CommittedText, SealedText
from app.db.engine import CHANGES_NO_ACCESS, KEEPS_PLAN
from app.db.session import WRAPPED_KEYS
from app.db.tables.audit import PersonKey
from app.evidence.merkle import SALT_BYTES, commitment, decode, encode
from app.evidence.records import is_sealed, read_record

KEY_BYTES = 32
NONCE_BYTES = 12
# The wrapped keys of many people at once.
ADD_KEYS = text(
    """
    insert into person_key (user_id, wrapped)
    select r.user_id, decode(r.wrapped, 'hex')
    from json_to_recordset(cast(:rows as json)) as r (user_id uuid, wrapped text)
    on conflict do nothing
    """
)


_WRAPPED = (
    select(PersonKey.wrapped)
    .where(PersonKey.user_id == bindparam("user"))
    .execution_options(**CHANGES_NO_ACCESS, **KEEPS_PLAN)
)


class SealBroken(Exception):
    """A sealed value or wrapped key does not open: another key, another place, or altered bytes."""


@dataclass(frozen=True)
class UnsealedText:
    """A sealed value in the clear. `text` is None where only a commitment was kept."""

    text: str | None
    salt: bytes


def _encrypt(key: bytes, clear: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, context.encode())


def _decrypt(key: bytes, sealed: bytes, context: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"{context} does not open under this key") from error


def seal(key: bytes, value: SealedText | CommittedText, *, record: uuid.UUID, field: str) -> dict[str, str]:
    """The form in which a record holds `value`; bound to its record and field, so it opens nowhere else."""
    salt = secrets.token_bytes(SALT_BYTES)
    kept = value.text.encode() if isinstance(value, SealedText) else b""
    # The kind is part of the context: a commitment must never open as an empty text.
    context = f"{record}/{field}/{'text' if isinstance(value, SealedText) else 'salt'}"
    return {
        "sealed": encode(_encrypt(key, salt + kept, context)),
        "commitment": encode(commitment(salt, value.text)),
        "keeps": "text" if isinstance(value, SealedText) else "salt",
    }


def unseal(key: bytes, value: Mapping[str, str], *, record: uuid.UUID, field: str) -> UnsealedText:
    """Open what `seal` made; raises SealBroken."""
    try:
        sealed, keeps = decode(value["sealed"]), value["keeps"]
    except (KeyError, ValueError) as error:
        raise SealBroken(f"{record}/{field} is not a sealed value") from error
    clear = _decrypt(key, sealed, f"{record}/{field}/{keeps}")
    return UnsealedText(clear[SALT_BYTES:].decode() if keeps == "text" else None, clear[:SALT_BYTES])


class Sealer:
    """Seals and opens with the per-person keys of the database, each wrapped by the one key of the settings."""

    def __init__(self, key: bytes) -> None:
        """`key` is `audit.key` of the settings: 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError("the audit key must have 32 bytes")
        self._key = key

    def ensure_key(self, session: Session, user: uuid.UUID) -> bytes:
        """The person's key, made on first use. Make it with the user, and two first questions never wait on each other.

        Under REPEATABLE READ a key that another transaction made meanwhile is a serialization failure: try again.
        """
        found = self.find_key(session, user)
        if found is not None:
            return found
        self.make_keys(session, [user])
        made = self.find_key(session, user)
        if made is None:
            raise SealBroken(f"the key of {user} was made and cannot be read")
        return made

    def make_keys(self, session: Session, users: Sequence[uuid.UUID]) -> None:
        """Keys of many people who are new, in one statement; who has one keeps it."""
        wrapped = (_encrypt(self._key, secrets.token_bytes(KEY_BYTES), f"person_key/{user}") for user in users)
        rows = [{"user_id": str(user), "wrapped": key.hex()} for user, key in zip(users, wrapped, strict=True)]
        if rows:
            session.execute(ADD_KEYS, {"rows": json.dumps(rows)})

    def find_key(self, session: Session, user: uuid.UUID) -> bytes | None:
        """The person's key, or None: never made, or destroyed to erase that person's words. Raises SealBroken."""
        wrapped = session.info.get(WRAPPED_KEYS, {}).get(user)
        if wrapped is None:
            wrapped = session.scalar(_WRAPPED, {"user": user})
        return None if wrapped is None else _decrypt(self._key, wrapped, f"person_key/{user}")

    def seal_bytes(self, clear: bytes, context: str) -> bytes:
        """Seal what is no one person's under the key of the settings; it opens under this context alone."""
        return _encrypt(self._key, clear, context)

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """Open what `seal_bytes` made; raises SealBroken."""
        return _decrypt(self._key, sealed, context)

    def seal_record(self, session: Session, record: Mapping[str, Any], user: uuid.UUID) -> dict[str, Any]:
        """The record with all its personal words sealed under `user`'s key."""
        key = self.ensure_key(session, user)
        identity = uuid.UUID(record["id"])
        return {
            name: seal(key, value, record=identity, field=name) if is_personal(value) else value
            for name, value in record.items()
        }


def is_personal(value: object) -> bool:
    """Whether a record's field holds words that must be sealed."""
    return isinstance(value, SealedText | CommittedText)


class Opener:
    """Opens the personal words of records for an auditor; keeps the unwrapped keys of one export."""

    def __init__(self, session: Session, sealer: Sealer) -> None:
        self._session = session
        self._sealer = sealer
        self._keys: dict[uuid.UUID, bytes | None] = {}

    def __call__(self, body: str) -> dict[str, dict[str, Any]]:
        """The sealed fields of a record: `{"text", "salt"}`, `{"salt"}`, `{"erased"}` or `{"unreadable"}` for each."""
        record = read_record(body)
        if record is None:
            return {}
        return {name: self._open(record, name) for name, value in record.items() if is_sealed(value)}

    def _open(self, record: Mapping[str, Any], field: str) -> dict[str, Any]:
        if record["actor"]["user"] is None:
            return {"unreadable": True}
        user = uuid.UUID(record["actor"]["user"])
        try:
            if user not in self._keys:
                self._keys[user] = self._sealer.find_key(self._session, user)
            key = self._keys[user]
            if key is None:
                return {"erased": True}
            opened = unseal(key, record[field], record=uuid.UUID(record["id"]), field=field)
        except SealBroken:
            # Shown as such rather than raised: one altered record must not stop the export of all the others.
            return {"unreadable": True}
        text = {} if opened.text is None else {"text": opened.text}
        return {**text, "salt": encode(opened.salt)}
