"""Removes records by the rules of retention. Functions on a Session; they never commit.

What goes is said by a record that is placed in the same transaction, so that no head covers one without the other. The
database decides what may go (`clearance.prunable`), and holds whoever asks to it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.events.retention import LogPruned
from app.audit.log import record
from app.audit.sequencing import PLACE, SEQUENCER

PRUNABLE = text("""
    select p.seq, p.rule, e.kind from clearance.prunable(:first) as p join audit_entry e on e.seq = p.seq order by p.seq
""")
PRUNE = text("select clearance.prune(:record)")


@dataclass(frozen=True)
class PrunedBatch:
    """How many records went, and the number of the last of them: behind it the next batch begins."""

    count: int
    last: int


def prune_batch(session: Session, *, first: int = 0) -> PrunedBatch | None:
    """Remove the next records from the number `first` on, some thousands at most; None if there are none.

    For whoever holds `sequencing.lock`.
    """
    rows = session.execute(PRUNABLE, {"first": first}).all()
    if not rows:
        return None
    event = LogPruned(
        actor=SEQUENCER,
        entries=tuple(ranges_of(row.seq for row in rows)),
        rules=tuple(sorted({row.rule for row in rows})),
        counts=dict(sorted(Counter(row.kind for row in rows).items())),
    )
    record(session, event)
    session.execute(PLACE, {"ids": [event.id]})
    session.execute(PRUNE, {"record": event.id})
    return PrunedBatch(len(rows), rows[-1].seq)


def ranges_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in order as runs without a gap, each from its first to its last."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
