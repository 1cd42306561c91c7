"""Services that keep what they should look up again: the mutants that a race must find."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl import visible as acl
from app.acl.visible import Visible
from app.db.tables.access import PolicyEpoch, Rule, Scope
from app.identity import authenticate
from app.identity.subject import Subject
from tests.laws.worlds.revocation_race import Revocation
from tests.support.company import Company

# Who asks for the visible scopes.
ASKERS = (
    "answer.pipeline", "answer.search", "answer.documents", "answer.conversation",
    "admin.collections", "admin.documents", "admin.explain", "admin.rules",
)  # fmt: skip
KEPT = ("turn_answer", "turn_source")
TEXT = ("document", "original", "chunk", "vector_row", "posting", *KEPT)


@dataclass
class KeptScopes:
    """The visible scopes of a subject, kept for a second to save a query.

    `checked`, it does what the design asks of anything that is kept: it is refused when the policy epoch of the reading
    snapshot is another one, and past the next start or end among the rules that it was made from.
    """

    checked: bool
    kept: dict[Any, tuple[float, Visible]] = field(default_factory=dict)

    def __call__(self, session: Session, subject: Subject) -> Visible:
        key = (subject.user_id, subject.roles, subject.clearance)
        until, visible = self.kept.get(key, (0.0, None))
        if visible is None or time.monotonic() > until or (self.checked and self._stale(session, visible)):
            visible = acl.visible_scopes(session, subject)
            self.kept[key] = (time.monotonic() + 1.0, visible)
        return visible

    def _stale(self, session: Session, visible: Visible) -> bool:
        epoch, now = session.execute(select(PolicyEpoch.number, func.now())).one()
        return epoch != visible.epoch or (visible.valid_until is not None and now >= visible.valid_until)


# Longer than a few looks of a busy machine.
KEPT_SECONDS = 10.0


@dataclass
class KeptCallers:
    """Who holds a key, kept for a while: a key that was revoked meanwhile still opens."""

    kept: dict[str, tuple[float, Subject]] = field(default_factory=dict)
    identify: Callable[..., Subject] = authenticate.identify

    def __call__(self, session: Session, secret: str, token: str | None = None) -> Subject:
        until, subject = self.kept.get(secret, (0.0, None))
        if subject is None or time.monotonic() > until:
            subject = self.identify(session, secret, token)
            self.kept[secret] = (time.monotonic() + KEPT_SECONDS, subject)
        return subject


def every_scope(session: Session, subject: Subject) -> Visible:
    """All scopes there are, whoever asks: no scope filter."""
    rows = session.execute(select(Scope.id, Scope.public_id, Rule.label).join(Rule, Rule.id == Scope.rule_id)).all()
    labels = {row.id: max(row.label, 0) for row in rows}
    found = acl.visible_scopes(session, subject)
    return replace(found, scope_ids=tuple(labels), public_ids=tuple(row.public_id for row in rows), labels=labels)


def resolving(monkeypatch: pytest.MonkeyPatch, resolve: Callable[[Session, Subject], Visible]) -> None:
    for name in ASKERS:
        monkeypatch.setattr(f"app.{name}.visible_scopes", resolve)


def unlock(company: Company, tables: Sequence[str]) -> None:
    """Row-level security shows the API's database role all of these tables."""
    for table in tables:
        company.execute(f"create policy oops on {table} for select to clearance_app using (true)")


def warmed(revocations: list[Revocation], kept: dict[Any, Any]) -> list[Revocation]:
    """The same, and what was kept while nothing was visible goes with the grant: the mutant is tried at its worst."""

    def of(revocation: Revocation) -> Revocation:
        def grant() -> tuple[float, float]:
            times = revocation.grant()
            kept.clear()
            return times

        return replace(revocation, grant=grant)

    return [of(r) for r in revocations]
