"""Changes foreseen: what a change of rules, roles or clearances would do to whom, before it is made.

A plan is made by making the change, counting, and rolling it back. To apply it is to make the change again, by the one
who applies it and with their own rights, and to refuse if it would now do anything else than the plan says.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.acl.policy import Judge, gains, may_rule, refuse_self_grant, take_hold
from app.acl.readers import Reading, concerned, everybody, gained_and_lost, rule_by_document
from app.acl.rules import Capability, Rule, Subject
from app.acl.steps import Done, Step, from_json
from app.acl.stewards import controlled_roles
from app.db.session import WriteSession
from app.db.tables.access import AccessPlan, Collection
from app.errors import Conflict, NotFound, PlanStale, SelfGrant


@dataclass(frozen=True)
class Effects:
    """Who would gain and lose how many documents, and how many documents would come under another rule."""

    people: dict[uuid.UUID, tuple[int, int]]
    documents: int

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"documents": self.documents, "people": {str(u): list(n) for u, n in sorted(self.people.items())}}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Effects":
        """The inverse of `to_json`."""
        people = {uuid.UUID(u): (int(n[0]), int(n[1])) for u, n in value["people"].items()}
        return cls(people, int(value["documents"]))


class _Watch:
    """A judge that notes that the author gains, where the other one refuses: for what is rolled back."""

    def __init__(self) -> None:
        self.author_gains = False

    def __call__(self, session: WriteSession, subject: Subject, before: Rule | None, after: Rule) -> None:
        self.author_gains |= gains(subject, controlled_roles(session, subject), before, after)


@dataclass(frozen=True)
class Foreseen:
    """What steps would do, found out by doing them in a transaction that is rolled back."""

    steps: tuple[Step, ...]
    effects: Effects
    digest: bytes
    author_gains: bool


def foresee(trial: WriteSession, subject: Subject, steps: Sequence[Step]) -> Foreseen:
    """Take these steps in `trial`, which must be rolled back after. Raises what they raise, BeyondReach among it."""
    watch = _Watch()
    effects, done = _carry_out(trial, subject, steps, watch)
    gains_self = watch.author_gains or any(step.concerns(subject) for step in steps)
    return Foreseen(tuple(steps), effects, _digest(steps, effects, done), gains_self)


def keep_plan(session: WriteSession, subject: Subject, foreseen: Foreseen, *, second: bool) -> AccessPlan:
    """Keep it as a plan. One that would give its author something to read needs a second administrator.

    If policy knows none (`second` is false), SelfGrant is raised.
    """
    if foreseen.author_gains and not second:
        raise SelfGrant("This plan would give you something to read, and policy has no second administrator agree.")
    plan = AccessPlan(
        author_id=subject.user_id,
        steps=[step.to_json() for step in foreseen.steps],
        effects=foreseen.effects.to_json(),
        digest=foreseen.digest,
        needs_second=foreseen.author_gains,
    )
    session.add(plan)
    session.flush()
    return plan


def apply_plan(session: WriteSession, subject: Subject, plan_id: uuid.UUID) -> tuple[AccessPlan, list[Done]]:
    """Make the change of a plan. Raises PlanStale if it would do anything else now than the plan says.

    The one who applies it makes the change, so they may not gain by it either.
    """
    plan = find_plan(session, subject, plan_id, lock=True)
    if plan.state != "open":
        raise Conflict(f"This plan was {plan.state} before.")
    steps = [from_json(step) for step in plan.steps]
    # All that could change what the plan does waits from here on: first the shelves, as everybody takes them.
    for shelf in sorted({step.collection for step in steps if step.collection is not None}):
        if (collection := session.get(Collection, shelf)) is not None:
            take_hold(session, collection)
    session.execute(select(func.clearance.hold_epoch()))
    for step in steps:
        if step.concerns(subject):
            raise SelfGrant("This plan would change what you yourself may read. Ask another administrator to apply it.")
    effects, done = _carry_out(session, subject, steps, refuse_self_grant)
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


def _carry_out(
    session: WriteSession, subject: Subject, steps: Sequence[Step], judge: Judge
) -> tuple[Effects, list[Done]]:
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
    was = Reading(session, set(before.values()), people, at) if of_people else None
    done = [step.perform(session, subject, judge) for step in steps]
    after = rule_by_document(session, shelves)
    cells = Counter((rule_id, after[document]) for document, rule_id in before.items() if document in after)
    changed = Counter({cell: n for cell, n in cells.items() if cell[0] != cell[1]})
    if was is None:
        cells, people = changed, concerned(session, changed)
    now = Reading(session, {rule_id for cell in cells for rule_id in cell}, people, at)
    return Effects(gained_and_lost(cells, was or now, now), changed.total()), done


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
