"""Opens sealed words of records, for what an approved opening covers and nothing else.

There is no other way to the words: whoever makes an `Opener` says by which scope, and has checked who asks
(`app.admin.openings`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit.encryption import PersonKeys, SealBroken, Sealer, joint_key, unseal
from app.evidence.merkle import encode
from app.evidence.records import DOCUMENTS, is_sealed, part, read_record, sealed_for

# The fields of a record in the clear: `{"text", "salt"}`, `{"salt"}`, `{"erased"}` or `{"unreadable"}` for each.
OpenedFields = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class OpenedScope:
    """What is opened: one record and those of its trail; or, with neither, all records that the opening's query finds,
    which alone are then given to the opener. In either case, of before it was asked for.
    """

    before: dt.datetime
    record: uuid.UUID | None = None
    trail: uuid.UUID | None = None

    def covers(self, record: Mapping[str, Any]) -> bool:
        """Whether this record's words are to be opened."""
        if not _is_before(record.get("at"), self.before):
            return False
        if self.record is None:
            return True
        return record["id"] == str(self.record) or (self.trail is not None and record.get("trail") == str(self.trail))


def _is_before(at: object, moment: dt.datetime) -> bool:
    try:
        return isinstance(at, str) and dt.datetime.fromisoformat(at) <= moment
    except (ValueError, TypeError):
        return False


class SealedWords:
    """Opens single fields; keeps the unwrapped keys of one transaction."""

    def __init__(self, session: Session, sealer: Sealer) -> None:
        self._session = session
        self._sealer = sealer
        self._people = PersonKeys(session, sealer)
        self._documents: dict[uuid.UUID, bytes | None] = {}

    def open(self, record: Mapping[str, Any], field: str) -> dict[str, Any]:
        """A sealed field, or why it does not open: one altered record must not stop the export of all the others."""
        person = sealed_for(record, field)
        if person is None:
            return {"unreadable": True}
        try:
            key = self._key(uuid.UUID(person), part(record[field], DOCUMENTS) or [])
            if key is None:
                return {"erased": True}
            opened = unseal(key, record[field], record=uuid.UUID(record["id"]), field=field)
        except SealBroken:
            return {"unreadable": True}
        text = {} if opened.text is None else {"text": opened.text}
        return {**text, "salt": encode(opened.salt)}

    def _key(self, user: uuid.UUID, documents: list[str]) -> bytes | None:
        """The key of a person and documents; None where one of them was destroyed."""
        named = sorted(uuid.UUID(each) for each in documents)
        if unknown := frozenset(named) - set(self._documents):
            found = self._sealer.find_document_keys(self._session, unknown)
            self._documents |= {each: found.get(each) for each in unknown}
        person, of_documents = self._people.find(user), [self._documents[each] for each in named]
        known = [each for each in of_documents if each is not None]
        return None if person is None or len(known) < len(of_documents) else joint_key(person, known)


class Opener:
    """Opens the words of the records of a scope, and gives none of any other."""

    def __init__(self, session: Session, sealer: Sealer, scope: OpenedScope) -> None:
        self._words = SealedWords(session, sealer)
        self._scope = scope

    def __call__(self, body: str) -> OpenedFields:
        """The sealed fields of a record; none of a text that is no record."""
        record = read_record(body)
        if record is None or not self._scope.covers(record):
            return {}
        return {name: self._words.open(record, name) for name, value in record.items() if is_sealed(value)}


def salt_of(words: SealedWords, body: str, field: str) -> OpenedFields:
    """Against what a text is compared with a record's commitment, without the text: by it nobody learns the words."""
    record = read_record(body)
    if record is None or not is_sealed(record.get(field)):
        return {}
    return {field: {name: value for name, value in words.open(record, field).items() if name != "text"}}
