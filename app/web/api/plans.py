"""Plans: changes of access foreseen, looked at, and applied, by a second administrator where the author would gain."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.change_guard import judged
from app.acl.effects import Effects
from app.acl.placement import find_place
from app.acl.plans import apply_plan, find_plan, foresee, keep_plan, plans_of, withdraw_plan
from app.acl.rule_changes import need
from app.acl.rules import OwnRule
from app.acl.steps import ClearanceStep, GrantStep, MemberStep, NestingStep, RuleStep, Step, from_json
from app.acl.stewards import find_stewarded
from app.audit.actor import actor
from app.audit.events import PlanApplied, PlanMade, PlanWithdrawn
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.access import AccessPlan
from app.db.tables.people import User
from app.identity.names import find_person, find_role
from app.identity.subject import Capability, Label, Subject
from app.paths import folder_path
from app.settings import LabelName
from app.web.api.collections import ruled
from app.web.api.plan_text import describe
from app.web.api.rule_schemas import to_rule
from app.web.api.schemas import AccessBody, GrantBody, Wire
from app.web.http.dependencies import Caller, Changing, PartsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf
from app.web.plan_log import log_done

router = APIRouter(prefix="/access/plans", tags=["access"])


class Target(Wire):
    """Whose rule changes: a collection's, a folder's in it, or a document's."""

    collection: str | None = None
    folder: str | None = None
    document: uuid.UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.collection is None) == (self.document is None) or (self.folder and self.collection is None):
            raise ValueError("name exactly one of collection and document; a folder is named with its collection")
        return self


class RuleChange(Target):
    """The rule is replaced; `rule` null takes a folder's away."""

    change: Literal["rule"]
    rule: AccessBody | None

    @model_validator(mode="after")
    def _folders_alone_lose_theirs(self) -> Self:
        if self.rule is None and self.folder is None:
            raise ValueError("only a folder can be without a rule of its own")
        return self


class GrantChange(Target):
    """One grant is added to the rule, or taken out of it."""

    change: Literal["grant", "revoke"]
    grant: GrantBody


class MemberChange(Wire):
    """A person comes into a role, or leaves it."""

    change: Literal["join", "leave"]
    user: str
    role: str


class NestingChange(Wire):
    """A role comes to lie inside another, or no longer does."""

    change: Literal["nest", "unnest"]
    role: str
    inside: str


class ClearanceChange(Wire):
    """A person gets another clearance."""

    change: Literal["clearance"]
    user: str
    clearance: LabelName


AnyChange = Annotated[
    RuleChange | GrantChange | MemberChange | NestingChange | ClearanceChange, Field(discriminator="change")
]


