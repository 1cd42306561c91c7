"""A database for tests of the audit log: searches on record, leaves, and whether all have their place."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.events.answers import AnswerOpened, SearchDone, ShownPassage
from app.audit.events.base import Actor, CommittedText, SealedText
from app.audit.events.plans import SignInRefused
from app.audit.log import record
from app.db.audit_writers import WRITERS
from app.db.session import Database, Signer
from app.evidence.merkle import Head, canonical, leaf_hash, merkle_root
from tests.support.cluster import IDENTITY_KEY
from tests.support.identities import act_as
from tests.support.library_db import LibraryDb
from tests.support.sealing import SEALER

LEAF = (
    "insert into audit_leaf (id, kind, trail, actor, body, leaf_hash) values (:id, :kind, :trail, :actor, :body, :hash)"
)
# Gives leaves the place 0, as the owner alone could.
PLACED = "insert into audit_entry (seq, leaf_id, leaf_hash, at, kind) select 0, id, leaf_hash, at, kind from audit_leaf"
# A record, or a row of the table: anything may stand in it.
Record: TypeAlias = dict[str, Any]


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
        return Database(
            self.engine("app"), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=10_000, sealer=SEALER
        ).reading(user)

    def ask(self, user: uuid.UUID, words: str = "who earns what?") -> uuid.UUID:
        """Record a search by `user`, committed."""
        with self.acting(user) as session:
            event = SearchDone(actor=Actor(user), query=SealedText(words), policy_epoch=1, hits=(), documents=())
            return record(session, event)

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


def forged(role: str, **changes: object) -> Record:
    """A record as this role writes them without an identity, with changes."""
    kind, name = next((w.kind, w.name) for w in WRITERS if w.role == f"clearance_{role}" and w.acts_for == "nobody")
    actor = {"user": None, "name": name or "nobody", "key": None, "via": None, "address": None}
    made = {"id": str(uuid.uuid4()), "kind": kind, "trail": None, "actor": actor, "v": 2, "writer": f"clearance_{role}"}
    return made | changes


def leaf(record: Record, body: str | None = None) -> Record:
    """The row of a record, whose columns say what it does, with its canonical text or this one."""
    body = canonical(record) if body is None else body
    columns = {"id": record["id"], "kind": record["kind"], "trail": record["trail"], "actor": record["actor"]["user"]}
    return columns | {"body": body, "hash": leaf_hash(body)}


def add_leaf(session: Session, trail: uuid.UUID | None = None) -> uuid.UUID:
    """A leaf without personal words, of the API's role; not committed."""
    nobody = Actor.service("nobody")
    event = SignInRefused(actor=nobody, reason="unknown", prefix=None, count=1, trail=trail or uuid.uuid4())
    return record(session, event)


def opened(person: uuid.UUID, trail: uuid.UUID, *documents: uuid.UUID) -> AnswerOpened:
    """An answer of this person's that is made from a passage of each document."""
    return AnswerOpened(
        actor=Actor(person),
        trail=trail,
        question=SealedText("who earns what?"),
        mode="quote",
        policy_epoch=1,
        valid_until=None,
        scopes=(),
        passages=tuple(ShownPassage(uuid.uuid4(), d, uuid.uuid4(), rank=1, label="public") for d in documents),
        label="public",
        embedder="e",
        template="t",
        prompt=CommittedText("p"),
        model=None,
    )
