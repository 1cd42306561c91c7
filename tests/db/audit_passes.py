"""A sequencer whose passes a test makes one by one, in a log that it adds to."""

import contextlib
import datetime as dt
from collections.abc import Iterator

from sqlalchemy import text

from app.audit.signing import LogSigner
from app.db.engine import connect
from app.evidence.checkpoint import Checkpoint
from app.sequencer_process import Sequencer
from tests.db.audit_db import AuditDb, add_leaf

SIGNED = "select size, note from audit_checkpoint order by size"
NEVER = dt.timedelta(days=1)


class Passes:
    """A sequencer of which each pass is made by hand, in a log to which leaves are added."""

    def __init__(self, world: AuditDb, signer: LogSigner | None) -> None:
        self.world = world
        self.engine = connect(world.db.url("sequencer"), pool_size=1)
        self.sequencer = Sequencer(self.engine, close_after=NEVER, signer=signer)

    def add(self, leaves: int) -> None:
        """Add so many, and put them in order."""
        with self.world.session("app") as session:
            for _ in range(leaves):
                add_leaf(session)
        self.sequencer.step()

    def signed(self) -> list[Checkpoint]:
        with self.world.session("owner") as session:
            return [Checkpoint.parse(note) for _, note in session.execute(text(SIGNED))]

    def sizes(self) -> list[int]:
        return [checkpoint.head.size for checkpoint in self.signed()]


@contextlib.contextmanager
def passes(world: AuditDb, signer: LogSigner | None) -> Iterator[Passes]:
    made = Passes(world, signer)
    try:
        yield made
    finally:
        made.engine.dispose()
