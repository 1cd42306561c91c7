"""Steps of plans, from names as people write them: for every surface that lets somebody foresee a change."""

from sqlalchemy.orm import Session

from app.admin.changes import ClearanceStep, GroupStep, MemberStep, NestingStep
from app.identity.names import find_person, find_role
from app.identity.stewards import find_stewarded
from app.identity.subject import Capability, Label, Subject, require_capability


def member_step(session: Session, subject: Subject, role: str, user: str, *, present: bool) -> MemberStep:
    """A person comes into a role or leaves it. Raises NotFound, or BeyondReach for a role that is not theirs to change.

    The role is looked for first: who may change no members is not told who is there.
    """
    found = find_stewarded(session, subject, role)
    return MemberStep(find_person(session, user).id, found.id, present)


def nesting_step(session: Session, subject: Subject, role: str, inside: str, *, present: bool) -> NestingStep:
    """A role comes to lie inside another, or no longer does (administer). Raises NotFound."""
    require_capability(subject, Capability.ADMINISTER)
    return NestingStep(find_role(session, role).id, find_role(session, inside).id, present)


def clearance_step(session: Session, subject: Subject, user: str, clearance: Label) -> ClearanceStep:
    """A person gets another clearance (administer). Raises NotFound."""
    require_capability(subject, Capability.ADMINISTER)
    return ClearanceStep(find_person(session, user).id, clearance)


def group_step(session: Session, subject: Subject, role: str, group: str | None) -> GroupStep:
    """A role comes to stand for another group of its source, or for none (administer). Raises NotFound."""
    require_capability(subject, Capability.ADMINISTER)
    return GroupStep(find_role(session, role).id, group)
