"""A database for tests of the audit log: searches on record, leaves, and whether all have their place."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.encryption import Sealer
from app.audit.events.answers import SearchDone
from app.audit.events.base import Actor, SealedText
from app.audit.events.plans import SignInRefused
from app.audit.log import record
from app.db.session import Database, Signer
from app.evidence.merkle import Head, merkle_root
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.identities import act_as
from tests.support.library_db import LibraryDb

SEALER = Sealer(bytes(range(32)))


@dataclass
class AuditDb(LibraryDb):
    """A database whose audit log is written, put into order and read."""

    pool_size: int = 20

    @contextlib.contextmanager
    def acting(self, user: uuid.UUID) -> Iterator[Session]:
        """One transaction of the API's role under this user's signed identity."""
        with self.session("app") as session:
            act_as(session, user)
            yield session

    def as_user(self, user: uuid.UUID) -> contextlib.AbstractContextManager[Session]:
        """A reading transaction of the API under this user's signed identity."""
        signer = Signer(IDENTITY_KEY, seconds=60)
        return Database(self.engine("app"), signer, statement_timeout_ms=10_000).reading(user)

    def ask(self, user: uuid.UUID, words: str = "who earns what?") -> uuid.UUID:
        """Record a search by `user`, committed."""
        with self.acting(user) as session:
            event = SearchDone(actor=Actor(user, "Ada"), query=SealedText(words), policy_epoch=1, hits=())
            return record(session, event, SEALER)

    def check_order(self, expected: int) -> Head:
        """Assert that all leaves have a place, once, in one row without a gap, under a right head; gives the head."""
        with self.session("owner") as session:
            leaves = {r.id: bytes(r.leaf_hash) for r in session.execute(text("select id, leaf_hash from audit_leaf"))}
            entries = session.execute(text("select seq, leaf_id, leaf_hash from audit_entry order by seq")).all()
            head = session.execute(text("select size, root from audit_head order by size desc limit 1")).one()
        assert len(leaves) == expected
        assert [e.seq for e in entries] == list(range(expected))
        assert {e.leaf_id: bytes(e.leaf_hash) for e in entries} == leaves
        assert (head.size, bytes(head.root)) == (expected, merkle_root([bytes(e.leaf_hash) for e in entries]))
        return Head(head.size, bytes(head.root))


@contextlib.contextmanager
def audit_db_of(db: Db) -> Iterator[AuditDb]:
    """One that closes its connections."""
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def add_leaf(session: Session, trail: uuid.UUID | None = None) -> uuid.UUID:
    """A leaf without personal words, of the API's role; not committed."""
    nobody = Actor.service("nobody")
    event = SignInRefused(actor=nobody, reason="unknown", prefix=None, count=1, trail=trail or uuid.uuid4())
    return record(session, event)
