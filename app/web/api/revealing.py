"""POST /answers/{trail}/reveal: what a pseudonym of an answer stands for (reveal)."""

import uuid

from fastapi import APIRouter
from pydantic import Field

from app.admin.reasons import MAX_REASON, MIN_REASON
from app.admin.revealing import MAX_NUMBER, reveal
from app.guardrail.policy.pseudonyms import KIND_PATTERN
from app.retrieval.pseudonym_rows import NamedPseudonym
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import ComponentsOf, Revealer, public_id

router = APIRouter(prefix="/answers", tags=["ask"])


class RevealBody(ApiModel):
    """Which pseudonym of the answer, as it stands there, and why."""

    kind: str = Field(pattern=KIND_PATTERN, description="as in `[redacted: phone 1]`", examples=["phone"])
    number: int = Field(ge=1, le=MAX_NUMBER)
    reason: str = Field(min_length=MIN_REASON, max_length=MAX_REASON, description="kept, sealed, in the log")


class RevealedValueOut(ApiModel):
    """What it stands for."""

    trail: uuid.UUID
    kind: str
    number: int
    value: str


@router.post("/{trail}/reveal")
def reveal_pseudonym(trail: str, body: RevealBody, subject: Revealer, parts: ComponentsOf) -> RevealedValueOut:
    """Read what a pseudonym of an answer stands for, with a reason; recorded (reveal).

    For who reads a passage now in which the value stands, whoever asked. Nothing else is told: an answer or pseudonym
    that is not there, or no longer, is not found either.
    """
    named = NamedPseudonym(public_id(trail), body.kind, body.number)
    value = reveal(parts.database, parts.sealer, subject, named, body.reason)
    return RevealedValueOut(trail=named.trail, kind=named.kind, number=named.number, value=value)
