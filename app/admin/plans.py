"""Plans: what a change of rules, roles or clearances would do to whom, seen before it is made.

A preview is found by making the change, counting, and rolling it back. To apply a plan is to make the change again, by
the one who applies it and with their own rights, and to refuse if it would now do anything else than the plan says.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.effects import Effects, PersonEffect, effects_of
from app.acl.readers import everybody
from app.acl.rule_changes import lock_collection
from app.acl.unread import document_rule, place_rule, unread, why_nobody
from app.admin.change_text import describe
from app.admin.changes import PlanStep, RuleStep, StepResult, from_json
from app.admin.rules import editable_collections
from app.audit.actor import actor
from app.audit.events.plans import PlanApplied, PlanCreated, PlanWithdrawn
from app.audit.log import record
from app.db.paging import Page
from app.db.session import Database, WriteSession
from app.db.tables.access import AccessPlan, Collection
from app.errors import Conflict, NotFound, PlanStale, SelfGrant
from app.identity.names import names_of
from app.identity.subject import Capability, Subject

PlanState = Literal["open", "applied", "withdrawn"]


@dataclass(frozen=True)
class Preview:
    """What steps would do, found out by performing them in a transaction that is rolled back."""

    steps: tuple[PlanStep, ...]
    effects: Effects
    digest: bytes
    author_gains: bool
    why: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PlanView:
    """A plan for whoever may see it: people by name with what they gain and lose, in order, and its steps in words."""

    id: uuid.UUID
    author: str
    made_at: dt.datetime
    state: PlanState
    needs_second: bool
    documents: int
    steps: list[str]
    people: list[tuple[str, PersonEffect]]
    why: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class PlanCheck:
    """What a stale plan would do now: how many documents would come under another rule, and whose reading changes."""

    documents: int
    people: list[tuple[str, PersonEffect]]


def create_plan(
    database: Database,
    session: WriteSession,
    subject: Subject,
    steps: Callable[[WriteSession], Sequence[PlanStep]],
    *,
    second_administrator: bool,
) -> PlanView:
    """Preview these steps and save them as a plan; nothing is changed yet. `steps` finds what they are about.

    One that would give its author something to read needs a second administrator to apply it; if policy knows none,
    SelfGrant is raised.
    """
    with database.dry_run(subject.user_id) as trial:
        # First of all: to find what a change is about locks it, and everybody takes the epoch before that.
        guard_change(trial, subject)
        found = preview(trial, subject, steps(trial))
    if found.author_gains and not second_administrator:
        raise SelfGrant("This plan would give you something to read, and policy has no second administrator agree.")
    plan = AccessPlan(
        author_id=subject.user_id,
        steps=[step.to_json() for step in found.steps],
        effects={**found.effects.to_json(), "why": found.why, "warnings": found.warnings},
        digest=found.digest,
        needs_second=found.author_gains,
    )
    session.add(plan)
    session.flush()
    event = PlanCreated(actor=actor(subject), plan=plan.id, steps=plan.steps, needs_second=plan.needs_second)
    record(session, event)
    return _views(session, subject, [plan])[0]


def preview(trial: WriteSession, subject: Subject, steps: Sequence[PlanStep]) -> Preview:
    """Take these steps in `trial`, which must be rolled back after. Raises what they raise, BeyondReach among it."""
    guard = guard_change(trial, subject)
    effects, results = _perform(trial, subject, steps)
    return Preview(
        tuple(steps),
        effects,
        _digest(steps, effects, results),
        author_gains=bool(guard.gains()),
        why=() if effects.somebody_gains else _distinct(_why(trial, one) for one in results),
        warnings=_distinct(_warnings(trial, one) for one in results),
    )


def make_steps(session: WriteSession, subject: Subject, steps: Sequence[PlanStep]) -> tuple[Effects, bytes]:
    """Take these steps for good; what they did to whom, and the digest of a preview of just that.

    Raises what they raise, and SelfGrant with the commit where the subject would gain by them.
    """
    guard_change(session, subject)
    _lock_collections(session, steps)
    effects, results = _perform(session, subject, steps)
    return effects, _digest(steps, effects, results)


def apply_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> PlanView:
    """Make the change of a plan. Raises PlanStale if it would do anything else now than the plan says.

    The one who applies it makes the change, so they may not gain by it either (`app.acl.change_guard`).
    """
    # All that could change what the plan does waits from here on, in the order in which everybody takes it.
    guard_change(session, subject)
    plan = _open_plan(session, subject, plan_id)
    event = PlanApplied(actor=actor(subject), plan=plan.id, author=plan.author_id, needs_second=plan.needs_second)
    record(session, event)
    steps = [from_json(step) for step in plan.steps]
    _, digest = make_steps(session, subject, steps)
    if digest != plan.digest:
        raise PlanStale(
            "Since the plan was made, the rules or documents it is about have changed, and it would do something else "
            "now. Nothing was applied. Make the plan again and look at it."
        )
    _end(session, plan, subject, "applied")
    return _views(session, subject, [plan])[0]


def apply_or_recheck(database: Database, subject: Subject, plan_id: uuid.UUID) -> PlanCheck | None:
    """Make the change of a plan; where it is stale, nothing is changed, and what it would do now is given.

    Raises what `apply_plan` raises but for PlanStale. In transactions of its own: no part of one can be taken back, for
    grants are added by the transaction that makes their rule alone.
    """
    try:
        with database.writing(subject.user_id) as session:
            apply_plan(session, subject, plan_id)
    except PlanStale:
        with database.dry_run(subject.user_id) as trial:
            guard_change(trial, subject)
            plan = _open_plan(trial, subject, plan_id)
            effects, _ = _perform(trial, subject, [from_json(step) for step in plan.steps])
            return PlanCheck(effects.documents, _named(effects, names_of(trial, effects.people)))
    return None


def remake_plan(
    database: Database, session: WriteSession, subject: Subject, plan_id: uuid.UUID, *, second_administrator: bool
) -> PlanView:
    """The same steps as a new plan of the subject, previewed as of now; the old one is withdrawn."""
    plan = _open_plan(session, subject, plan_id)
    steps = [from_json(step) for step in plan.steps]
    withdraw_plan(session, subject, plan_id)
    return create_plan(database, session, subject, lambda _: steps, second_administrator=second_administrator)


def withdraw_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> None:
    """End a plan that nobody shall apply."""
    plan = _open_plan(session, subject, plan_id)
    _end(session, plan, subject, "withdrawn")
    record(session, PlanWithdrawn(actor=actor(subject), plan=plan.id, author=plan.author_id))


def list_plans(session: Session, subject: Subject, page: Page) -> list[PlanView]:
    """The open plans that the subject made; all for an administrator."""
    query = plans_of(subject).where(AccessPlan.state == "open")
    found = [plan for (plan,) in page.rows(session, query, [AccessPlan.made_at, AccessPlan.id])]
    return _views(session, subject, found)


def get_plan(session: Session, subject: Subject, plan_id: uuid.UUID) -> PlanView:
    """A plan of the subject, or any for an administrator; raises NotFound."""
    plan = session.scalar(plans_of(subject).where(AccessPlan.id == plan_id))
    if plan is None:
        raise NotFound
    return _views(session, subject, [plan])[0]


def plans_of(subject: Subject) -> Select[AccessPlan]:
    """The plans that the subject made; all for an administrator, with a key that may be one."""
    query = select(AccessPlan)
    return (
        query if Capability.ADMINISTER in subject.capabilities else query.where(AccessPlan.author_id == subject.user_id)
    )


def _open_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> AccessPlan:
    plan = session.scalar(plans_of(subject).where(AccessPlan.id == plan_id).with_for_update())
    if plan is None:
        raise NotFound
    if plan.state != "open":
        raise Conflict(f"This plan was {plan.state} before.")
    return plan


def _perform(session: WriteSession, subject: Subject, steps: Sequence[PlanStep]) -> tuple[Effects, list[StepResult]]:
    collections = {step.collection for step in steps if step.collection is not None}
    of_people = [step for step in steps if step.collection is None]
    if of_people:
        # Who somebody is counts on every collection; a rule counts on its own alone, and only where it changes.
        collections |= {c.id for c in editable_collections(session, subject)}
    of_rules = len(of_people) < len(steps)
    people = everybody(session) if of_rules else frozenset().union(*(step.people(session) for step in of_people))

    def perform() -> list[StepResult]:
        return [step.perform(session, subject) for step in steps]

    return effects_of(session, collections, people, perform, standing=bool(of_people))


def _lock_collections(session: WriteSession, steps: Sequence[PlanStep]) -> None:
    for collection_id in sorted({step.collection for step in steps if step.collection is not None}):
        if (collection := session.get(Collection, collection_id)) is not None:
            lock_collection(session, collection)


def _why(session: Session, result: StepResult) -> list[str]:
    """Why a step that changes a rule opens nothing."""
    step = result.step
    if result.change is None or not isinstance(step, RuleStep):
        return []
    return why_nobody(session, result.change, step.collection, step.folder, step.document)


def _warnings(session: Session, result: StepResult) -> list[str]:
    """Where nobody could read, after a step that changes a rule."""
    step = result.step
    if not isinstance(step, RuleStep):
        return []
    rule = (
        document_rule(session, step.document)
        if step.document is not None
        else place_rule(session, step.collection, step.folder)
    )
    return unread(session, rule, step.collection)


def _distinct(each: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentences in each for sentence in sentences))


def _digest(steps: Sequence[PlanStep], effects: Effects, results: Sequence[StepResult]) -> bytes:
    """What was previewed: the steps, what they change, and what they change it from."""
    value = {
        "before": [result.before for result in results],
        "effects": effects.to_json(),
        "steps": [step.to_json() for step in steps],
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).digest()


def _end(session: WriteSession, plan: AccessPlan, subject: Subject, state: str) -> None:
    ended = {"state": state, "ended_by": subject.user_id, "ended_at": func.now()}
    session.execute(update(AccessPlan).where(AccessPlan.id == plan.id).values(**ended))
    session.refresh(plan)


def _views(session: Session, subject: Subject, plans: Sequence[AccessPlan]) -> list[PlanView]:
    effects = {plan.id: Effects.from_json(plan.effects) for plan in plans}
    names = names_of(session, {p for plan in plans for p in (plan.author_id, *effects[plan.id].people)})
    return [
        PlanView(
            id=plan.id,
            author=names.get(plan.author_id, ""),
            made_at=plan.made_at,
            state=cast("PlanState", plan.state),
            needs_second=plan.needs_second,
            documents=effects[plan.id].documents,
            steps=describe(session, subject, [from_json(step) for step in plan.steps]),
            people=_named(effects[plan.id], names),
            why=plan.effects.get("why", []),
            warnings=plan.effects.get("warnings", []),
        )
        for plan in plans
    ]


def _named(effects: Effects, names: Mapping[uuid.UUID, str]) -> list[tuple[str, PersonEffect]]:
    people = ((names.get(user, str(user)), effect) for user, effect in effects.people.items())
    return sorted(people, key=lambda pair: pair[0])
