"""Puts the records of a test's log in order and signs its head, as the sequencer does it."""

from sqlalchemy.orm import Session

from app.audit import sequencing, signing
from app.db.engine import connect
from app.evidence.signed_note import SigningKey
from tests.support.cluster import Db
from tests.support.log_keys import LOG_KEY


def sequence(db: Db, key: SigningKey | None = LOG_KEY) -> int:
    """Give every committed record its place, under a new head, which is signed; gives how many there are, if it was."""
    engine = connect(db.url("sequencer"), pool_size=1)
    signed = None
    with Session(engine) as session, session.begin():
        assert sequencing.lock(session)
        sequencing.append_batch(session)
        if key is not None:
            signer = signing.LogSigner(key)
            if signing.announce_key(session, signer):
                sequencing.append_batch(session)
            signed = signing.sign_if_due(session, signer, now=True)
    engine.dispose()
    return signed.head.size if signed else 0
