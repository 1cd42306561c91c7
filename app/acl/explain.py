"""Says why: which grant decides for a person and a document, in words an administrator can act on."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.levels import levels_at, levels_of
from app.acl.rules import Decision, Grant, decide, effective
from app.acl.trace import RuleLevel, first_that_counts
from app.db.tables.access import Scope
from app.db.tables.library import Document
from app.db.tables.people import Role
from app.identity.past import NotKnown, subject_at
from app.identity.subject import Subject


@dataclass(frozen=True)
class Explanation:
    """A decision in words. `reason` is stable; `at` is the moment it holds for."""

    allowed: bool
    reason: str
    text: str
    at: dt.datetime


def explain(session: Session, subject: Subject, document_id: uuid.UUID) -> Explanation | None:
    """Why the subject may or may not read the document now; None if the session sees no such document."""
    row = session.execute(
        select(Scope, func.now()).join(Document, Document.scope_id == Scope.id).where(Document.public_id == document_id)
    ).one_or_none()
    if row is None:
        return None
    scope, at = row
    levels = levels_of(session, scope)
    rule = effective(*(level.own for level in levels))
    told = _Told(rule.label.text, at, levels[first_that_counts(levels) :])
    return _explained(session, subject, decide(subject, rule, at), told)


def explain_at(session: Session, subject: Subject, document_id: uuid.UUID, at: dt.datetime) -> Explanation:
    """Why the subject could or could not read the document at a moment of the past, by the history that is kept."""
    try:
        then = subject_at(session, subject, at)
        rule, levels = levels_at(session, document_id, at)
    except NotKnown as unknown:
        text = f"{subject.name} could not read it on {_moment(at)}: by the history, {unknown}."
        return Explanation(False, "not there", text, at)
    told = _Told(rule.label.text, at, levels, past=True)
    return _explained(session, subject, decide(then, rule, at), told)


@dataclass(frozen=True)
class _Told:
    """What the words need beside the decision."""

    label: str
    at: dt.datetime
    levels: list[RuleLevel]
    past: bool = False


def _explained(session: Session, subject: Subject, decision: Decision, told: _Told) -> Explanation:
    return Explanation(decision.allowed, decision.reason, _words(session, subject, decision, told), told.at)


def _words(session: Session, subject: Subject, decision: Decision, told: _Told) -> str:
    may, may_not = ("could", "could not") if told.past else ("may", "may not")
    when = f" on {_moment(told.at)}" if told.past else ""
    who = subject.name
    grant = None if decision.grant is None else _grant(session, decision.grant, told.levels)
    yes, no = f"{who} {may} read it{when}: {grant}", f"{who} {may_not} read it{when}: {grant}"
    match decision.reason:
        case "granted":
            return f"{yes}, and its label '{told.label}' is within the clearance."
        case "denied":
            act = "" if told.past else f"; end it or take {who} out of the role"
            return f"{no}. A deny beats every allow{act}."
        case "label above clearance":
            return f"{no}, but its label '{told.label}' is above the clearance."
        case "not in time":
            ended = decision.grant is not None and decision.grant.ends_at is not None
            over = ended and decision.grant is not None and (decision.grant.ends_at or told.at) <= told.at
            return f"{no}, and that {'had' if told.past else 'has'} ended." if over else f"{no}, which is yet to start."
        case "nothing granted":
            return f"{who} {may_not} read it{when}: no grant names {who}, a role of {who}, or everyone."


def _grant(session: Session, grant: Grant, levels: list[RuleLevel]) -> str:
    match grant.principal.kind:
        case "everyone":
            whom = "everyone"
        case "user":
            whom = "this person by name"
        case "role":
            role = session.scalar(select(Role).where(Role.id == grant.principal.id))
            whom = f"the role '{role.shown}'" if role else "a role that is gone"
    times = [
        f"{word} {_moment(moment)}"
        for word, moment in (("from", grant.starts_at), ("until", grant.ends_at))
        if moment is not None
    ]
    place = next((level.words for level in reversed(levels) if grant in level.own.grants), "")
    return " ".join(part for part in (f"the {grant.effect} grant to {whom}", *times, place) if part)


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
