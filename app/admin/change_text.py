"""A plan's steps in words, with names as they are now; they are stored with ids."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.placement import curated_path
from app.acl.rules import Grant, OwnRule
from app.admin.changes import ClearanceStep, GrantStep, GroupStep, MemberStep, NestingStep, PlanStep, RuleStep
from app.db.tables.access import Collection
from app.db.tables.people import Role, User
from app.identity.subject import Subject

GONE = "(gone)"


def describe(session: Session, subject: Subject, steps: Sequence[PlanStep]) -> list[str]:
    """One sentence a step, for who may see the plan."""
    text = _StepText(session, subject)
    return [text.step(step) for step in steps]


class _StepText:
    def __init__(self, session: Session, subject: Subject) -> None:
        self._session = session
        self._subject = subject

    def step(self, step: PlanStep) -> str:
        return self._of_rules(step) if isinstance(step, GrantStep | RuleStep) else self._of_people(step)

    def _of_rules(self, step: GrantStep | RuleStep) -> str:
        match step:
            case GrantStep():
                act = "add" if step.present else "take away"
                return f"{self._place(step)}: {act} '{self._grant(step.grant)}'"
            case RuleStep(rule=None):
                return f"{self._place(step)}: take its rule away"
            case RuleStep(rule=OwnRule() as rule):
                return f"{self._place(step)}: replace the rule by {self._rule(rule)}"
        raise AssertionError("every kind of step has its words")

    def _of_people(self, step: PlanStep) -> str:
        match step:
            case MemberStep():
                act = "put into" if step.present else "take out of"
                return f"{act} role {self._role(step.role)}: {self._user(step.user)}"
            case NestingStep():
                inside, outer = self._role(step.role), self._role(step.inside)
                return f"members of role {inside} {'become' if step.present else 'cease to be'} members of role {outer}"
            case ClearanceStep():
                return f"set the clearance of {self._user(step.user)} to {step.clearance.text}"
            case GroupStep(group=None):
                return f"let role {self._role(step.role)} stand for no group"
            case GroupStep():
                return f"let role {self._role(step.role)} stand for group '{step.group}' of its source"
        raise AssertionError("every kind of step has its words")

    def _place(self, step: GrantStep | RuleStep) -> str:
        if step.document is not None:
            # A path is for who curates the collection alone (and row-level security says so too).
            return f"document {curated_path(self._session, self._subject, step.document) or step.document}"
        name = self._session.scalar(select(Collection.name).where(Collection.id == step.collection)) or GONE
        return f"collection {name}" if step.folder is None else f"folder {step.folder} of collection {name}"

    def _rule(self, rule: OwnRule) -> str:
        parts = [f"'{self._grant(grant)}'" for grant in sorted(rule.grants, key=lambda g: str(g.to_json()))]
        parts = parts or ["no grant of its own"]
        if rule.label is not None:
            parts.append(f"label {rule.label.text}")
        parts.append("with what it inherits" if rule.inherits else "and nothing from above")
        return ", ".join(parts)

    def _grant(self, grant: Grant) -> str:
        match grant.principal.kind:
            case "everyone":
                whom = "everyone"
            case "role":
                whom = f"role {self._role(grant.principal.id)}"
            case "user":
                whom = self._user(grant.principal.id)
        bounds = (("from", grant.starts_at), ("until", grant.ends_at))
        return " ".join([grant.effect, whom, *(f"{word} {moment(at)}" for word, at in bounds if at is not None)])

    def _role(self, role: uuid.UUID) -> str:
        return self._session.scalar(select(Role.shown).where(Role.id == role)) or GONE

    def _user(self, user: uuid.UUID) -> str:
        return self._session.scalar(select(User.shown).where(User.id == user)) or GONE


def moment(at: dt.datetime) -> str:
    """A moment in words, to the second where that matters."""
    at = at.astimezone(dt.UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"
