"""The rows of a list held against people and roles that are here: whom they mean, and what they would change."""

import dataclasses
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.rule_store import one_of
from app.admin.people_difference import PeopleDifference
from app.admin.people_list import ListedPerson, ListMistake, PeopleList, quoted
from app.admin.source_state import MemberPair, PersonRow, RoleRow, roles_in, users_of
from app.db.tables.people import Membership, Role, User
from app.identity.names import parse_name


@dataclass
class ListResolution:
    """What a list would change. `lines`: where each person of it stands; `missing`: who is not in it, but should be."""

    difference: PeopleDifference
    lines: dict[uuid.UUID, int]
    names: dict[uuid.UUID, str]
    missing: frozenset[uuid.UUID] = frozenset()
    active: int = 0
    mistakes: list[ListMistake] = field(default_factory=list)


class _PeopleHere:
    """Who and what is here."""

    def __init__(self, session: Session, sources: set[str]) -> None:
        users = users_of(session, sources)
        self.users = users
        self.by_name = {(user.source, user.name): user for user in users}
        self.by_external = {(user.source, user.external_id): user for user in users if user.external_id is not None}
        self.roles = {(role.source, role.name): role for role in roles_in(session)}
        kept = select(User.provisions).where(User.provisions.is_not(None), User.active)
        self.kept = set(session.scalars(kept))

    def memberships(self, session: Session, people: Iterable[uuid.UUID]) -> tuple[set[MemberPair], set[MemberPair]]:
        """Who is in which role now, and those of these that are a list's to end."""
        query = (
            select(Membership.user_id, Membership.role_id, Membership.ends_at, Role.source)
            .join(Role, Role.id == Membership.role_id)
            .where(one_of(Membership.user_id.expression, list(people)), Membership.current())
        )
        current, own = set[MemberPair](), set[MemberPair]()
        for user, role, ends_at, source in session.execute(query):
            current.add((user, role))
            if ends_at is None and source not in self.kept:
                own.add((user, role))
        return current, own


def resolve(session: Session, listed: PeopleList, complete: str | None) -> ListResolution:
    """Whom the rows mean and what they would change; with every mistake of the list, of reading it among them."""
    known = _PeopleHere(session, {person.source for person in listed.people} | ({complete} if complete else set()))
    meant = _meant(known, listed)
    current, own = known.memberships(session, [before.id for _, before in meant if before is not None])
    people: list[tuple[PersonRow | None, PersonRow]] = []
    lines: dict[uuid.UUID, int] = {}
    joins, wanted_roles = set[MemberPair](), dict[uuid.UUID, set[uuid.UUID]]()
    for person, before in meant:
        after = _after(person, before)
        lines[after.id] = person.line
        if before != after:
            people.append((before, after))
        if person.roles is not None:
            roles = _roles(known, listed, person, after, current)
            wanted_roles[after.id] = roles
            joins |= {(after.id, role) for role in roles if (after.id, role) not in current}
    leaves = {(user, role) for user, role in own if user in wanted_roles and role not in wanted_roles[user]}
    missing = _missing(known, complete, lines)
    people += [(person, dataclasses.replace(person, active=False, held=True)) for person in missing]
    names = {user.id: user.shown for user in known.users} | {role.id: role.shown for role in known.roles.values()}
    return ListResolution(
        PeopleDifference(tuple(people), joins=frozenset(joins), leaves=frozenset(leaves)),
        lines,
        names | {after.id: after.shown for _, after in people},
        frozenset(person.id for person in missing),
        sum(user.active and user.kind == "person" for user in known.users if user.source == complete),
        sorted(listed.mistakes),
    )


def _meant(known: _PeopleHere, listed: PeopleList) -> list[tuple[ListedPerson, PersonRow | None]]:
    """Each row with the person whom it means: by the source's own id if it gives one, else by name."""
    meant: list[tuple[ListedPerson, PersonRow | None]] = []
    lines: dict[uuid.UUID, int] = {}
    for person in listed.people:
        named = known.by_name.get((person.source, person.name))
        found = known.by_external.get((person.source, person.external_id or "")) or named
        if found is not None and found.kind != "person":
            listed.wrong(person.line, "name", f"'{found.shown}' is a service, and no person")
        elif found is not None and named is not None and found.id != named.id:
            listed.wrong(person.line, "external_id", f"{quoted(person.external_id or '')} is '{found.shown}'")
        elif found is not None and (first := lines.setdefault(found.id, person.line)) != person.line:
            listed.wrong(person.line, "name", f"'{found.shown}' is meant in line {first} already")
        else:
            meant.append((person, found))
    return meant


def _after(person: ListedPerson, before: PersonRow | None) -> PersonRow:
    row = before or PersonRow(uuid.uuid4(), person.source, person.name, person.display_name or person.name, None)
    changes: dict[str, Any] = {
        "display_name": person.display_name,
        "external_id": person.external_id,
        "clearance": None if person.clearance is None else int(person.clearance),
        "capabilities": person.capabilities,
        "active": person.active,
        # The administrator's word stands against the source's.
        "held": None if person.active is None else not person.active,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(row, name=person.name, **given)


def _roles(
    known: _PeopleHere, listed: PeopleList, person: ListedPerson, after: PersonRow, current: set[MemberPair]
) -> set[uuid.UUID]:
    """The roles that the row names; a mistake for each that is not there, or that its source alone gives."""
    found: set[uuid.UUID] = set()
    for name in person.roles or ():
        role: RoleRow | None = known.roles.get(parse_name(name))
        if role is None:
            listed.wrong(person.line, "roles", f"no role is named {quoted(name)}")
        elif role.source in known.kept and (after.id, role.id) not in current:
            listed.wrong(person.line, "roles", f"{quoted(name)} is kept by its source; put them in there")
        else:
            found.add(role.id)
    return found


def _missing(known: _PeopleHere, complete: str | None, lines: dict[uuid.UUID, int]) -> list[PersonRow]:
    if complete is None:
        return []
    return [
        user
        for user in known.users
        if user.source == complete and user.kind == "person" and user.active and user.id not in lines
    ]
