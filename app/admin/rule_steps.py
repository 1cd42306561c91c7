"""Steps of plans that change one thing about a rule, as a form asks for it: by names, the rest as it stands."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from app.acl.rule_changes import EVERYONE_TAG, role_ids
from app.acl.rules import Effect, Grant, OwnRule
from app.admin.changes import GrantStep, RuleStep
from app.admin.rules import EditableRule, RuleTarget, editable_collection, editable_rule, id_of_grant
from app.db.session import WriteSession
from app.errors import InvalidInput, NotFound
from app.identity.names import person_ids
from app.identity.subject import EVERYONE, Label, Principal, PrincipalKind, Subject


@dataclass(frozen=True)
class NamedGrant:
    """A grant that is to be, with a role or person by name; `name` counts for nothing where everyone is meant."""

    effect: Effect
    kind: PrincipalKind
    name: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None


def grant_step(session: WriteSession, subject: Subject, target: RuleTarget, named: NamedGrant) -> GrantStep:
    """The grant comes into the target's rule; a folder without one gets its first.

    Raises NotFound or NotAllowed for the target, UnknownRole or InvalidInput for a name of nobody.
    """
    place = _place(session, subject, target)
    if named.starts_at and named.ends_at and named.starts_at >= named.ends_at:
        raise InvalidInput("A grant has to start before it ends.")
    grant = Grant(named.effect, _principal(session, named), named.starts_at, named.ends_at)
    return GrantStep(*place, grant, present=True)


def revoke_step(session: WriteSession, subject: Subject, target: RuleTarget, grant_id: str) -> GrantStep:
    """The grant of this id goes out of the target's rule; raises NotFound if it is not in it."""
    rule = editable_rule(session, subject, target)
    grant = next((grant for grant in rule.own.grants if id_of_grant(grant) == grant_id), None)
    if grant is None:
        raise NotFound
    return GrantStep(*_ids(rule, target), grant, present=False)


def terms_step(
    session: WriteSession, subject: Subject, target: RuleTarget, *, label: Label | None, inherits: bool
) -> RuleStep:
    """The target's rule gets another label (None: that of what lies above), and inherits or not; its grants stay."""
    place = _place(session, subject, target)
    own = _standing(session, subject, target)
    is_collection = target.document is None and target.folder is None
    if is_collection:
        return RuleStep(*place, replace(own, label=own.label if label is None else label, inherits=False))
    return RuleStep(*place, replace(own, label=label, inherits=inherits))


def drop_step(session: WriteSession, subject: Subject, target: RuleTarget) -> RuleStep:
    """A folder's rule is taken away: what lies below comes under what lies above. Raises NotFound without one."""
    if target.folder is None:
        raise InvalidInput("Only a folder can be without a rule of its own.")
    return RuleStep(*_ids(editable_rule(session, subject, target), target), None)


def _place(
    session: WriteSession, subject: Subject, target: RuleTarget
) -> tuple[uuid.UUID, str | None, uuid.UUID | None]:
    """The ids by which a step names the target, also a folder that has no rule yet."""
    if target.document is not None:
        return _ids(editable_rule(session, subject, target), target)
    return editable_collection(session, subject, target.collection or "").id, target.folder, None


def _ids(rule: EditableRule, target: RuleTarget) -> tuple[uuid.UUID, str | None, uuid.UUID | None]:
    return rule.collection.id, target.folder, target.document


def _standing(session: WriteSession, subject: Subject, target: RuleTarget) -> OwnRule:
    try:
        return editable_rule(session, subject, target).own
    except NotFound:
        if target.folder is None:
            raise
        return OwnRule()


def _principal(session: WriteSession, named: NamedGrant) -> Principal:
    if named.kind == "user":
        return Principal("user", person_ids(session, [named.name])[named.name])
    if named.kind == "everyone" or named.name == EVERYONE_TAG:
        return EVERYONE
    return Principal("role", role_ids(session, [named.name])[named.name])
