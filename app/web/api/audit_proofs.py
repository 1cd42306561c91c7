"""What an auditor takes away to prove something elsewhere: signed heads, how they continue one another, receipts."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.admin.audit_proofs import AuditProofs
from app.evidence.merkle import encode
from app.web.api.audit import MAX_NUMBER, OpeningId
from app.web.api.schemas import CheckpointOut, ConsistencyOut
from app.web.http.dependencies import AuditLogOf, OpeningsOf, public_id
from app.web.http.files import attachment
from app.web.http.paging import PageOf

router = APIRouter(prefix="/audit", tags=["audit"])
Size = Annotated[int, Query(ge=0, le=MAX_NUMBER)]


@router.get("/checkpoints")
def checkpoints(log: AuditLogOf, page: PageOf) -> list[CheckpointOut]:
    """The heads that the log signed, the newest first, with their time stamps (audit)."""
    found = AuditProofs(log).checkpoints(page)
    return [
        CheckpointOut(size=each.size, at=each.at, note=each.note,
                      timestamps={authority: encode(token) for authority, token in each.timestamps.items()})
        for each in found
    ]  # fmt: skip


@router.get("/consistency")
def consistency(log: AuditLogOf, earlier: Size, later: Size) -> ConsistencyOut:
    """The proof that the head of `later` entries continues the one of `earlier` that you kept (audit)."""
    path = AuditProofs(log).consistency(earlier, later)
    return ConsistencyOut(earlier=earlier, later=later, path=[encode(each) for each in path])


@router.get("/receipts/{trail}")
def receipt(trail: str, openings: OpeningsOf, *, opening: OpeningId = None) -> Response:
    """The records of one answer with their proofs, for who has the log's key and nothing else of ours (audit).

    It holds the answer's commitment, against which a text can be compared; by an opening of the trail its words too.
    """
    approved = openings.approved(opening) if opening else None
    return receipt_file(public_id(trail), AuditProofs(openings.log).receipt(public_id(trail), approved=approved))


def receipt_file(trail: uuid.UUID, text: str) -> Response:
    """A receipt as a file to be saved."""
    return attachment(f"clearance-receipt-{trail}.json", text.encode())
