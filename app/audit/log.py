"""Writes one record into the caller's transaction: without a shared lock, and never committing.

A record exists when its transaction commits; call the model only after that.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.audit.encryption import PersonKeys, is_personal, people_sealed_for, sealer_of
from app.audit.events.base import Event
from app.db.engine import CHANGES_NO_ACCESS, KEEPS_PLAN
from app.db.tables.audit import AuditLeaf
from app.evidence.merkle import canonical, leaf_hash

# Rows in one statement, each of which has its limit of time.
BATCH = 2_000
ADD_LEAF = insert(AuditLeaf.__table__).inline().execution_options(**CHANGES_NO_ACCESS, **KEEPS_PLAN)  # type: ignore[arg-type]  # a Table
# Many records in one statement, which asks for nothing back.
ADD_LEAVES = text(
    """
    insert into audit_leaf (id, kind, trail, actor, body, leaf_hash)
    select r.id, r.kind, r.trail, r.actor, r.body, decode(r.leaf_hash, 'hex')
    from json_to_recordset(cast(:rows as json))
      as r (id uuid, kind text, trail uuid, actor uuid, body text, leaf_hash text)
    """
)


def record(session: Session, event: Event) -> uuid.UUID:
    """Add `event` to the log and return its id.

    Personal words, and where the request came from, are sealed under the key of whose they are: for such an event the
    session's database needs a sealer. Raises ValueError, and NotCanonical for a value that has no canonical form.
    """
    [values] = _sealed(session, [event])
    # In one statement that asks for nothing back (`inline`): a database role that may only add cannot read.
    session.execute(ADD_LEAF, _row(event, values, writer_of(session)))
    return event.id


def record_all(session: Session, events: Sequence[Event]) -> None:
    """Add many events, thousands in one statement; else as `record`."""
    if not events:
        return
    writer = writer_of(session)
    for start in range(0, len(events), BATCH):
        found = events[start : start + BATCH]
        rows = [_row(event, values, writer) for event, values in zip(found, _sealed(session, found), strict=True)]
        session.execute(ADD_LEAVES, {"rows": json.dumps(rows, default=_as_text)})


def _sealed(session: Session, events: Sequence[Event]) -> list[dict[str, Any]]:
    """The events as records, with what is personal in them sealed."""
    records = [event.to_record() for event in events]
    if not any(_is_to_be_sealed(record) for record in records):
        return records
    sealer = sealer_of(session)
    keys = PersonKeys(session, sealer)
    if len(events) > 1:
        keys.load(person for record in records for person in people_sealed_for(record))
    return [sealer.seal_record(keys, record) for record in records]


def _is_to_be_sealed(record: Mapping[str, Any]) -> bool:
    return record["actor"]["address"] is not None or any(map(is_personal, record.values()))


def _as_text(value: uuid.UUID | bytes) -> str:
    """An id, or a hash in hex."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _row(event: Event, values: Mapping[str, Any], writer: str) -> dict[str, Any]:
    body = canonical({**values, "writer": writer})
    return {
        "id": event.id,
        "kind": event.kind,
        "trail": event.trail,
        "actor": event.actor.user,
        "body": body,
        "leaf_hash": leaf_hash(body),
    }


def writer_of(session: Session) -> str:
    """The database role that this session logged in as. The database holds the record to it."""
    connection = session.connection().connection.driver_connection
    # The server says it when the session begins; a pooler that keeps it to itself costs a question.
    said = connection.info.parameter_status("session_authorization") if connection else None
    return said or str(session.scalar(text("select session_user")))
