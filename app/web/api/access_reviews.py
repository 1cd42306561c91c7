"""Access reviews: the grants of a collection, gone through by who may change its rules, and what came of it."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin import access_review_close as closing
from app.admin import access_reviews as admin
from app.web.api.plans import EffectOut
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Caller, Changing, ComponentsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/access/reviews", tags=["access"])

Decision = Literal["keep", "withdraw"]


class ReviewBody(ApiModel):
    """A review of all grants of a collection as they stand."""

    collection: str
    title: str = Field(min_length=1, max_length=200)


class DecisionBody(ApiModel):
    """Whether a grant stays; null: nothing is said of it any more."""

    decision: Decision | None


class CloseBody(ApiModel):
    """What was looked at before; unset: nothing was."""

    fingerprint: str | None = Field(None, max_length=64, description="of the preview; anything else is refused")


class ReviewOut(ApiModel):
    """A review, and how far it is."""

    id: uuid.UUID
    collection: str
    title: str
    opened_by: str | None
    opened_at: dt.datetime
    state: Literal["open", "closed"]
    closed_by: str | None
    closed_at: dt.datetime | None
    items: int
    undecided: int
    withdrawn: int
    manifest: dict[str, Any] | None = Field(description="who decided what, and what came of it; when it is closed")
    digest: str | None = Field(description="SHA-256 of the manifest in canonical form; the log has it too")


class ReviewItemOut(ApiModel):
    """A grant under review."""

    id: uuid.UUID
    place: Literal["collection", "folder", "documents"]
    folder: str | None
    documents: int = Field(description="documents with this grant of their own, when the review was opened")
    examples: list[str] = Field(description="paths of the first of them, for curators")
    effect: Literal["allow", "deny"]
    kind: Literal["everyone", "role", "user"]
    principal: str | None = Field(description="whom it names; null: everyone, or somebody who is gone")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    people: int = Field(description="people behind it, when the review was opened")
    decision: Decision | None
    decided_by: str | None
    decided_at: dt.datetime | None


class ReviewPreviewOut(ApiModel):
    """What closing would do now."""

    fingerprint: str
    undecided: int = Field(description="grants of which nothing is said yet; while there are any it stays open")
    withdrawn: int
    documents: int = Field(description="documents that would come under another rule")
    people: list[EffectOut]


@router.get("")
def reviews(
    subject: Caller, session: Reading, page: PageOf, state: Annotated[Literal["open", "closed"] | None, Query()] = None
) -> list[ReviewOut]:
    """The reviews of collections whose rules are yours to change, newest first."""
    return [ReviewOut.model_validate(each) for each in admin.list_reviews(session, subject, page, state=state)]


@router.post("", status_code=201)
def open_review(body: ReviewBody, subject: Caller, session: Writing) -> ReviewOut:
    """Open a review of a collection whose rules are yours to change; of documents' own grants for its curators."""
    return ReviewOut.model_validate(admin.open_review(session, subject, body.collection, body.title))


@router.get("/{review}")
def review(review: str, subject: Caller, session: Reading) -> ReviewOut:
    """One review, with its manifest when it is closed."""
    return ReviewOut.model_validate(admin.get_review(session, subject, public_id(review)))


@router.get("/{review}/items")
def items(
    review: str,
    subject: Caller,
    session: Reading,
    page: PageOf,
    undecided: Annotated[bool, Query(description="those alone of which nothing is said yet")] = False,
) -> list[ReviewItemOut]:
    """The grants of a review, outermost first."""
    found = admin.list_review_items(session, subject, public_id(review), page, undecided=undecided)
    return [ReviewItemOut.model_validate(item) for item in found]


@router.put("/{review}/items/{item}")
def decide(review: str, item: str, body: DecisionBody, subject: Caller, session: Writing) -> ReviewItemOut:
    """Say of a grant that it stays, or goes when the review is closed. A grant to you by name others keep."""
    decided = admin.decide_item(session, subject, public_id(review), public_id(item), body.decision)
    return ReviewItemOut.model_validate(decided)


@router.get("/{review}/preview")
def preview(review: str, subject: Caller, parts: ComponentsOf) -> ReviewPreviewOut:
    """What closing a review would do now: who loses how many documents."""
    found = closing.preview_close(parts.database, subject, public_id(review))
    people = [EffectOut(user=name, gains=e.gains.now, loses=e.loses.now) for name, e in found.people]
    return ReviewPreviewOut(**{**vars(found), "people": people})


@router.post("/{review}/close")
def close(review: str, body: CloseBody, subject: Caller, session: Changing) -> ReviewOut:
    """Take away what was withdrawn, and keep who decided what: all at once, and only when all is decided."""
    found = closing.close_review(session, subject, public_id(review), fingerprint=body.fingerprint)
    return ReviewOut.model_validate(found)
