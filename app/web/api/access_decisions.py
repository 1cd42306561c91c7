"""A decision with every rule that was looked at (administer, or the collection's curators)."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin.access_decision import access_decision
from app.identity.subject import Capability
from app.settings import LabelName
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Caller, Reading

router = APIRouter(prefix="/access", tags=["access"])


class DecisionGrantOut(ApiModel):
    """A grant that was looked at."""

    effect: Literal["allow", "deny"]
    kind: Literal["everyone", "role", "user"]
    principal: str | None = Field(description="whom it names; null: everyone, or somebody who is gone")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    names_them: bool = Field(description="it is about the person")
    through: list[str] = Field(description="the roles by which it is, from their own one to the named one")
    in_time: bool
    decided: bool = Field(description="the decision follows from it")


class DecisionLevelOut(ApiModel):
    """What one place says for itself."""

    kind: Literal["collection", "folder", "document", "inherited"] = Field(
        description="inherited: in the past, all that stood above the document together"
    )
    name: str
    label: LabelName | None
    inherits: bool
    counts: bool = Field(description="nothing further in breaks with it")
    labels: bool = Field(description="the label that holds is this one's")
    grants: list[DecisionGrantOut]


class DecisionOut(ApiModel):
    """Whether somebody reads a document, and all that was looked at for it, outermost first."""

    document: uuid.UUID
    user: str
    at: dt.datetime
    allowed: bool
    reason: str
    explanation: str
    label: LabelName | None
    clearance: LabelName | None
    may: list[Capability] | None = Field(description="what else matters of what they may do; null: of the past")
    levels: list[DecisionLevelOut]


@router.get("/decision")
def decision(
    subject: Caller,
    session: Reading,
    document: Annotated[uuid.UUID, Query(description="id of a document")],
    user: Annotated[str, Query(description="whose access")],
    at: Annotated[dt.datetime | None, Query(description="a moment of the past, with its zone; unset: now")] = None,
) -> DecisionOut:
    """Every rule and grant that was looked at, and which one decided (administer, or the collection's curators).

    A document that you may neither read nor curate is not there; the past is for its curators.
    """
    return DecisionOut.model_validate(access_decision(session, subject, document, user, at))
