"""Plans: changes of access foreseen, looked at, and applied, by a second administrator where the author would gain."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from app.acl.placement import lock_document
from app.admin import plans as admin
from app.admin.changes import GrantStep, PlanStep, RuleStep
from app.admin.plan_steps import clearance_step, group_step, member_step, nesting_step
from app.admin.rules import collection_rule, editable_collection
from app.db.session import WriteSession
from app.identity.subject import Label, Subject
from app.paths import folder_path
from app.settings import LabelName
from app.web.api.rule_schemas import to_rule
from app.web.api.schemas import AccessBody, ApiModel, GrantBody, GroupBody
from app.web.http.dependencies import Caller, Changing, ComponentsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/access/plans", tags=["access"])


class TargetBody(ApiModel):
    """Whose rule changes: a collection's, a folder's in it, or a document's."""

    collection: str | None = None
    folder: str | None = None
    document: uuid.UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.collection is None) == (self.document is None) or (self.folder and self.collection is None):
            raise ValueError("name exactly one of collection and document; a folder is named with its collection")
        return self


class RuleChange(TargetBody):
    """The rule is replaced; `rule` null takes a folder's away."""

    change: Literal["rule"]
    rule: AccessBody | None

    @model_validator(mode="after")
    def _folders_alone_lose_theirs(self) -> Self:
        if self.rule is None and self.folder is None:
            raise ValueError("only a folder can be without a rule of its own")
        return self


class GrantChange(TargetBody):
    """One grant is added to the rule, or taken out of it."""

    change: Literal["grant", "revoke"]
    grant: GrantBody


class MemberChange(ApiModel):
    """A person comes into a role, or leaves it."""

    change: Literal["join", "leave"]
    user: str
    role: str


class NestingChange(ApiModel):
    """A role comes to lie inside another, or no longer does."""

    change: Literal["nest", "unnest"]
    role: str
    inside: str


class ClearanceChange(ApiModel):
    """A person gets another clearance."""

    change: Literal["clearance"]
    user: str
    clearance: LabelName


class GroupChange(GroupBody):
    """A role comes to stand for another group of its source, or for none."""

    change: Literal["group"]
    role: str


AnyChange = Annotated[
    RuleChange | GrantChange | MemberChange | NestingChange | ClearanceChange | GroupChange,
    Field(discriminator="change"),
]


class PlanBody(ApiModel):
    """The changes to foresee, made together or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"changes": [{"change": "grant", "collection": "handbook", "grant": {"role": "engineering"}}]},
            ]
        }
    )

    changes: list[AnyChange] = Field(min_length=1, max_length=100)


class EffectOut(ApiModel):
    """What a person would gain and lose, in documents."""

    user: str
    gains: int
    loses: int


class LaterOut(ApiModel):
    """What a person would gain and lose when the clock goes on: by a grant that starts, or a deny that ends."""

    user: str
    gains: int
    loses: int
    gains_from: dt.datetime | None = Field(description="when the first of these documents would be gained")
    loses_from: dt.datetime | None = Field(description="when the first of these documents would be lost")


class PlanOut(ApiModel):
    """A plan. `needs_second`: its author would gain by it, so another administrator has to apply it."""

    id: uuid.UUID
    author: str
    made_at: dt.datetime
    state: Literal["open", "applied", "withdrawn"]
    needs_second: bool
    documents: int = Field(description="documents that would come under another rule")
    steps: list[str] = Field(description="what would be changed, in words")
    people: list[EffectOut] = Field(description="who gains and loses as soon as it is applied")
    later: list[LaterOut] = Field(description="who gains and loses documents at a later moment")
    why: list[str] = Field(description="where nobody would gain: why not")
    warnings: list[str] = Field(description="where nobody could read afterwards")


@router.post("", status_code=201)
def plan(body: PlanBody, subject: Caller, session: Writing, parts: ComponentsOf) -> PlanOut:
    """Foresee changes: who would gain and lose how many documents. Nothing is changed yet."""

    def steps(trial: WriteSession) -> Sequence[PlanStep]:
        return [_step(trial, subject, change) for change in body.changes]

    second = parts.settings.access.second_administrator
    return _wire(admin.create_plan(parts.database, session, subject, steps, second_administrator=second))


@router.get("")
def plans(subject: Caller, session: Reading, page: PageOf) -> list[PlanOut]:
    """The open plans: your own, and for an administrator all."""
    return [_wire(plan) for plan in admin.list_plans(session, subject, page)]


@router.get("/{plan}")
def one_plan(plan: str, subject: Caller, session: Reading) -> PlanOut:
    """One plan."""
    return _wire(admin.get_plan(session, subject, public_id(plan)))


@router.post("/{plan}/apply")
def apply(plan: str, subject: Caller, session: Changing) -> PlanOut:
    """Make its changes, with your own rights. Refused if it would do anything else now than it says."""
    return _wire(admin.apply_plan(session, subject, public_id(plan)))


@router.delete("/{plan}", status_code=204)
def withdraw(plan: str, subject: Caller, session: Writing) -> None:
    """End a plan without making its changes."""
    admin.withdraw_plan(session, subject, public_id(plan))


def _step(session: WriteSession, subject: Subject, change: AnyChange) -> PlanStep:
    """The change with ids in the place of names; NotFound for what the subject may not see or is not there."""
    match change:
        case RuleChange() | GrantChange():
            return _rule_step(session, subject, change)
        case MemberChange():
            return member_step(session, subject, change.role, change.user, present=change.change == "join")
        case NestingChange():
            return nesting_step(session, subject, change.role, change.inside, present=change.change == "nest")
        case ClearanceChange():
            return clearance_step(session, subject, change.user, Label.parse(change.clearance))
        case GroupChange():
            return group_step(session, subject, change.role, change.group)


def _rule_step(session: WriteSession, subject: Subject, change: RuleChange | GrantChange) -> PlanStep:
    if change.document is not None:
        collection = lock_document(session, subject, change.document).collection
    else:
        collection = editable_collection(session, subject, change.collection or "")
    folder = None if change.folder is None else folder_path(change.folder)
    if isinstance(change, GrantChange):
        [grant] = to_rule(session, AccessBody(grants=[change.grant])).grants
        return GrantStep(collection.id, folder, change.document, grant, change.change == "grant")
    wanted = None if change.rule is None else to_rule(session, change.rule)
    if wanted is not None and folder is None and change.document is None:
        wanted = collection_rule(collection, wanted)
    return RuleStep(collection.id, folder, change.document, wanted)


def _wire(plan: admin.PlanView) -> PlanOut:
    return PlanOut(
        id=plan.id,
        author=plan.author,
        made_at=plan.made_at,
        state=plan.state,
        needs_second=plan.needs_second,
        documents=plan.documents,
        steps=plan.steps,
        people=[
            EffectOut(user=user, gains=e.gains.now, loses=e.loses.now)
            for user, e in plan.people
            if e.gains.now or e.loses.now
        ],
        later=[
            LaterOut(
                user=user,
                gains=e.gains.later,
                loses=e.loses.later,
                gains_from=e.gains.since,
                loses_from=e.loses.since,
            )
            for user, e in plan.people
            if e.gains.later or e.loses.later
        ],
        why=plan.why,
        warnings=plan.warnings,
    )
