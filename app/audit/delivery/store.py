"""What the process that delivers reads of the log and keeps of its targets, with its own database role.

Functions on a Session; they never commit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.delivery.addresses import BatchLimits, DeliveryAddress
from app.audit.delivery.batch import Batch, DeliveredEntry, NamedFile, signed_head_file
from app.audit.events.base import Actor
from app.audit.events.deliveries import DeliveryConfigured
from app.audit.export_forms.row import PRUNED, ExportedEntry
from app.audit.log import record
from app.db.audit_writers import DELIVERY
from app.evidence.merkle import Head

STATE = text("""
    select d.delivered, d.pending, d.signed,
      (select min(l.seq) from audit_dead_letter l where l.target = d.target and l.retry) as retry
    from audit_delivery d where d.target = :target
""")
# How long what waits is, without reading it: a batch is as long as was allowed before its text is in memory.
WAITING = text("""
    select e.seq, e.at, octet_length(l.body) as bytes, clock_timestamp() as now
    from audit_entry e join audit_leaf l on l.id = e.leaf_id
    where e.seq >= :first and e.seq < :until
    union all
    select p.seq, p.at, 0, clock_timestamp() from audit_pruned p where p.seq >= :first and p.seq < :until
    order by seq
""")
# Of what was pruned before a target was named, what is left.
ENTRIES = text("""
    select e.seq, e.at, e.leaf_hash, e.kind, e.leaf_id, l.body
    from audit_entry e join audit_leaf l on l.id = e.leaf_id
    where e.seq >= :first and e.seq < :until
    union all
    select p.seq, p.at, p.leaf_hash, cast(:pruned as text), null, null
    from audit_pruned p where p.seq >= :first and p.seq < :until
    order by seq
""")
# The same for a batch whenever it is made: heads are only added.
HEAD = text("select size, root, at from audit_head where size >= :until order by size limit 1")
# Over what was delivered, and old enough that witnesses had time to sign it too.
SIGNED = text("""
    select c.size, c.note || coalesce(w.lines, '') as note
    from audit_checkpoint c
      cross join lateral (
        select string_agg(s.line, '' order by s.at, s.signer) as lines from audit_cosignature s where s.size = c.size
      ) as w
    where c.size > :signed and c.size <= :delivered and c.at < clock_timestamp() - interval '15 seconds'
    order by c.size desc limit 1
""")
CONFIGURE = text("select * from clearance.configure_deliveries(:targets, :kinds, :forms)")
PLAN = text("select clearance.plan_delivery(:target, :first, :until)")
KEEP = text("select clearance.keep_delivery(:target, :first, :until)")
PUT_ASIDE = text("select clearance.put_aside(:target, :number, :why)")
END_RETRY = text("select clearance.end_retry(:target, :number, :why)")
NOTE_FAILURE = text("select clearance.note_delivery_failure(:target, :why)")
KEEP_HEAD = text("select clearance.keep_delivered_head(:target, :size)")


class UnknownTarget(Exception):
    """The database knows no such target, as after a restored backup: it is to be configured anew."""


class Overtaken(Exception):
    """Another process delivers to this target too and moved its position."""


@dataclass(frozen=True)
class DeliveryPosition:
    """How far a target is: all below `delivered`, a batch up to `pending` under way, `retry` a dead letter to send."""

    delivered: int
    pending: int | None
    signed: int
    retry: int | None


def configure(session: Session, addresses: Sequence[DeliveryAddress]) -> None:
    """Bring the targets up to these, and record which came, went or changed."""
    given = {
        "targets": [each.name for each in addresses],
        "kinds": [each.kind for each in addresses],
        "forms": [each.form for each in addresses],
    }
    for changed in session.execute(CONFIGURE, given).all():
        event = DeliveryConfigured(
            actor=Actor.service(DELIVERY),
            target=changed.target,
            means=changed.kind,
            form=changed.form,
            configured=changed.configured,
        )
        record(session, event)


def position(session: Session, target: str) -> DeliveryPosition:
    """Where a target is. Raises UnknownTarget."""
    row = session.execute(STATE, {"target": target}).first()
    if row is None:
        raise UnknownTarget(target)
    return DeliveryPosition(row.delivered, row.pending, row.signed, row.retry)


def due_until(session: Session, first: int, limits: BatchLimits) -> int | None:
    """Where a batch from this number on ends, if it is due: it is full, or its oldest record old enough."""
    rows = session.execute(WAITING, {"first": first, "until": first + limits.records}).all()
    total = count = 0
    for row in rows:
        if count and total + row.bytes > limits.bytes:
            return first + count
        total, count = total + row.bytes, count + 1
    if not rows or (count < limits.records and rows[0].now - rows[0].at < dt.timedelta(seconds=limits.seconds)):
        return None
    return first + count


def plan(session: Session, target: str, first: int, until: int) -> None:
    """Note where the batch that is sent next ends. Raises Overtaken."""
    if not session.scalar(PLAN, {"target": target, "first": first, "until": until}):
        raise Overtaken(target)


def read_batch(session: Session, address: DeliveryAddress, first: int, until: int) -> Batch:
    """The batch of these numbers, personal words sealed. Raises ValueError where the log has a gap."""
    given = {"first": first, "until": until}
    entries = tuple(
        DeliveredEntry(
            str(row.leaf_id or ""), row.kind, ExportedEntry(row.seq, row.at, bytes(row.leaf_hash), row.body, {})
        )
        for row in session.execute(ENTRIES, {**given, "pruned": PRUNED})
    )
    head = session.execute(HEAD, {"until": until}).one()
    batch = Batch(address.name, address.form, entries, Head(head.size, bytes(head.root)), head.at)
    if (batch.first, batch.last + 1) != (first, until):
        raise ValueError("the log has no entry at one of these numbers")
    return batch


def keep(session: Session, batch: Batch) -> None:
    """The target acknowledged it. Raises Overtaken."""
    given = {"target": batch.target, "first": batch.first, "until": batch.last + 1}
    if not session.scalar(KEEP, given):
        raise Overtaken(batch.target)


def put_aside(session: Session, target: str, number: int, why: str) -> bool:
    """The target refused this one record; False where it refuses them all, so that none is put aside any more."""
    return bool(session.scalar(PUT_ASIDE, {"target": target, "number": number, "why": why}))


def end_retry(session: Session, target: str, number: int, why: str | None) -> None:
    """A dead letter was sent again: delivered, or refused once more for this reason."""
    session.execute(END_RETRY, {"target": target, "number": number, "why": why})


def note_failure(session: Session, target: str, why: str) -> None:
    """The last attempt came to nothing, for this reason."""
    session.execute(NOTE_FAILURE, {"target": target, "why": why})


def next_signed_head(session: Session, at: DeliveryPosition) -> tuple[int, NamedFile] | None:
    """The newest signed head over what was delivered, with its size, if it was not delivered itself."""
    row = session.execute(SIGNED, {"signed": at.signed, "delivered": at.delivered}).first()
    return None if row is None else (row.size, signed_head_file(row.size, row.note))


def keep_head(session: Session, target: str, size: int) -> None:
    """The signed head of this size was delivered."""
    session.execute(KEEP_HEAD, {"target": target, "size": size})
