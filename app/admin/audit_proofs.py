"""What an auditor takes away to prove something elsewhere: checkpoints, proofs that they continue one another, and
receipts.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.admin.audit_log import MAX_TRAIL, AuditLog
from app.audit.actor import actor
from app.audit.checkpoints import KeptCheckpoint, find_checkpoint, list_checkpoints
from app.audit.encryption import Opener
from app.audit.events.log_reading import AuditRead
from app.audit.listing import Entry, list_trail
from app.audit.proofs import consistency_path, inclusion_proof
from app.db.paging import Page
from app.errors import Conflict, InvalidInput, NotFound
from app.evidence.inclusion import NoProof
from app.evidence.receipt import ReceiptRecord, write_receipt
from app.evidence.tlog_proof import write_proof

UNSIGNED = "No head of this log was signed yet: the sequencer signs them where it has a signing key."
NOT_YET = "The newest records are not under a signed head yet. Ask again in a minute."


@dataclass(frozen=True)
class AuditProofs:
    """Proofs out of the log, for its auditor."""

    log: AuditLog

    def checkpoints(self, page: Page) -> list[KeptCheckpoint]:
        """One page of the signed heads, the newest first."""
        with self.log.reading() as session:
            return list_checkpoints(session, page)

    def consistency(self, earlier: int, later: int) -> tuple[bytes, ...]:
        """The hashes that show that the head of `later` entries continues that of `earlier`.

        Raises NotFound where no head of `later` entries was published, InvalidInput where it is the smaller one.
        """
        try:
            with self.log.reading() as session:
                return consistency_path(session, earlier, later)
        except LookupError:
            raise NotFound from None
        except NoProof:
            raise InvalidInput("The later head must have at least as many entries as the earlier one.") from None

    def receipt(self, trail: uuid.UUID, *, opened: bool) -> str:
        """The records of one answer with their proofs, as a file that anybody can verify; recorded.

        `opened`: with the asker's words. The answer's own text is not in it, but what it takes to compare one. Raises
        NotFound for a trail of no records, and Conflict while its records are under no signed head.
        """
        with self.log.reading() as session:
            entries = list_trail(session, trail, limit=MAX_TRAIL)
            if not entries:
                raise NotFound
            signed = _covering(session, entries[-1].seq)
            opener = Opener(session, self.log.sealer)
            records = [_proved(session, entry, signed, opener, opened=opened) for entry in entries]
        event = AuditRead(
            actor=actor(self.log.subject), filters={"receipt": str(trail)}, rows=len(entries), opened=opened
        )
        self.log.record(event)
        return write_receipt(records)


def _covering(session: Session, seq: int) -> KeptCheckpoint:
    found = find_checkpoint(session, at_least=seq + 1)
    if found is None:
        raise Conflict(NOT_YET if find_checkpoint(session) else UNSIGNED)
    return found


def _proved(session: Session, entry: Entry, signed: KeptCheckpoint, opener: Opener, *, opened: bool) -> ReceiptRecord:
    shown = {name: each for name, each in opener(entry.body).items() if _is_shown(name, each, opened=opened)}
    proof = inclusion_proof(session, entry.seq, signed.size)
    return ReceiptRecord(entry.body, shown, write_proof(proof, signed.note))


def _is_shown(name: str, words: Mapping[str, Any], *, opened: bool) -> bool:
    """The salt of the answer is what a receipt is for. The one of the prompt would let its holder try out the text of
    documents.
    """
    return name != "prompt" and (opened or (name == "output" and "text" not in words))
