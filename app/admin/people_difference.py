"""How a source's directory differs from what stands here: pure, so that it can be looked at before anything is written.

People and groups are known by what the source calls them for ever (`external_id`), never by a name: whoever is renamed
stays who they are, and a namesake of another source is somebody else.
"""

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.admin.provisioning import PersonDetails, free_among, is_named
from app.admin.source_state import MemberPair, NestingPair, PersonRow, RoleRow
from app.db.tables.people import Role, User


@dataclass(frozen=True)
class WantedGroup:
    """A group as its source has it: people and groups directly in it, by their external ids."""

    external_id: str
    name: str
    members: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WantedDirectory:
    """All people and groups of a source. `groups` None: it says nothing of groups, so that these stay."""

    source: str
    people: Sequence[PersonDetails]
    groups: Sequence[WantedGroup] | None = None


@dataclass(frozen=True)
class StandingDirectory:
    """What stands of a source. `members`: until when, None for always; `others`: nesting that is not the source's."""

    people: Sequence[PersonRow]
    roles: Sequence[RoleRow]
    members: Mapping[MemberPair, dt.datetime | None]
    nested: AbstractSet[NestingPair]
    others: AbstractSet[NestingPair]
    now: dt.datetime


@dataclass(frozen=True)
class PeopleDifference:
    """What has to be written. People and roles are pairs of before and after; before is None for a new one.

    `notes` say what is left out, and why.
    """

    people: tuple[tuple[PersonRow | None, PersonRow], ...] = ()
    roles: tuple[tuple[RoleRow | None, RoleRow], ...] = ()
    joins: frozenset[MemberPair] = frozenset()
    leaves: frozenset[MemberPair] = frozenset()
    nests: frozenset[NestingPair] = frozenset()
    unnests: frozenset[NestingPair] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def made(self) -> list[PersonRow]:
        """Who is new."""
        return [after for before, after in self.people if before is None]

    @property
    def switched_off(self) -> list[PersonRow]:
        """Who could sign in and no longer can."""
        return [after for before, after in self.people if before is not None and before.active and not after.active]

    @property
    def switched_on(self) -> list[PersonRow]:
        """Who could not sign in and now can."""
        return [after for before, after in self.people if before is not None and after.active and not before.active]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.people or self.roles or self.joins or self.leaves or self.nests or self.unnests)


def directory_difference(standing: StandingDirectory, wanted: WantedDirectory) -> PeopleDifference:
    """What makes the source here as its directory has it.

    Who is not in it any more is switched off and leaves its roles; a group that is not is emptied. Both keep their row
    and id: if they come back, they are who they were. Whom an administrator holds stays off, who is gone for good stays
    gone, and an edge that would close a circle of groups is left out: each with a note.
    """
    notes: list[str] = []
    people, by_external = _people(standing, wanted, notes)
    if wanted.groups is None:
        return PeopleDifference(people, notes=tuple(notes))
    roles, role_of = _roles(standing, wanted)
    members = {
        (by_external[member], role_of[group.external_id])
        for group in wanted.groups
        for member in group.members
        if member in by_external
    }
    current = {pair for pair, ends_at in standing.members.items() if ends_at is None or ends_at > standing.now}
    edges = {
        (role_of[inner], role_of[group.external_id])
        for group in wanted.groups
        for inner in group.inner
        if inner in role_of
    }
    shown = {row.id: row.shown for row in standing.roles} | {after.id: after.shown for _, after in roles}
    nested = _without_circles(edges, standing, shown, notes)
    return PeopleDifference(
        people=people,
        roles=roles,
        joins=frozenset(members - current),
        leaves=frozenset(set(standing.members) - members),
        nests=frozenset(nested - standing.nested),
        unnests=frozenset(standing.nested - nested),
        notes=tuple(notes),
    )


