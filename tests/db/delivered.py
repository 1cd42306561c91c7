"""A log whose delivery a test makes step by step, and what is known of it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.audit.delivery import store
from app.audit.delivery.addresses import BatchLimits, DeliveryAddress
from app.audit.delivery.courier import Courier, target_of
from app.audit.delivery.target import DeliveryTarget
from app.audit.signing import LogSigner
from app.db.engine import connect
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import Passes, passes
from tests.support.log_keys import LOG_KEY

# Whatever waits is due.
AT_ONCE = BatchLimits(records=500, bytes=1_000_000, seconds=0)


@dataclass
class Delivering:
    """A log that is added to, and one target of it."""

    world: AuditDb
    log: Passes
    engine: Engine
    address: DeliveryAddress

    def courier(self, target: DeliveryTarget | None = None) -> Courier:
        """As a process has it that was just started."""
        return Courier(self.engine, self.address, target or target_of(self.address))

    def all(self, target: DeliveryTarget | None = None) -> Courier:
        """Deliver until nothing is left."""
        made = self.courier(target)
        while made.step():
            pass
        return made

    def state(self) -> Any:
        """As an administrator is told of it."""
        with Session(self.engine) as session:
            return session.execute(text("select * from clearance.delivery_states()")).one()

    def letters(self) -> list[tuple[int, str, bool]]:
        """Number, reason and whether it is to be sent again, of what was put aside."""
        with Session(self.engine) as session:
            rows = session.execute(text("select seq, reason, retry from audit_dead_letter order by seq"))
            return [(row.seq, row.reason, row.retry) for row in rows]

    def bodies(self) -> list[str]:
        """The records of the log, in order."""
        statement = "select l.body from audit_entry e join audit_leaf l on l.id = e.leaf_id order by e.seq"
        with self.world.session("owner") as session:
            return list(session.scalars(text(statement)))

    def back_to(self, number: int) -> None:
        """As if what came behind had never been noted."""
        self.world.run("owner", "update audit_delivery set delivered = :number, pending = null", number=number)


@contextlib.contextmanager
def delivering(world: AuditDb, given: str, limits: BatchLimits = AT_ONCE) -> Iterator[Delivering]:
    """The delivery to the one target that the setting names."""
    [address] = DeliveryAddress.parse_all(given)
    engine = connect(world.db.url("delivery"), pool_size=2)
    with passes(world, LogSigner(LOG_KEY, entries=1)) as log:
        try:
            with Session(engine) as session, session.begin():
                store.configure(session, [address])
            log.sequencer.step()
            yield Delivering(world, log, engine, replace(address, limits=limits))
        finally:
            engine.dispose()


def numbers(lines: list[bytes]) -> list[int]:
    """The numbers of JSON lines of entries."""
    return [json.loads(line)["seq"] for line in lines]


def records(lines: list[bytes]) -> list[str]:
    """Their records, verbatim."""
    return [str(json.loads(line)["record"]) for line in lines]


def names(folder: Path) -> list[str]:
    """Of the files in a folder, hidden ones too."""
    return sorted(each.name for each in folder.iterdir())
