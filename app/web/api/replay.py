"""Whether the prompt of an answer can be made again and is the one that its record commits to (audit)."""

import uuid
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.web.api.schemas import ApiModel
from app.web.http.dependencies import ReplaysOf, public_id

router = APIRouter(prefix="/audit", tags=["audit"])


class ReplayReasonOut(ApiModel):
    """Why a prompt cannot be made again."""

    code: Literal[
        "no prompt",
        "words erased",
        "unreadable",
        "asker gone",
        "asker switched off",
        "redacted otherwise",
        "template gone",
        "document gone",
        "another version",
        "not readable",
        "passage gone",
        "conversation gone",
        "turn withheld",
    ]
    explanation: str
    document: uuid.UUID | None = Field(description="of which document, if of one")
    turn: uuid.UUID | None = Field(description="of which earlier turn, by its trail, if of one")


class ReplayOut(ApiModel):
    """What came of making a prompt again."""

    trail: uuid.UUID
    seq: int = Field(description="the number of the record of the answer's opening")
    result: Literal["same", "different", "not rebuilt"] = Field(
        description="different: all that the record names stands, and gives another prompt than it commits to"
    )
    reasons: list[ReplayReasonOut] = Field(description="why it was not rebuilt; else empty")
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.get("/trails/{trail}/replay")
def replay(trail: str, replays: ReplaysOf) -> ReplayOut:
    """Make the prompt of an answer again from what still stands, and compare it with its commitment; recorded (audit).

    It is made as its asker reads now, and no word of it is shown.
    """
    return ReplayOut.model_validate(replays.replay(public_id(trail)))
