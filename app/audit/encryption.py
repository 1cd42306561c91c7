"""Seals personal words under a key for each person, so that destroying one key erases one person's words. What holds
text of documents is sealed under their keys too, so that destroying one of these erases that document's text.

What a record holds is `{"sealed", "commitment"}`: the words and their salt, encrypted (AES-256-GCM), and an HMAC of the
words under that salt. Who is given words and salt can check them against the record; without the key nobody can guess.
"""

import contextlib
import hmac
import json
import secrets
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ARRAY, Uuid, any_, bindparam, cast, select, text
from sqlalchemy.orm import Session

from app.audit.events.base import CommittedText, SealedText
from app.db.engine import CHANGES_NO_ACCESS, KEEPS_PLAN
from app.db.session import RECORD_SEALER, WRAPPED_KEYS
from app.db.tables.audit import PersonKey
from app.evidence.merkle import SALT_BYTES, commitment, decode, encode
from app.evidence.records import DOCUMENTS, PERSON

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


ADD_DOCUMENT_KEYS = text("select clearance.add_document_keys(:documents, :keys)")
DOCUMENT_KEYS = text("select document, wrapped from clearance.document_keys(:documents)")


_WRAPPED = (
    select(PersonKey.wrapped)
    .where(PersonKey.user_id == bindparam("user"))
    .execution_options(**CHANGES_NO_ACCESS, **KEEPS_PLAN)
)
_ALL_WRAPPED = select(PersonKey.user_id, PersonKey.wrapped)


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


def seal(key: bytes, value: SealedText | CommittedText, *, record: uuid.UUID, field: str) -> dict[str, Any]:
    """The form in which a record holds `value`; bound to its record and field, so it opens nowhere else."""
    salt = secrets.token_bytes(SALT_BYTES)
    kept = value.text.encode() if isinstance(value, SealedText) else b""
    # The kind is part of the context: a commitment must never open as an empty text.
    context = f"{record}/{field}/{'text' if isinstance(value, SealedText) else 'salt'}"
    sealed = {
        "sealed": encode(_encrypt(key, salt + kept, context)),
        "commitment": encode(commitment(salt, value.text)),
        "keeps": "text" if isinstance(value, SealedText) else "salt",
    }
    documents, person = documents_in(value), person_in(value)
    of_documents = {DOCUMENTS: sorted(map(str, documents))} if documents else {}
    return sealed | of_documents | ({} if person is None else {PERSON: str(person)})


def documents_in(value: object) -> frozenset[uuid.UUID]:
    """The documents whose text is in a value that is to be sealed."""
    return value.documents if isinstance(value, SealedText) else frozenset()


def person_in(value: object) -> uuid.UUID | None:
    """Whose words a value has that is to be sealed, where they are not the actor's."""
    return value.person if isinstance(value, SealedText) else None


def _address_key(key: bytes) -> bytes:
    """For addresses, out of the key of their person, or of the settings'."""
    return hmac.digest(key, b"clearance address", "sha256")


def seal_address(key: bytes, address: str) -> str:
    """An address sealed so that the same one of the same person gives the same text (AES-SIV, RFC 5297): it can be
    searched for by who has the key, and by nobody else told from another, or from the same of somebody else.
    """
    return encode(AESSIV(_address_key(key)).encrypt(address.encode(), None))


def open_address(key: bytes, sealed: str) -> str:
    """What `seal_address` sealed; raises SealBroken."""
    try:
        return AESSIV(_address_key(key)).decrypt(decode(sealed), None).decode()
    except (InvalidTag, ValueError) as error:
        raise SealBroken("an address does not open under this key") from error


def joint_key(person: bytes, documents: Sequence[bytes]) -> bytes:
    """The key that takes a person's and those of all documents, these in the order of their ids, to be made again."""
    if not documents:
        return person
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"clearance person and documents")
    return derived.derive(b"".join((person, *documents)))


