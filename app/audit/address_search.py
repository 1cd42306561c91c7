"""Finds an address in the log, where each person's record has it sealed in another way."""

import uuid
from dataclasses import replace

from sqlalchemy import ARRAY, Text, cast, func, select, true
from sqlalchemy.orm import Session

from app.audit.encryption import seal_address, sealer_of
from app.audit.query import Choice, LogQuery, is_id
from app.db.tables.audit import AuditEntry


def with_sealed_addresses(session: Session, query: LogQuery) -> LogQuery:
    """The query with what its addresses are sealed as: for each person it is another text, and those that stand in the
    log are taken. As it is given an address stands in records of before version 3.
    """
    sealer, people = sealer_of(session), [uuid.UUID(each) for each in query.who.wanted if is_id(each)]
    keys = [sealer.nobodys_key, *sealer.find_keys(session, people if query.who.wanted else None).values()]
    sealed: dict[str, set[str]] = {}
    for address in query.address.wanted | query.address.unwanted:
        given = func.unnest(cast([seal_address(key, address) for key in keys], ARRAY(Text))).table_valued("text")
        # One step in the index for each.
        found = select(AuditEntry.address).where(AuditEntry.address == given.c.text).limit(1).correlate(given).lateral()
        sealed[address] = {address, *session.scalars(select(found.c.address).select_from(given.join(found, true())))}
    wanted, unwanted = (
        frozenset(text for address in side for text in sealed[address])
        for side in (query.address.wanted, query.address.unwanted)
    )
    return replace(query, address=Choice(wanted, unwanted))
