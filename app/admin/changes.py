"""One step of a plan: a rule replaced, a member in or out, a role inside another or not, its group, a clearance set.

Each performs the same function of `app.admin` as the single change does, and so leaves the same record. Steps name
everything by id, so that a name given anew in between cannot turn them.
"""

import uuid
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.placement import lock_document
from app.acl.rule_changes import Change
from app.acl.rules import Grant, OwnRule
from app.admin.claimed_roles import claimants, map_group
from app.admin.roles import add_member, nest, remove_member, unnest
from app.admin.rules import drop_folder_rule, set_document_rule, set_rule
from app.admin.users import UserChange, change_user
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder
from app.db.tables.people import Membership, Role, User
from app.errors import BeyondReach, NotFound, PlanStale
from app.identity.nesting import members_of
from app.identity.subject import Label, Subject, may_edit_rules
from app.paths import folder_path

Named = TypeVar("Named", Role, User)


@dataclass(frozen=True)
class StepResult:
    """A step that was performed: what was before, and for rules the whole change."""

    step: "PlanStep"
    before: Any
    change: Change | None = None


class PlanStep(Protocol):
    """What all steps can do. `collection` is set for those that change a rule."""

    @property
    def collection(self) -> uuid.UUID | None:
        """Whose rule it changes."""

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""

    def people(self, session: Session) -> frozenset[uuid.UUID]:
        """Whose reading it may change, where it changes no rule."""

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        """Make it, with the subject's rights. Raises BeyondReach, or NotFound for what is gone."""


@dataclass(frozen=True)
class RuleStep:
    """A collection, a folder or a document gets another rule; `rule` None takes a folder's away."""

    collection: uuid.UUID
    folder: str | None
    document: uuid.UUID | None
    rule: OwnRule | None

    def to_json(self) -> dict[str, Any]:
        return {
            "op": "rule",
            "collection": str(self.collection),
            "folder": self.folder,
            "document": None if self.document is None else str(self.document),
            "rule": None if self.rule is None else self.rule.to_json(),
        }

    def people(self, _session: Session) -> frozenset[uuid.UUID]:
        return frozenset()

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        if not may_edit_rules(subject, self.collection):
            raise BeyondReach("The rules of this collection are for administrators and its curators.")
        collection = session.get(Collection, self.collection)
        if collection is None:
            raise NotFound
        change = self._change(session, subject, collection)
        return StepResult(self, change.before.to_json(), change)

    def _change(self, session: WriteSession, subject: Subject, collection: Collection) -> Change:
        if self.document is not None:
            place = lock_document(session, subject, self.document)
            return set_document_rule(session, subject, place, self.rule or OwnRule())
        if self.rule is None and self.folder is not None:
            return drop_folder_rule(session, subject, collection, self.folder)
        return set_rule(session, subject, collection, self.rule or OwnRule(), folder=self.folder)


@dataclass(frozen=True)
class GrantStep:
    """One grant comes into the rule of a collection, a folder or a document, or goes out of it."""

    collection: uuid.UUID
    folder: str | None
    document: uuid.UUID | None
    grant: Grant
    present: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "op": "grant",
            "collection": str(self.collection),
            "folder": self.folder,
            "document": None if self.document is None else str(self.document),
            "grant": self.grant.to_json(),
            "present": self.present,
        }

    def people(self, _session: Session) -> frozenset[uuid.UUID]:
        return frozenset()

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        own = self._own(session, subject)
        granted = own.grants | {self.grant} if self.present else own.grants - {self.grant}
        step = RuleStep(self.collection, self.folder, self.document, replace(own, grants=granted))
        return step.perform(session, subject)

    def _own(self, session: WriteSession, subject: Subject) -> OwnRule:
        """What stands now; a folder without a rule says nothing, and gets its first one."""
        if self.document is not None:
            return lock_document(session, subject, self.document).own
        table = (Collection.own_rule, Collection.id == self.collection)
        if self.folder is not None:
            table = (Folder.own_rule, (Folder.collection_id == self.collection) & (Folder.path == self.folder))
        stored = session.scalar(select(table[0]).where(table[1]))
        return OwnRule() if stored is None else OwnRule.from_json(stored)