def unseal(key: bytes, value: Mapping[str, Any], *, record: uuid.UUID, field: str) -> UnsealedText:
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

    def find_keys(self, session: Session, people: Collection[uuid.UUID] | None = None) -> dict[uuid.UUID, bytes]:
        """The keys of these people, or of all, as far as there are any that open."""
        query = _ALL_WRAPPED
        if people is not None:
            query = query.where(PersonKey.user_id == any_(cast(list(people), ARRAY(Uuid))))
        found = {}
        for user, wrapped in session.execute(query):
            # One damaged key must not keep an auditor from what is everybody else's.
            with contextlib.suppress(SealBroken):
                found[user] = _decrypt(self._key, wrapped, f"person_key/{user}")
        return found

    @property
    def nobodys_key(self) -> bytes:
        """Under which the addresses of people are sealed whom nobody knows."""
        return self._key

    def seal_record(self, keys: "PersonKeys", record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with its address and all its personal words sealed: under the actor's key, or under that of the
        person who is named with them. Raises ValueError for words of nobody.
        """
        identity, user = uuid.UUID(record["id"]), record["actor"]["user"]
        actor = None if user is None else uuid.UUID(user)
        sealed = dict(record)
        if (address := record["actor"]["address"]) is not None:
            key = self.nobodys_key if actor is None else keys.ensure(actor)
            sealed["actor"] = {**record["actor"], "address": seal_address(key, address)}
        words = {name: value for name, value in record.items() if is_personal(value)}
        if not words:
            return sealed
        of_documents = self._ensure_document_keys(keys.session, frozenset().union(*map(documents_in, words.values())))
        for name, value in words.items():
            person = person_in(value) or actor
            if person is None:
                raise ValueError(f"{record['kind']} has words of nobody: they need a person")
            joint = joint_key(keys.ensure(person), [of_documents[each] for each in sorted(documents_in(value))])
            sealed[name] = seal(joint, value, record=identity, field=name)
        return sealed

    def _ensure_document_keys(self, session: Session, documents: frozenset[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        """The keys of these documents, made on first use. Two that make one at a time both get the first one's."""
        if not documents:
            return {}
        found = self.find_document_keys(session, documents)
        if missing := sorted(documents - set(found)):
            keys = [self._wrap_document_key(each) for each in missing]
            session.execute(ADD_DOCUMENT_KEYS, {"documents": missing, "keys": keys})
            found |= self.find_document_keys(session, frozenset(missing))
        if set(found) != documents:
            raise SealBroken("keys of documents were made and cannot be read")
        return found

    def _wrap_document_key(self, document: uuid.UUID) -> bytes:
        return _encrypt(self._key, secrets.token_bytes(KEY_BYTES), f"document_key/{document}")

    def find_document_keys(self, session: Session, documents: frozenset[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        """The keys that there are of these documents; one that was destroyed is missing. Raises SealBroken."""
        rows = session.execute(DOCUMENT_KEYS, {"documents": list(documents)})
        return {each: _decrypt(self._key, wrapped, f"document_key/{each}") for each, wrapped in rows}


class PersonKeys:
    """The keys of people in one transaction, each unwrapped once."""

    def __init__(self, session: Session, sealer: Sealer) -> None:
        self.session = session
        self._sealer = sealer
        self._found: dict[uuid.UUID, bytes | None] = {}

    def load(self, people: Iterable[uuid.UUID]) -> None:
        """Find the keys of many people at once."""
        unknown = set(people) - self._found.keys()
        if len(unknown) > 1:
            self._found |= self._sealer.find_keys(self.session, unknown)

    def find(self, person: uuid.UUID) -> bytes | None:
        """The person's key, or None: never made, or destroyed. Raises SealBroken."""
        if person not in self._found:
            self._found[person] = self._sealer.find_key(self.session, person)
        return self._found[person]

    def ensure(self, person: uuid.UUID) -> bytes:
        """The person's key, made on first use."""
        found = self.find(person)
        if found is None:
            found = self._found[person] = self._sealer.ensure_key(self.session, person)
        return found


def sealer_of(session: Session) -> Sealer:
    """What seals the records that are written in this session. Raises ValueError where its database has none."""
    found = session.info.get(RECORD_SEALER)
    if not isinstance(found, Sealer):
        raise ValueError("this database was opened without what seals personal words in records")
    return found


def people_sealed_for(record: Mapping[str, Any]) -> Iterator[uuid.UUID]:
    """Under whose keys `Sealer.seal_record` seals what is personal in this record."""
    user = record["actor"]["user"]
    if user is not None and record["actor"]["address"] is not None:
        yield uuid.UUID(user)
    for value in record.values():
        if is_personal(value) and (person := person_in(value) or (user and uuid.UUID(user))):
            yield person


def is_personal(value: object) -> bool:
    """Whether a record's field holds words that must be sealed."""
    return isinstance(value, SealedText | CommittedText)
