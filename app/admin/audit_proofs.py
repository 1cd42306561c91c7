"""What an auditor takes away to prove something elsewhere: checkpoints, proofs that they continue one another, and
receipts.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.admin.audit_log import MAX_TRAIL, Approved, AuditLog
from app.audit.checkpoints import KeptCheckpoint, find_checkpoint, list_checkpoints
from app.audit.listing import list_trail
from app.audit.opener import OpenedFields, SealedWords, salt_of
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

    def receipt(self, trail: uuid.UUID, *, approved: Approved | None = None) -> str:
        """The records of one answer with their proofs, as a file that anybody can verify; recorded.

        By an opening of this trail with its words, the answer's too where it was kept; else with what it takes to
        compare an answer that somebody holds. Raises NotFound for a trail of no records, and Conflict while its records
        are under no signed head.
        """
        with self.log.reading() as session:
            entries = list_trail(session, trail, limit=MAX_TRAIL)
            if not entries:
                raise NotFound
            signed = _covering(session, entries[-1].seq)
            words = SealedWords(session, self.log.sealer)
            opener = approved.opener(session, self.log.sealer) if approved else None
            records, opened = [], False
            for entry in entries:
                by_opening = _without_prompt(opener(entry.body)) if opener else {}
                opened = opened or bool(by_opening)
                shown = salt_of(words, entry.body, "output") | by_opening
                proof = inclusion_proof(session, entry.seq, signed.size)
                records.append(ReceiptRecord(entry.body, shown, write_proof(proof, signed.note)))
        self.log.record(self.log.look({"receipt": str(trail)}, len(entries), approved, opened=opened))
        return write_receipt(records)


def _covering(session: Session, seq: int) -> KeptCheckpoint:
    found = find_checkpoint(session, at_least=seq + 1)
    if found is None:
        raise Conflict(NOT_YET if find_checkpoint(session) else UNSIGNED)
    return found


def _without_prompt(words: OpenedFields) -> OpenedFields:
    """With the salt of the prompt, the holder of a receipt could try out the text of documents."""
    return {name: each for name, each in words.items() if name != "prompt"}