class PlanBody(Wire):
    """The changes to foresee, made together or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"changes": [{"change": "grant", "collection": "handbook", "grant": {"role": "engineering"}}]},
            ]
        }
    )

    changes: list[AnyChange] = Field(min_length=1, max_length=100)


class EffectOut(Wire):
    """What a person would gain and lose, in documents."""

    user: str
    gains: int
    loses: int


class LaterOut(Wire):
    """What a person would gain and lose when the clock goes on: by a grant that starts, or a deny that ends."""

    user: str
    gains: int
    loses: int
    gains_from: dt.datetime | None = Field(description="when the first of these documents would be gained")
    loses_from: dt.datetime | None = Field(description="when the first of these documents would be lost")


class PlanOut(Wire):
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
def plan(body: PlanBody, subject: Caller, session: Writing, parts: PartsOf) -> PlanOut:
    """Foresee changes: who would gain and lose how many documents. Nothing is changed yet."""
    with parts.database.trying(subject.user_id) as trial:
        # First of all: to find what a change is about locks it, and everybody takes the epoch before that.
        judged(trial, subject)
        foreseen = foresee(trial, subject, [_step(trial, subject, change) for change in body.changes])
    made = keep_plan(session, subject, foreseen, second=parts.settings.access.second_administrator)
    event = PlanMade(actor=actor(subject), plan=made.id, steps=made.steps, needs_second=made.needs_second)
    record(session, event)
    return _wire(session, subject, made)


@router.get("")
def plans(subject: Caller, session: Reading, page: PageOf) -> list[PlanOut]:
    """The open plans: your own, and for an administrator all."""
    query = plans_of(subject).where(AccessPlan.state == "open")
    found = [plan for (plan,) in page.rows(session, query, [AccessPlan.made_at, AccessPlan.id])]
    return _wires(session, subject, found)


@router.get("/{plan}")
def one_plan(plan: str, subject: Caller, session: Reading) -> PlanOut:
    """One plan."""
    return _wire(session, subject, find_plan(session, subject, public_id(plan)))


@router.post("/{plan}/apply")
def apply(plan: str, subject: Caller, session: Changing) -> PlanOut:
    """Make its changes, with your own rights. Refused if it would do anything else now than it says."""
    applied, done = apply_plan(session, subject, public_id(plan))
    event = PlanApplied(
        actor=actor(subject), plan=applied.id, author=applied.author_id, needs_second=applied.needs_second
    )
    record(session, event)
    for step in done:
        log_done(session, subject, step)
    return _wire(session, subject, applied)


@router.delete("/{plan}", status_code=204)
def withdraw(plan: str, subject: Caller, session: Writing) -> None:
    """End a plan without making its changes."""
    ended = withdraw_plan(session, subject, public_id(plan))
    record(session, PlanWithdrawn(actor=actor(subject), plan=ended.id, author=ended.author_id))


def _step(session: WriteSession, subject: Subject, change: AnyChange) -> Step:
    """The change with ids in the place of names; NotFound for what the subject may not see or is not there."""
    match change:
        case RuleChange() | GrantChange():
            return _rule_step(session, subject, change)
        case MemberChange():
            # The role first: who may change no members is not told who is there.
            role, user = find_stewarded(session, subject, change.role), find_person(session, change.user)
            return MemberStep(user.id, role.id, change.change == "join")
        case NestingChange():
            need(subject, Capability.ADMINISTER)
            role, inside = find_role(session, change.role), find_role(session, change.inside)
            return NestingStep(role.id, inside.id, change.change == "nest")
        case ClearanceChange():
            need(subject, Capability.ADMINISTER)
            return ClearanceStep(find_person(session, change.user).id, Label.parse(change.clearance))


def _rule_step(session: WriteSession, subject: Subject, change: RuleChange | GrantChange) -> Step:
    if change.document is not None:
        collection = find_place(session, subject, change.document).collection
    else:
        collection = ruled(session, subject, change.collection or "")
    folder = None if change.folder is None else folder_path(change.folder)
    if isinstance(change, GrantChange):
        [grant] = to_rule(session, AccessBody(grants=[change.grant])).grants
        return GrantStep(collection.id, folder, change.document, grant, change.change == "grant")
    wanted = None if change.rule is None else to_rule(session, change.rule)
    if wanted is not None and folder is None and change.document is None:
        # A collection inherits from nothing and always has a label.
        label = OwnRule.from_json(collection.own_rule).label if wanted.label is None else wanted.label
        wanted = OwnRule(wanted.grants, inherits=False, label=label)
    return RuleStep(collection.id, folder, change.document, wanted)


def _wire(session: Session, subject: Subject, found: AccessPlan) -> PlanOut:
    [wire] = _wires(session, subject, [found])
    return wire


def _wires(session: Session, subject: Subject, found: Sequence[AccessPlan]) -> list[PlanOut]:
    people = {person for plan in found for person in (plan.author_id, *Effects.from_json(plan.effects).people)}
    names: dict[Any, str] = dict(session.execute(select(User.id, User.shown).where(User.id.in_(people))).all())
    return [_plan(session, subject, plan, names) for plan in found]


def _plan(session: Session, subject: Subject, found: AccessPlan, names: Mapping[Any, str]) -> PlanOut:
    effects = Effects.from_json(found.effects)
    named = sorted(((names.get(u, str(u)), e) for u, e in effects.people.items()), key=lambda pair: pair[0])
    return PlanOut(
        id=found.id,
        author=names.get(found.author_id, ""),
        made_at=found.made_at,
        state=found.state,
        needs_second=found.needs_second,
        documents=effects.documents,
        steps=describe(session, subject, [from_json(step) for step in found.steps]),
        people=[
            EffectOut(user=user, gains=e.gains.now, loses=e.loses.now)
            for user, e in named
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
            for user, e in named
            if e.gains.later or e.loses.later
        ],
        why=found.effects.get("why", []),
        warnings=found.effects.get("warnings", []),
    )
