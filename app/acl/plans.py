"""Changes foreseen: what a change of rules, roles or clearances would do to whom, before it is made.

A plan is made by making the change, counting, and rolling it back. To apply it is to make the change again, by the one
who applies it and with their own rights, and to refuse if it would now do anything else than the plan says.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import judged
from app.acl.effects import Effects, Timelines, compare
from app.acl.readers import concerned, everybody, rule_by_document
from app.acl.rule_changes import may_rule, take_hold
from app.acl.steps import Done, RuleStep, Step, from_json
from app.acl.unread import document_rule, place_rule, unread, why_nobody, why_not_document
from app.db.session import WriteSession
from app.db.tables.access import AccessPlan, Collection
from app.errors import Conflict, NotFound, PlanStale, SelfGrant
from app.identity.subject import Capability, Subject


@dataclass(frozen=True)
class Foreseen:
    """What steps would do, found out by doing them in a transaction that is rolled back."""

    steps: tuple[Step, ...]
    effects: Effects
    digest: bytes
    author_gains: bool
    why: tuple[str, ...]
    warnings: tuple[str, ...]


def foresee(trial: WriteSession, subject: Subject, steps: Sequence[Step]) -> Foreseen:
    """Take these steps in `trial`, which must be rolled back after. Raises what they raise, BeyondReach among it."""
    judge = judged(trial, subject)
    effects, done = _carry_out(trial, subject, steps)
    return Foreseen(
        tuple(steps),
        effects,
        _digest(steps, effects, done),
        author_gains=bool(judge.gains()),
        why=() if effects.somebody_gains else _said(_why(trial, one) for one in done),
        warnings=_said(_warnings(trial, one) for one in done),
    )


def keep_plan(session: WriteSession, subject: Subject, foreseen: Foreseen, *, second: bool) -> AccessPlan:
    """Keep it as a plan. One that would give its author something to read needs a second administrator.

    If policy knows none (`second` is false), SelfGrant is raised.
    """
    if foreseen.author_gains and not second:
        raise SelfGrant("This plan would give you something to read, and policy has no second administrator agree.")
    plan = AccessPlan(
        author_id=subject.user_id,
        steps=[step.to_json() for step in foreseen.steps],
        effects={**foreseen.effects.to_json(), "why": foreseen.why, "warnings": foreseen.warnings},
        digest=foreseen.digest,
        needs_second=foreseen.author_gains,
    )
    session.add(plan)
    session.flush()
    return plan


def apply_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> tuple[AccessPlan, list[Done]]:
    """Make the change of a plan. Raises PlanStale if it would do anything else now than the plan says.

    The one who applies it makes the change, so they may not gain by it either; that is judged before the commit.
    """
    # All that could change what the plan does waits from here on, in the order in which everybody takes it.
    judged(session, subject)
    plan = find_plan(session, subject, plan_id, lock=True)
    if plan.state != "open":
        raise Conflict(f"This plan was {plan.state} before.")
    steps = [from_json(step) for step in plan.steps]
    for shelf in sorted({step.collection for step in steps if step.collection is not None}):
        if (collection := session.get(Collection, shelf)) is not None:
            take_hold(session, collection)
    effects, done = _carry_out(session, subject, steps)
    if _digest(steps, effects, done) != plan.digest:
        raise PlanStale(
            "Since the plan was made, the rules or documents it is about have changed, and it would do something else "
            "now. Nothing was applied. Make the plan again and look at it."
        )
    _end(session, plan, subject, "applied")
    return plan, done


def withdraw_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> AccessPlan:
    """End a plan that nobody shall apply."""
    plan = find_plan(session, subject, plan_id, lock=True)
    if plan.state != "open":
        raise Conflict(f"This plan was {plan.state} before.")
    _end(session, plan, subject, "withdrawn")
    return plan


def plans_of(subject: Subject) -> Select[AccessPlan]:
    """The plans that the subject made; all for an administrator, with a key that may be one."""
    query = select(AccessPlan)
    return (
        query if Capability.ADMINISTER in subject.capabilities else query.where(AccessPlan.author_id == subject.user_id)
    )


def find_plan(session: Session, subject: Subject, plan_id: uuid.UUID, *, lock: bool = False) -> AccessPlan:
    """A plan of the subject, or any for an administrator; raises NotFound."""
    query = plans_of(subject).where(AccessPlan.id == plan_id)
    plan = session.scalar(query.with_for_update() if lock else query)
    if plan is None:
        raise NotFound
    return plan


def ruled_collections(session: Session, subject: Subject) -> list[Collection]:
    """The collections whose rules the subject may change, by name."""
    found = session.scalars(select(Collection).where(Collection.name.not_like(r"\_%")).order_by(Collection.name))
    return [collection for collection in found if may_rule(subject, collection.id)]


def _carry_out(session: WriteSession, subject: Subject, steps: Sequence[Step]) -> tuple[Effects, list[Done]]:
    """Make the change, and say what it did."""
    at = session.scalars(select(func.now())).one()
    shelves = {step.collection for step in steps if step.collection is not None}
    of_people = [step for step in steps if step.collection is None]
    if of_people:
        # Who somebody is counts on every shelf; a rule counts on its own alone, and only where it changes.
        shelves |= {c.id for c in ruled_collections(session, subject)}
    of_rules = len(of_people) < len(steps)
    people = everybody(session) if of_rules else frozenset().union(*(step.people(session) for step in of_people))
    before = rule_by_document(session, shelves)
    was = Timelines(session, set(before.values()), people, at) if of_people else None
    done = [step.perform(session, subject) for step in steps]
    after = rule_by_document(session, shelves)
    cells = Counter((rule_id, after[document]) for document, rule_id in before.items() if document in after)
    changed = Counter({cell: n for cell, n in cells.items() if cell[0] != cell[1]})
    if was is None:
        cells, people = changed, concerned(session, changed)
    now = Timelines(session, {rule_id for cell in cells for rule_id in cell}, people, at)
    return Effects(compare(cells, was or now, now, at), changed.total()), done


def _why(session: Session, done: Done) -> list[str]:
    """Why a step that changes a rule opens nothing."""
    step = done.step
    if done.change is None or not isinstance(step, RuleStep):
        return []
    if step.document is not None:
        return why_not_document(session, done.change, step.document)
    return why_nobody(session, done.change, step.collection, step.folder)


def _warnings(session: Session, done: Done) -> list[str]:
    """Where nobody could read, after a step that changes a rule."""
    step = done.step
    if not isinstance(step, RuleStep):
        return []
    rule = (
        document_rule(session, step.document)
        if step.document is not None
        else place_rule(session, step.collection, step.folder)
    )
    return unread(session, rule, step.collection)


def _said(each: Iterable[list[str]]) -> tuple[str, ...]:
    """Each sentence once, in order."""
    return tuple(dict.fromkeys(sentence for sentences in each for sentence in sentences))


def _digest(steps: Sequence[Step], effects: Effects, done: Sequence[Done]) -> bytes:
    """What was foreseen: the steps, what they change, and what they change it from."""
    value = {
        "before": [d.before for d in done],
        "effects": effects.to_json(),
        "steps": [step.to_json() for step in steps],
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).digest()


def _end(session: WriteSession, plan: AccessPlan, subject: Subject, state: str) -> None:
    ended = {"state": state, "ended_by": subject.user_id, "ended_at": func.now()}
    session.execute(update(AccessPlan).where(AccessPlan.id == plan.id).values(**ended))
    session.refresh(plan)
