"""Puts the records of a test's log in order, as the sequencer does it."""

from sqlalchemy.orm import Session

from app.audit import sequencing
from app.db.engine import connect
from tests.support.cluster import Db


def sequence(db: Db) -> None:
    """Give every committed record its place, under a new head."""
    engine = connect(db.url("sequencer"), pool_size=1)
    with Session(engine) as session, session.begin():
        assert sequencing.lock(session)
        sequencing.append_batch(session)
    engine.dispose()
