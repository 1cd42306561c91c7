"""Signs heads of the log: what the sequencer does with the one key that no other part of the service has.

Functions on a Session; they never commit. Who signs holds the sequencer's lock (`app.audit.sequencing`).
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import log
from app.audit.events.signing_keys import SigningKeyChanged
from app.audit.log import record
from app.audit.proofs import consistency_path
from app.audit.sequencing import SEQUENCER
from app.evidence.checkpoint import Checkpoint, key_change_text
from app.evidence.consistency import is_consistent
from app.evidence.merkle import Head, encode
from app.evidence.signed_note import BadKey, BadNote, SigningKey

NEWEST = text("""
    select h.size, h.root, c.size as signed_size, c.note, c.at as signed_at, clock_timestamp() as now
    from (select size, root from audit_head order by size desc limit 1) as h
    left join lateral (select size, note, at from audit_checkpoint order by size desc limit 1) as c on true
""")
LAST_NOTE = text("select note from audit_checkpoint order by size desc limit 1")
PUBLISH = text("select clearance.publish_checkpoint(:size, :note)")


@dataclass(frozen=True)
class LogSigner:
    """The key of the log, how often it signs, and the key before it, where that is being replaced.

    A checkpoint is due when the last one is `seconds` old or lacks `entries` entries, whichever comes first; none while
    nothing was added. Raises BadKey for a key of a witness, or for a previous one of another name.
    """

    key: SigningKey
    previous: SigningKey | None = None
    entries: int = 1_000
    seconds: int = 60

    def __post_init__(self) -> None:
        if self.key.use != "log" or (self.previous and self.previous.use != "log"):
            raise BadKey("the log is signed with the key of a log, not of a witness")
        if self.previous and self.previous.name != self.key.name:
            raise BadKey("the previous signing key must have the name of the new one: it is the same log")


def announce_key(session: Session, signer: LogSigner) -> bool:
    """Record that the key changed, where the newest checkpoint is not of this key; says whether it did so.

    The record needs its place, and then a checkpoint, in this same transaction: no key signs before it stands in the
    log.
    """
    note = session.scalar(LAST_NOTE)
    if note is not None and _signed_by(note, signer.key):
        return False
    endorsed = signer.previous if note is not None and signer.previous and _signed_by(note, signer.previous) else None
    if signer.previous is not None and endorsed is None:
        log.get().warning("audit.previous_key_unused", reason="the newest checkpoint is not signed by it")
    event = SigningKeyChanged(
        actor=SEQUENCER,
        key=str(signer.key.verifier),
        previous=str(endorsed.verifier) if endorsed else None,
        endorsement=_endorse(endorsed, signer.key) if endorsed else None,
    )
    record(session, event)
    return True


def sign_if_due(
    session: Session, signer: LogSigner, *, now: bool = False, last: Checkpoint | None = None
) -> Checkpoint | None:
    """Sign and keep a checkpoint of the newest head, if one is due; `now`: as soon as there is something new.

    A head that does not continue the `last` checkpoint that the caller signed, or else the newest that stands here
    under the signer's key, is not signed: the log was rewritten.
    """
    row = session.execute(NEWEST).first()
    if row is None or row.size == row.signed_size:
        return None
    waited = row.signed_size is None or row.now - row.signed_at >= dt.timedelta(seconds=signer.seconds)
    if not (now or waited or row.size - row.signed_size >= signer.entries):
        return None
    head, before = Head(row.size, bytes(row.root)), last or _own_checkpoint(row.note, signer)
    if before is not None and not _continues(session, before.head, head):
        log.get().error("audit.log_was_rewritten", size=head.size, signed=before.head.size)
        return None
    checkpoint = Checkpoint.sign(head, [signer.key])
    session.execute(PUBLISH, {"size": row.size, "note": str(checkpoint)})
    return checkpoint


def _own_checkpoint(note: str | None, signer: LogSigner) -> Checkpoint | None:
    """The checkpoint of a note, if the key or the one before it signed it."""
    keys = [signer.key, *([signer.previous] if signer.previous else [])]
    return Checkpoint.parse(note) if note is not None and any(_signed_by(note, key) for key in keys) else None


def _continues(session: Session, earlier: Head, later: Head) -> bool:
    """Whether the later head only adds to the earlier one. The hashes come from the database, and cannot lie."""
    return earlier.size <= later.size and is_consistent(
        earlier, later, consistency_path(session, earlier.size, later.size)
    )


def _signed_by(note: str, key: SigningKey) -> bool:
    """Whether this key signed the note. A note that cannot be read is nobody's: the database is not trusted here."""
    try:
        return bool(Checkpoint.parse(note).log_signers([key.verifier]))
    except BadNote:
        return False


def _endorse(previous: SigningKey, key: SigningKey) -> str:
    return encode(previous.sign(key_change_text(previous.verifier, key.verifier)).signature)
