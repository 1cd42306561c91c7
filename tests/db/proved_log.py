"""A log of many records with a head of each of some sizes, for the tests of proofs."""

from sqlalchemy import text

from app.audit import sequencing
from app.audit.events.base import Actor
from app.audit.events.plans import SignInRefused
from app.audit.listing import find_entry
from app.audit.log import record_all
from app.audit.proofs import Verification, verify_entry
from app.evidence.merkle import Head, merkle_root
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb

SIZES = (1, 2, 3, 255, 256, 257, 300, 512, 700, 1024, 1500)


class Log:
    """A log of the largest of these sizes, with a head of each."""

    def __init__(self, world: AuditDb, sizes: tuple[int, ...] = SIZES) -> None:
        self.world, placed = world, 0
        self.auditor = world.person("au", may=[Capability.AUDIT])
        for size in sizes:
            with world.session("app") as session:
                record_all(session, [refused(n) for n in range(placed, size)])
            with world.session("sequencer") as session:
                placed += sequencing.append_batch(session).count
        with world.session("owner") as session:
            found = session.scalars(text("select leaf_hash from audit_entry order by seq"))
            self.leaves = [bytes(leaf) for leaf in found]

    def head(self, size: int) -> Head:
        return Head(size, merkle_root(self.leaves[:size]))

    def verify(self, seq: int, kept: Head | None = None) -> Verification:
        with self.world.as_user(self.auditor) as session:
            entry = find_entry(session, seq)
            assert entry is not None
            return verify_entry(session, entry, kept)

    def change(self, *statements: str) -> None:
        """As somebody could who controls the database."""
        with self.world.session("admin") as session:
            session.execute(text("set local session_replication_role = replica"))
            for table in ("audit_leaf", "audit_entry", "audit_node"):
                session.execute(text(f"alter table {table} disable trigger append_only"))
            for constraint in ("leaf_hash", "body", "record"):
                session.execute(text(f"alter table audit_leaf drop constraint audit_leaf_{constraint}_check"))
            for statement in statements:
                session.connection().exec_driver_sql(statement)


def refused(number: int) -> SignInRefused:
    return SignInRefused(actor=Actor.service("nobody"), reason="unknown", prefix=None, count=number)
