"""Says why: which grant decides for a person and a document, in words an administrator can act on."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.rules import Decision, Grant, OwnRule, Subject, decide, effective
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Document
from app.db.tables.people import Role


@dataclass(frozen=True)
class Explanation:
    """A decision in words."""

    decision: Decision
    text: str


def explain(session: Session, subject: Subject, document_id: uuid.UUID) -> Explanation | None:
    """Why the subject may or may not read the document now; None if the session sees no such document."""
    row = session.execute(
        select(Collection.own_rule, Scope.own_rule, func.now())
        .join(Scope, Scope.collection_id == Collection.id)
        .join(Document, Document.scope_id == Scope.id)
        .where(Document.public_id == document_id)
    ).one_or_none()
    if row is None:
        return None
    rule = effective(OwnRule.from_json(row[0]), OwnRule.from_json(row[1]))
    decision = decide(subject, rule, row[2])
    return Explanation(decision, _words(session, subject, decision, rule.label.text, row[2]))


def _words(session: Session, subject: Subject, decision: Decision, label: str, at: dt.datetime) -> str:
    who = subject.name
    grant = None if decision.grant is None else _grant(session, decision.grant)
    match decision.reason:
        case "granted":
            return f"{who} may read it: {grant}, and its label '{label}' is within the clearance."
        case "denied":
            return f"{who} may not read it: {grant}. A deny beats every allow; end it or take {who} out of the role."
        case "label above clearance":
            return f"{who} may not read it: {grant}, but its label '{label}' is above the clearance."
        case "not in time":
            ended = decision.grant is not None and decision.grant.ends_at is not None and decision.grant.ends_at <= at
            return f"{who} may not read it: {grant}, and that {'has ended' if ended else 'is yet to start'}."
        case "nothing granted":
            return f"{who} may not read it: no grant names {who}, a role of {who}, or everyone."


def _grant(session: Session, grant: Grant) -> str:
    match grant.principal.kind:
        case "everyone":
            whom = "everyone"
        case "user":
            whom = "this person by name"
        case "role":
            name = session.scalar(select(Role.name).where(Role.id == grant.principal.id))
            whom = f"the role '{name}'" if name else "a role that is gone"
    times = [
        f"{word} {moment:%Y-%m-%d %H:%M} UTC"
        for word, moment in (("from", grant.starts_at), ("until", grant.ends_at))
        if moment is not None
    ]
    return " ".join([f"the {grant.effect} grant to {whom}", *times])
