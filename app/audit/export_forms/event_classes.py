"""What each kind of record is to a system that collects security events: the class and activity of OCSF, and how
severe it is. CEF takes the severity from here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.export_forms.row import PRUNED, UNREADABLE


@dataclass(frozen=True, eq=False)
class OcsfClass:
    """A class of OCSF, with its category and the names of its activities that we use."""

    uid: int
    name: str
    category_uid: int
    category: str
    activities: Mapping[int, str]


@dataclass(frozen=True)
class EventClass:
    """What a kind of record is: `failure` where something was refused, or could not be done."""

    ocsf: OcsfClass
    activity: int
    severity: int
    failure: bool = False


_IAM = "Identity & Access Management"
API_ACTIVITY = OcsfClass(
    6003, "API Activity", 6, "Application Activity", {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 99: "Other"}
)
AUTHENTICATION = OcsfClass(3002, "Authentication", 3, _IAM, {1: "Logon", 2: "Logoff"})
ACCOUNT_CHANGE = OcsfClass(3001, "Account Change", 3, _IAM, {1: "Create", 6: "Delete", 99: "Other"})
GROUP_MANAGEMENT = OcsfClass(
    3006, "Group Management", 3, _IAM, {3: "Add User", 4: "Remove User", 5: "Delete", 6: "Create", 99: "Other"}
)
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
# Severities of OCSF, and beside each the one of CEF, from 0 to 10.
INFORMATIONAL, LOW, MEDIUM, HIGH = 1, 2, 3, 4
CEF_SEVERITY = {INFORMATIONAL: 1, LOW: 3, MEDIUM: 5, HIGH: 8}

_CREATED, _READ, _UPDATED, _DELETED, _OTHER = (
    EventClass(API_ACTIVITY, activity, INFORMATIONAL) for activity in (CREATE, READ, UPDATE, DELETE, OTHER)
)
# A change to who may do or read what.
_GRANTED, _REGRANTED, _REVOKED = (EventClass(API_ACTIVITY, activity, LOW) for activity in (CREATE, UPDATE, DELETE))

EVENT_CLASSES: Mapping[str, EventClass] = {
    "answer.opened": _READ,
    "answer.closed": _OTHER,
    "answer.feedback": _CREATED,
    "search.done": _READ,
    "conversation.read": _READ,
    "conversation.deleted": _DELETED,
    "document.opened": _READ,
    "document.downloaded": _READ,
    "document.uploaded": _CREATED,
    "document.indexed": _CREATED,
    "document.failed": EventClass(API_ACTIVITY, CREATE, LOW, failure=True),
    "document.deleted": _DELETED,
    "upload.removed": _DELETED,
    "policy.changed": _REGRANTED,
    "change.refused": EventClass(API_ACTIVITY, UPDATE, MEDIUM, failure=True),
    "signin.refused": EventClass(AUTHENTICATION, 1, MEDIUM, failure=True),
    "session.started": EventClass(AUTHENTICATION, 1, INFORMATIONAL),
    "session.ended": EventClass(AUTHENTICATION, 2, INFORMATIONAL),
    "link.made": _GRANTED,
    "link.revoked": _REVOKED,
    "passkey.made": _GRANTED,
    "passkey.revoked": _REVOKED,
    "plan.made": _CREATED,
    "plan.applied": _REGRANTED,
    "plan.withdrawn": _DELETED,
    "review.opened": _CREATED,
    "review.decided": _UPDATED,
    "review.closed": _UPDATED,
    "key.made": _GRANTED,
    "key.changed": _REGRANTED,
    "key.revoked": _REVOKED,
    "delegation.made": _GRANTED,
    "delegation.revoked": _REVOKED,
    "user.made": EventClass(ACCOUNT_CHANGE, 1, LOW),
    "user.changed": EventClass(ACCOUNT_CHANGE, 99, LOW),
    "user.removed": EventClass(ACCOUNT_CHANGE, 6, LOW),
    "role.made": EventClass(GROUP_MANAGEMENT, 6, LOW),
    "role.changed": EventClass(GROUP_MANAGEMENT, 99, LOW),
    "role.removed": EventClass(GROUP_MANAGEMENT, 5, LOW),
    "role.joined": EventClass(GROUP_MANAGEMENT, 3, LOW),
    "role.left": EventClass(GROUP_MANAGEMENT, 4, LOW),
    "audit.read": _READ,
    "audit.exported": EventClass(API_ACTIVITY, READ, LOW),
    "audit.downloaded": EventClass(API_ACTIVITY, READ, LOW),
    "opening.requested": _GRANTED,
    "opening.decided": _REGRANTED,
    "erasure.requested": _GRANTED,
    "erasure.decided": EventClass(ACCOUNT_CHANGE, 6, MEDIUM),
    "hold.placed": _GRANTED,
    "hold.lifted": _REGRANTED,
    "retention.requested": _GRANTED,
    "retention.decided": _REGRANTED,
    "log.pruned": EventClass(API_ACTIVITY, DELETE, LOW),
    "signingkey.changed": EventClass(API_ACTIVITY, UPDATE, HIGH),
    "delivery.configured": _REGRANTED,
    "delivery.retried": _UPDATED,
    "leaktest.started": _CREATED,
    "leaktest.ended": _UPDATED,
    "guardrail.checked": _OTHER,
    "pseudonym.revealed": EventClass(API_ACTIVITY, READ, LOW),
    "pseudonym.refused": EventClass(API_ACTIVITY, READ, MEDIUM, failure=True),
    UNREADABLE: EventClass(API_ACTIVITY, OTHER, MEDIUM),
    PRUNED: _DELETED,
}


def event_class(kind: str) -> EventClass:
    """What a kind of record is; one that is not in the table, which no service of ours writes, is another activity."""
    return EVENT_CLASSES.get(kind, _OTHER)
