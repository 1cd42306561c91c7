"""A decision with all that was looked at: each rule from the outermost in, each grant, and which one decided. Pure."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.acl.rules import Grant, OwnRule, Rule, decide
from app.identity.subject import Label, Principal, Subject

LevelKind = Literal["collection", "folder", "document", "inherited"]


@dataclass(frozen=True)
class RuleLevel:
    """What one place says for itself: a collection, a folder by its path, the document, or all above it together."""

    kind: LevelKind
    name: str
    own: OwnRule

    @property
    def words(self) -> str:
        """Where a grant of this level stands, as in "the allow grant to everyone …"."""
        match self.kind:
            case "document":
                return "on the document itself"
            case "inherited":
                return "inherited"
            case kind:
                return f"on the {kind} '{self.name}'"


@dataclass(frozen=True)
class GrantTrace:
    """A grant as it was looked at. `names`: it is about the person, by the role `role` if it is not everyone or them.

    `decided`: with `names`, `in_time` and the place of its level, it is the one that the decision gives.
    """

    grant: Grant
    names: bool
    role: uuid.UUID | None
    in_time: bool
    decided: bool


@dataclass(frozen=True)
class LevelTrace:
    """A level with its grants in the order of `decide()`. `counts`: no level further in breaks with it.

    `labels`: the label that holds is this level's.
    """

    level: RuleLevel
    counts: bool
    labels: bool
    grants: tuple[GrantTrace, ...]


@dataclass(frozen=True)
class DecisionTrace:
    """What `decide()` says, and why: the levels from the outermost in, the label that holds, and the clearance."""

    allowed: bool
    reason: str
    label: Label
    clearance: Label
    levels: tuple[LevelTrace, ...]


def trace(subject: Subject, levels: Sequence[RuleLevel], rule: Rule, at: dt.datetime) -> DecisionTrace:
    """Follow the decision about a subject through the levels, of which `rule` is the effective one."""
    decision = decide(subject, rule, at)
    first = first_that_counts(levels)
    labelled = max((n for n, level in enumerate(levels) if level.own.label is not None), default=None)
    # A grant that stands in several places is told of the innermost one.
    deciding = max(
        (n for n, level in enumerate(levels) if n >= first and decision.grant in level.own.grants), default=-1
    )

    def grants(number: int) -> Iterable[GrantTrace]:
        for grant in sorted(levels[number].own.grants, key=lambda g: str(g.to_json())):
            principal, names = grant.principal, subject.is_named_by(grant.principal)
            role = principal.id if names and principal.kind == "role" else None
            decided = number == deciding and grant == decision.grant
            yield GrantTrace(grant, names, role, grant.in_time(at), decided)

    traced = (
        LevelTrace(level, counts=n >= first, labels=n == labelled, grants=tuple(grants(n)))
        for n, level in enumerate(levels)
    )
    return DecisionTrace(decision.allowed, decision.reason, rule.label, subject.clearance, tuple(traced))


def first_that_counts(levels: Sequence[RuleLevel]) -> int:
    """The number of the innermost level that breaks with those above it: what lies further out does not count."""
    return max((n for n, level in enumerate(levels) if not level.own.inherits), default=0)


def principals(levels: Iterable[RuleLevel]) -> set[Principal]:
    """Everybody whom a grant of these levels names."""
    return {grant.principal for level in levels for grant in level.own.grants}
