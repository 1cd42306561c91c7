"""The records of what became of a user: what they may do in the clear, what they are called sealed under their own key.

Whoever destroys that key has erased the names of a person from all records, and every hash still holds. A service is no
person: what it is called stands in the clear.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from app.audit.events.base import Actor, SealedText
from app.audit.events.directory import UserChanged, UserCreated, UserRemoved
from app.db.tables.people import User
from app.evidence.merkle import canonical
from app.identity.subject import Label

# Of a state, as `user_state` gives it.
NAMES = ("display_name", "external_id", "name")


def user_state(user: User) -> dict[str, Any]:
    """A user as they are now, names included."""
    return {
        "active": user.active,
        "capabilities": sorted(user.capabilities),
        "clearance": Label(user.clearance).text,
        "display_name": user.display_name,
        "external_id": user.external_id,
        "kind": user.kind,
        "name": user.shown,
    }


def user_created(who: Actor, user: uuid.UUID, after: Mapping[str, Any]) -> UserCreated:
    """Somebody came; `after` is their state."""
    return UserCreated(actor=who, user=user, after=_shown(after), names=_names(user, after=after))


def user_changed(who: Actor, user: uuid.UUID, before: Mapping[str, Any], after: Mapping[str, Any]) -> UserChanged:
    """Somebody changed from one state to another. Their names are recorded where these changed."""
    renamed = any(before[name] != after[name] for name in NAMES)
    names = _names(user, before=before, after=after) if renamed else None
    return UserChanged(actor=who, user=user, before=_shown(before), after=_shown(after), names=names)


def user_removed(who: Actor, user: uuid.UUID, before: Mapping[str, Any]) -> UserRemoved:
    """Somebody went; `before` is the state that they had."""
    return UserRemoved(actor=who, user=user, before=_shown(before), names=_names(user, before=before))


def _shown(state: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the clear of a state."""
    return {name: value for name, value in state.items() if state["kind"] == "service" or name not in NAMES}


def _names(user: uuid.UUID, **states: Mapping[str, Any]) -> SealedText | None:
    """The names of a person, as JSON: `{"after": {"display_name", "external_id", "name"}}`, and `before` likewise."""
    if any(state["kind"] == "service" for state in states.values()):
        return None
    named = {when: {name: state[name] for name in NAMES} for when, state in states.items()}
    return SealedText(canonical(named), person=user)
