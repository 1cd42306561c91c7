"""Many people, roles and memberships written at once: what lists and directories change, whole or not at all.

Each kind of row takes one statement, however many there are, and each change leaves the record that the single use
cases leave (`app.admin.provisioning`). What is allowed is what these allow: the database holds a provisioning service
to its own source, and `require_keeper` says so in words.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from app.acl.change_guard import guard_change
from app.admin.audit_records import policy_epoch
from app.admin.people_difference import PeopleDifference, StandingDirectory, WantedDirectory, directory_difference
from app.admin.people_rows import confirm_members, directly_around, write_rows
from app.admin.provisioning import require_keeper
from app.admin.source_state import memberships_of, moment, nesting_of, roles_in, users_of
from app.admin.user_records import user_changed, user_created
from app.audit.actor import actor
from app.audit.encryption import Sealer
from app.audit.events.base import Event
from app.audit.events.directory import RoleChanged, RoleCreated, RoleJoined, RoleLeft
from app.audit.log import record_all
from app.db.session import WriteSession
from app.errors import Conflict
from app.identity.subject import Subject

# The share beyond which a loss has to be asked for in so many words, and how few losses are nobody's mistake.
LARGE_SHARE = 5
FEW = 3


@dataclass(frozen=True)
class DirectorySynced:
    """What a sync changed, and until when the roles that the source gives count now."""

    difference: PeopleDifference
    until: dt.datetime
    confirmed: bool


def sync_directory(  # noqa: PLR0913  # who, with what, what is wanted, and the two bounds
    session: WriteSession,
    subject: Subject,
    sealer: Sealer,
    wanted: WantedDirectory,
    *,
    bound: dt.timedelta,
    held_until: dt.datetime | None,
    confirms: bool = True,
    allow_large_removal: bool = False,
) -> DirectorySynced:
    """Make a source as its directory has it, and let its roles count for `bound` from now on, unless it is silent.

    `held_until`: until when they count so far; moved only when less than half of the bound is left, so that a sync that
    changes nothing writes nothing. Not `confirms`: the directory was not read as a whole, and what is gone from it was
    not seen. Raises Conflict for a loss that is too large to be believed, unless it is asked for.
    """
    require_keeper(subject, wanted.source)
    guard_change(session, subject)
    standing = standing_of(session, wanted.source)
    difference = directory_difference(standing, wanted)
    if not allow_large_removal:
        refuse_large_loss(standing, difference)
    fresh = held_until is not None and held_until - standing.now > bound / 2
    renewed = confirms and not fresh
    until = standing.now + bound if renewed or held_until is None else held_until
    apply_difference(session, subject, sealer, difference, ends_at=until)
    if renewed and wanted.groups is not None:
        confirm_members(session, wanted.source, until)
    return DirectorySynced(difference, until, renewed)


def standing_of(session: WriteSession, source: str) -> StandingDirectory:
    """What stands of a source."""
    people, roles = users_of(session, [source]), roles_in(session, source)
    members = memberships_of(session, [person.id for person in people], [role.id for role in roles])
    own, others = nesting_of(session, source)
    return StandingDirectory(people, roles, members, own, others, moment(session))


def refuse_large_loss(standing: StandingDirectory, difference: PeopleDifference) -> None:
    """Raise Conflict where a directory suddenly knows far fewer people or memberships: most likely it is broken.

    What stands then stays, until its roles end by themselves.
    """
    active = [person for person in standing.people if person.active and person.kind == "person"]
    current = [pair for pair, end in standing.members.items() if end is None or end > standing.now]
    losses = (
        ("people would be switched off", len(difference.switched_off), len(active)),
        ("memberships would end", len(difference.leaves & set(current)), len(current)),
    )
    for what, lost, had in losses:
        if is_large(lost, had) and (lost > FEW or lost == had):
            raise Conflict(
                f"{lost} of {had} {what}, more than a fifth. Nothing was changed. If the directory is right, say so "
                "with 'clearance people sync --apply --allow-large-removal'."
            )


def is_large(lost: int, had: int) -> bool:
    """Whether more than a fifth is lost."""
    return LARGE_SHARE * lost > had


def apply_difference(
    session: WriteSession,
    subject: Subject,
    sealer: Sealer | None,
    difference: PeopleDifference,
    *,
    ends_at: dt.datetime | None,
) -> None:
    """Write a difference, with its records and the keys of who is new. Without a sealer: a trial, to be rolled back,
    which leaves both out.

    Raises BeyondReach if the database let a row of it stay as it was.
    """
    guard_change(session, subject)
    if difference.is_empty:
        return
    around = _around(session, difference)
    write_rows(session, difference, ends_at=ends_at)
    if sealer is not None:
        sealer.make_keys(session, [person.id for person in difference.made])
        record_all(session, list(_events(session, subject, difference, around)))


def _around(session: WriteSession, difference: PeopleDifference) -> dict[uuid.UUID, list[str]]:
    """What lies directly around the roles whose nesting changes, as it stands now."""
    inner = {role for role, _ in (*difference.nests, *difference.unnests)}
    return directly_around(session, inner) if inner else {}


def _events(
    session: WriteSession, subject: Subject, difference: PeopleDifference, around: dict[uuid.UUID, list[str]]
) -> Iterator[Event]:
    who, epoch = actor(subject), policy_epoch(session)
    for person, after in difference.people:
        if person is None:
            yield user_created(who, after.id, after.state)
        else:
            yield user_changed(who, after.id, person.state, after.state)
    for role, now in difference.roles:
        if role is None:
            yield RoleCreated(actor=who, role=now.id, name=now.shown)
        else:
            before = {"external_id": role.external_id, "name": role.shown}
            state = {"external_id": now.external_id, "name": now.shown}
            yield RoleChanged(actor=who, role=now.id, before=before, after=state)
    yield from _nesting_events(session, subject, around)
    for user, role_id in sorted(difference.leaves):
        yield RoleLeft(actor=who, role=role_id, user=user, epoch=epoch)
    for user, role_id in sorted(difference.joins):
        yield RoleJoined(actor=who, role=role_id, user=user, epoch=epoch)


def _nesting_events(session: WriteSession, subject: Subject, around: dict[uuid.UUID, list[str]]) -> Iterator[Event]:
    """One for each role whose place among others changed."""
    if not around:
        return
    now = directly_around(session, set(around))
    names = {role.id: role.shown for role in roles_in(session)}
    for role_id in sorted(around):
        name = names[role_id]
        before, after = {"inside": around[role_id], "name": name}, {"inside": now[role_id], "name": name}
        yield RoleChanged(actor=actor(subject), role=role_id, before=before, after=after)
