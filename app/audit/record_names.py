"""What people, services and roles in records were called at that moment, and from where a request came.

Records have ids, and addresses sealed. What these stand for is shown beside a record, to auditors, for as long as it is
known: of a person who was erased it is not. Records of before version 3 have names and addresses themselves.
"""

import datetime as dt
import re
import uuid
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Uuid, any_, cast, select
from sqlalchemy.orm import Session

from app.audit.encryption import PersonKeys, SealBroken, open_address, sealer_of
from app.db.tables.history import NameHistory
from app.evidence.records import is_sealed, part, seals_addresses

# An id, alone or behind what it is of, as in `collection:…`.
_ID = re.compile(r"(?:^|[:/])([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
# Fields that name neither people nor roles, or list a great deal.
_OTHERS = frozenset({"id", "trail", "passages", "scopes", "hits", "around", "documents", "shown", "withheld"})


class RecordActor(NamedTuple):
    """What the actor of a record was called then, and from where they asked; None where it is not known."""

    name: str | None = None
    address: str | None = None


class RecordNames:
    """Looks up names and addresses in one transaction, each once. Row-level security gives them to auditors alone."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sealer = sealer_of(session)
        self._keys = PersonKeys(session, self._sealer)
        self._called: dict[uuid.UUID, list[tuple[dt.datetime, str]]] = {}

    def actors(self, records: Iterable[tuple[Mapping[str, Any] | None, dt.datetime]]) -> list[RecordActor]:
        """Of records with the moments at which the database took them; None: no record of ours."""
        given = list(records)
        users = {uuid.UUID(user) for record, _ in given if (user := part(part(record, "actor"), "user")) is not None}
        self._load(users)
        self._keys.load(uuid.UUID(user) for record, _ in given if (user := _sealed_address_of(record)) is not None)
        return [self._actor(record, at) for record, at in given]

    def names(self, records: Iterable[tuple[Mapping[str, Any] | None, dt.datetime]]) -> list[dict[str, str]]:
        """Of the same, by its id, what each user and role in a record was called: one statement for all of them."""
        given = [(sorted(set(ids_in(record))), at) for record, at in records]
        self._load({each for ids, _ in given for each in ids})
        called = [[(str(each), self._name(each, at)) for each in ids] for ids, at in given]
        return [{each: name for each, name in found if name is not None} for found in called]

    def _load(self, ids: set[uuid.UUID]) -> None:
        if not (unknown := ids - self._called.keys()):
            return
        self._called |= {each: [] for each in unknown}
        query = select(NameHistory.subject, NameHistory.valid_from, NameHistory.name)
        query = query.where(NameHistory.subject == any_(cast(list(unknown), ARRAY(Uuid))))
        for subject, since, name in self._session.execute(query.order_by(NameHistory.valid_from, NameHistory.id)):
            self._called[subject].append((since, name))

    def _name(self, subject: uuid.UUID, at: dt.datetime) -> str | None:
        """What it was called then; of what is gone, as it was called last, and before all that is known, first."""
        called = self._called[subject]
        place = bisect_right(called, at, key=lambda each: each[0])
        return called[max(place - 1, 0)][1] if called else None

    def _actor(self, record: Mapping[str, Any] | None, at: dt.datetime) -> RecordActor:
        actor = part(record, "actor")
        user, name, address = (part(actor, field) for field in ("user", "name", "address"))
        if name is None and user is not None:
            name = self._name(uuid.UUID(user), at)
        if address is not None and seals_addresses(record):
            address = self._address(user, address)
        return RecordActor(*(each if isinstance(each, str) else None for each in (name, address)))

    def _address(self, user: str | None, sealed: object) -> str | None:
        try:
            key = self._sealer.nobodys_key if user is None else self._keys.find(uuid.UUID(user))
            return None if key is None or not isinstance(sealed, str) else open_address(key, sealed)
        except SealBroken:
            return None


def _sealed_address_of(record: Mapping[str, Any] | None) -> str | None:
    """Under whose key the address of a record is; None where nobody's, or there is none."""
    actor = part(record, "actor")
    if part(actor, "address") is None or not seals_addresses(record):
        return None
    user: str | None = part(actor, "user")
    return user


def ids_in(value: object) -> Iterator[uuid.UUID]:
    """The ids in a record or a part of one, without those of fields that name none of whom names are shown of."""
    if isinstance(value, str):
        if found := _ID.search(value):
            yield uuid.UUID(found[1])
    elif isinstance(value, Mapping):
        if not is_sealed(value):
            for name, each in value.items():
                yield from () if name in _OTHERS else ids_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from ids_in(each)
