"""The records of a plan's steps: the same that each would leave, were it made by itself."""

from app.acl.steps import ClearanceStep, Done, MemberStep, NestingStep, RuleStep
from app.audit.actor import actor
from app.audit.events import RoleChanged, UserChanged
from app.audit.log import record
from app.db.session import WriteSession
from app.db.tables.access import Collection
from app.identity.subject import Subject
from app.web.policy_log import log_collection, log_document, log_folder, log_member


def log_done(session: WriteSession, subject: Subject, done: Done) -> None:
    """The record of one step."""
    match done.step:
        case RuleStep() as step:
            _log_rule(session, subject, step, done)
        case MemberStep() as step:
            log_member(session, subject, step.user, step.role, present=step.present)
        case NestingStep() as step:
            both = {"inside": str(step.inside)}
            before, after = ({}, both) if step.present else (both, {})
            record(session, RoleChanged(actor=actor(subject), role=step.role, before=before, after=after))
        case ClearanceStep() as step:
            before, after = {"clearance": done.before}, {"clearance": step.clearance.text}
            record(session, UserChanged(actor=actor(subject), user=step.user, before=before, after=after))


def _log_rule(session: WriteSession, subject: Subject, step: RuleStep, done: Done) -> None:
    if done.change is None:
        raise AssertionError("a step that changes a rule says which change it made")
    if step.document is not None:
        log_document(session, subject, step.document, done.change)
        return
    collection = session.get_one(Collection, step.collection)
    if step.folder is None:
        log_collection(session, subject, "collection.ruled", collection, done.change)
    else:
        action = "folder.dropped" if step.rule is None else "folder.ruled"
        log_folder(session, subject, action, collection, step.folder, done.change)