@dataclass(frozen=True)
class MemberStep:
    """A user comes into a role, or leaves it."""

    user: uuid.UUID
    role: uuid.UUID
    present: bool
    collection: None = None

    def to_json(self) -> dict[str, Any]:
        return {"op": "member", "user": str(self.user), "role": str(self.role), "present": self.present}

    def people(self, _session: Session) -> frozenset[uuid.UUID]:
        return frozenset({self.user})

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        role, user = _still(session, Role, self.role), _still(session, User, self.user)
        here = (Membership.user_id == self.user) & (Membership.role_id == self.role) & Membership.current()
        before = session.scalar(select(Membership.user_id).where(here)) is not None
        (add_member if self.present else remove_member)(session, subject, role, user)
        return StepResult(self, before)


@dataclass(frozen=True)
class NestingStep:
    """A role comes to lie inside another, or no longer does."""

    role: uuid.UUID
    inside: uuid.UUID
    present: bool
    collection: None = None

    def to_json(self) -> dict[str, Any]:
        return {"op": "nesting", "role": str(self.role), "inside": str(self.inside), "present": self.present}

    def people(self, session: Session) -> frozenset[uuid.UUID]:
        return members_of(session, [self.role])

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        role, inside = _still(session, Role, self.role), _still(session, Role, self.inside)
        (nest if self.present else unnest)(session, subject, role, inside)
        return StepResult(self, None)


@dataclass(frozen=True)
class ClearanceStep:
    """A user gets another clearance."""

    user: uuid.UUID
    clearance: Label
    collection: None = None

    def to_json(self) -> dict[str, Any]:
        return {"op": "clearance", "user": str(self.user), "clearance": self.clearance.text}

    def people(self, _session: Session) -> frozenset[uuid.UUID]:
        return frozenset({self.user})

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        user = _still(session, User, self.user)
        before = Label(user.clearance).text
        change_user(session, subject, user, UserChange(clearance=self.clearance))
        return StepResult(self, before)


@dataclass(frozen=True)
class GroupStep:
    """A role comes to stand for another group of its source, or for none: who is in it follows from claims."""

    role: uuid.UUID
    group: str | None
    collection: None = None

    def to_json(self) -> dict[str, Any]:
        return {"op": "group", "role": str(self.role), "group": self.group}

    def people(self, session: Session) -> frozenset[uuid.UUID]:
        role = _still(session, Role, self.role)
        return members_of(session, [role.id]) | claimants(session, role.source, self.group)

    def perform(self, session: WriteSession, subject: Subject, /) -> StepResult:
        role = _still(session, Role, self.role)
        before = role.external_id
        map_group(session, subject, role, self.group)
        return StepResult(self, before)


def _still(session: Session, table: type[Named], key: uuid.UUID) -> Named:
    """The role or user of a step; raises PlanStale if it was deleted since the plan was made."""
    found = session.get(table, key)
    if found is None:
        raise PlanStale("A role or user of this plan is gone. Nothing was applied. Make the plan again and look at it.")
    return found


def from_json(value: dict[str, Any]) -> PlanStep:
    """The inverse of `to_json`; raises KeyError or ValueError on anything else."""
    op: Literal["rule", "grant", "member", "nesting", "clearance", "group"] = value["op"]
    match op:
        case "grant":
            return GrantStep(*_place(value), Grant.from_json(value["grant"]), bool(value["present"]))
        case "rule":
            rule = value["rule"]
            return RuleStep(*_place(value), None if rule is None else OwnRule.from_json(rule))
        case "member":
            return MemberStep(uuid.UUID(value["user"]), uuid.UUID(value["role"]), bool(value["present"]))
        case "nesting":
            return NestingStep(uuid.UUID(value["role"]), uuid.UUID(value["inside"]), bool(value["present"]))
        case "clearance":
            return ClearanceStep(uuid.UUID(value["user"]), Label.parse(value["clearance"]))
        case "group":
            return GroupStep(uuid.UUID(value["role"]), value["group"])


def _place(value: dict[str, Any]) -> tuple[uuid.UUID, str | None, uuid.UUID | None]:
    """Collection, folder and document. A plan that was made before there was a normal form says another folder now, and
    is refused as stale.
    """
    folder, document = value["folder"], value["document"]
    return (
        uuid.UUID(value["collection"]),
        None if folder is None else folder_path(folder),
        None if document is None else uuid.UUID(document),
    )