def _people(
    standing: StandingDirectory, wanted: WantedDirectory, notes: list[str]
) -> tuple[tuple[tuple[PersonRow | None, PersonRow], ...], dict[str, uuid.UUID]]:
    """The changes of people, and the ids of all whom the directory names: of active ones alone, who may be in roles."""
    known = {p.external_id: p for p in standing.people if p.external_id is not None and p.kind == "person"}
    taken = {p.name for p in standing.people}
    changes: list[tuple[PersonRow | None, PersonRow]] = []
    ids: dict[str, uuid.UUID] = {}
    seen: set[str] = set()
    for details in wanted.people:
        if details.external_id is None or details.external_id in seen:
            notes.append(f"'{details.name}' is left out: its id is missing or another entry's.")
            continue
        seen.add(details.external_id)
        before = known.get(details.external_id)
        after = _person(before, details, wanted.source, taken, notes)
        if after is None:
            continue
        taken.add(after.name)
        if after.active:
            ids[details.external_id] = after.id
        if after != before:
            changes.append((before, after))
    for person in standing.people:
        gone = person.kind == "person" and not person.deleted and person.external_id not in seen
        if gone and person.active:
            changes.append((person, dataclasses.replace(person, active=False)))
    return tuple(changes), ids


def _person(
    before: PersonRow | None, details: PersonDetails, source: str, taken: AbstractSet[str], notes: list[str]
) -> PersonRow | None:
    display_name = details.display_name or details.name
    if before is None:
        if not details.active:
            return None  # switched off before they ever were here
        name = free_among(User, taken, details.name)
        return PersonRow(uuid.uuid4(), source, name, display_name, details.external_id)
    if details.active and before.held:
        notes.append(f"'{before.shown}' stays off: an administrator switched them off.")
    return dataclasses.replace(
        before,
        name=before.name if is_named(before.name, details.name) else free_among(User, taken, details.name),
        display_name=display_name,
        active=details.active and not before.held,
    )


def _roles(
    standing: StandingDirectory, wanted: WantedDirectory
) -> tuple[tuple[tuple[RoleRow | None, RoleRow], ...], dict[str, uuid.UUID]]:
    known = {role.external_id: role for role in standing.roles if role.external_id is not None}
    taken = {role.name for role in standing.roles}
    changes: list[tuple[RoleRow | None, RoleRow]] = []
    ids: dict[str, uuid.UUID] = {}
    for group in wanted.groups or ():
        before = known.get(group.external_id)
        if group.external_id in ids:
            continue
        if before is not None and is_named(before.name, group.name):
            ids[group.external_id] = before.id
            continue
        name = free_among(Role, taken, group.name)
        taken.add(name)
        role_id = uuid.uuid4() if before is None else before.id
        after = RoleRow(role_id, wanted.source, name, group.external_id)
        changes.append((before, after))
        ids[group.external_id] = after.id
    return tuple(changes), ids


def _without_circles(
    edges: AbstractSet[NestingPair], standing: StandingDirectory, shown: Mapping[uuid.UUID, str], notes: list[str]
) -> set[NestingPair]:
    """Those edges that close no circle, one after the other: first those that stand, then by name."""
    outer_of: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for inner, outer in standing.others:
        outer_of[inner].add(outer)
    accepted: set[NestingPair] = set()

    def order(edge: NestingPair) -> tuple[bool, str, str]:
        return edge not in standing.nested, shown[edge[0]], shown[edge[1]]

    for inner, outer in sorted(edges, key=order):
        if inner in _around(outer, outer_of):
            notes.append(
                f"'{shown[inner]}' is not put inside '{shown[outer]}': that would close a circle of groups. Mend it in "
                "the directory."
            )
            continue
        outer_of[inner].add(outer)
        accepted.add((inner, outer))
    return accepted


def _around(role: uuid.UUID, outer_of: Mapping[uuid.UUID, Iterable[uuid.UUID]]) -> set[uuid.UUID]:
    """The role and all that it lies inside of."""
    found, left = {role}, [role]
    while left:
        new = set(outer_of.get(left.pop(), ())) - found
        found |= new
        left.extend(new)
    return found
