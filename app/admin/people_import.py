"""A list of people held against who is here: looked at first, and then applied by the fingerprint of what was seen.

An administrator's word: it sets clearances and capabilities too, and who is switched off by it stays so whatever their
source says. Roles that end by themselves, and those of a source that a service keeps, are the source's, not the list's.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.acl.change_guard import guard_change
from app.acl.effects import Effects, PersonEffect, effects_of
from app.admin.people_difference import PeopleDifference
from app.admin.people_list import parse_list
from app.admin.people_resolve import ListResolution, resolve
from app.admin.people_sync import apply_difference, is_large
from app.admin.rules import editable_collections
from app.admin.source_state import PersonRow
from app.audit.encryption import Sealer
from app.db.session import WriteSession
from app.errors import Conflict, InvalidInput, PlanStale, SelfGrant
from app.identity.subject import Capability, Subject, require_capability

# A file with more mistakes than this has one that all of them come from.
MAX_MISTAKES = 1_000
SHOWN_FIELDS = ("name", "display_name", "external_id", "clearance", "capabilities", "active")


@dataclass(frozen=True)
class ImportedPerson:
    """What a list does to one person. `line` None: they are not in it. `changes`: each field before and after."""

    user: str
    line: int | None
    what: str
    changes: dict[str, tuple[object, object]]
    joins: list[str]
    leaves: list[str]
    effect: PersonEffect


@dataclass(frozen=True)
class ImportPlan:
    """What a list would do, or did. `large`: more than a fifth of the source would be switched off as missing."""

    fingerprint: str
    people: list[ImportedPerson]
    listed: int
    missing: int
    active: int
    large: bool


def look_at_list(session: WriteSession, subject: Subject, content: bytes, *, complete: str | None) -> ImportPlan:
    """What `apply_list` would do, found out by doing it and rolling it back. Raises what that would."""
    require_capability(subject, Capability.ADMINISTER)
    guard = guard_change(session, subject)
    with session.begin_nested() as trial:
        plan = _make(session, subject, None, content, complete)
        # Nothing of the trial is left to check at the end: what could not be applied is refused here.
        guard()
        trial.rollback()
    return plan


def apply_list(  # noqa: PLR0913  # the list, and what was seen and allowed
    session: WriteSession,
    subject: Subject,
    sealer: Sealer,
    content: bytes,
    *,
    complete: str | None,
    fingerprint: str,
    allow_large_removal: bool,
) -> ImportPlan:
    """Make people as the list has them, whole or not at all.

    Raises InvalidInput that names every mistake, PlanStale unless this is what `look_at_list` showed, Conflict for too
    many who are missing, SelfGrant where the administrator would gain.
    """
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    plan = _make(session, subject, sealer, content, complete)
    if plan.fingerprint != fingerprint:
        raise PlanStale(
            "Since you looked, the list, people or rules have changed, and it would do something else now. Nothing was "
            "applied. Look again."
        )
    if plan.large and not allow_large_removal:
        raise Conflict(
            f"{plan.missing} of {plan.active} people of '{complete}' are missing from the list and would be switched "
            "off, more than a fifth. Nothing was applied. If the list is the right one and whole, say so with "
            "allow_large_removal (--allow-large-removal)."
        )
    return plan


def _make(
    session: WriteSession, subject: Subject, sealer: Sealer | None, content: bytes, complete: str | None
) -> ImportPlan:
    listed = parse_list(content)
    found = resolve(session, listed, complete)
    _refuse_mistakes(found)
    difference = found.difference
    if any(after.id == subject.user_id for after in difference.switched_off):
        raise SelfGrant("You cannot switch yourself off: put your own row into the list, or ask another administrator.")
    people = frozenset(after.id for _, after in difference.people) | {
        user for user, _ in (*difference.joins, *difference.leaves)
    }
    effects = _effects(session, subject, sealer, difference, people)
    large = is_large(len(found.missing), found.active)
    return ImportPlan(
        fingerprint=_fingerprint(found, effects, complete),
        people=_views(found, effects, people),
        listed=len(listed.people),
        missing=len(found.missing),
        active=found.active,
        large=large,
    )


def _effects(
    session: WriteSession,
    subject: Subject,
    sealer: Sealer | None,
    difference: PeopleDifference,
    people: frozenset[uuid.UUID],
) -> Effects:
    if difference.is_empty:
        return Effects({}, 0)
    collections = {collection.id for collection in editable_collections(session, subject)}
    effects, _ = effects_of(
        session,
        collections,
        people,
        lambda: apply_difference(session, subject, sealer, difference, ends_at=None),
        standing=True,
    )
    return effects


def _refuse_mistakes(found: ListResolution) -> None:
    """Raise InvalidInput naming every mistake."""
    if not (number := len(found.mistakes)):
        return
    lines = [str(mistake) for mistake in found.mistakes[:MAX_MISTAKES]]
    more = [f"and {number - MAX_MISTAKES} more"] if number > MAX_MISTAKES else []
    count = "one mistake" if number == 1 else f"{number} mistakes"
    raise InvalidInput("\n".join([f"the list has {count}, so nothing was applied", *lines, *more]))


def _fingerprint(found: ListResolution, effects: Effects, complete: str | None) -> str:
    """What would be changed, from what and with which effect; who is new is known by name."""
    new = {after.id for after in found.difference.made}

    def key(user: uuid.UUID) -> str:
        return f"new {found.names[user]}" if user in new else str(user)

    by_person = effects.to_json()["people"]
    value = {
        "complete": complete,
        "people": sorted(
            [
                key(after.id),
                None if before is None else [before.state, before.held],
                [after.state, after.held],
            ]
            for before, after in found.difference.people
        ),
        "joins": sorted([key(user), str(role)] for user, role in found.difference.joins),
        "leaves": sorted([key(user), str(role)] for user, role in found.difference.leaves),
        "effects": {key(uuid.UUID(user)): effect for user, effect in by_person.items()},
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _views(found: ListResolution, effects: Effects, people: frozenset[uuid.UUID]) -> list[ImportedPerson]:
    """All whom the list changes: in its order, then those who are missing from it."""
    pairs = {after.id: (before, after) for before, after in found.difference.people}
    joins, leaves = _roles_by_person(found, "joins"), _roles_by_person(found, "leaves")
    last = max(found.lines.values(), default=0) + 1
    return [
        ImportedPerson(
            user=found.names[user],
            line=found.lines.get(user),
            what=_what(*pairs[user]) if user in pairs else "changed",
            changes=_changes(*pairs[user]) if user in pairs else {},
            joins=joins.get(user, []),
            leaves=leaves.get(user, []),
            effect=effects.people.get(user, PersonEffect()),
        )
        for user in sorted(people, key=lambda user: (found.lines.get(user, last), found.names[user]))
    ]


def _roles_by_person(found: ListResolution, which: str) -> dict[uuid.UUID, list[str]]:
    pairs: Sequence[tuple[uuid.UUID, uuid.UUID]] = sorted(getattr(found.difference, which))
    names: dict[uuid.UUID, list[str]] = {}
    for user, role in pairs:
        names.setdefault(user, []).append(found.names[role])
    return {user: sorted(roles) for user, roles in names.items()}


def _what(before: PersonRow | None, after: PersonRow) -> str:
    if before is None:
        return "made"
    if before.active != after.active:
        return "on" if after.active else "off"
    return "changed"


def _changes(before: PersonRow | None, after: PersonRow) -> dict[str, tuple[object, object]]:
    """Each field that a list can change, where it does, before and after."""
    now = after.state
    was = dict.fromkeys(SHOWN_FIELDS) if before is None else before.state
    return {name: (was[name], now[name]) for name in SHOWN_FIELDS if was[name] != now[name]}
