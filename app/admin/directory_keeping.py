"""What a provisioning service does to the entries of its source: the use cases of `provisioning`, with their profiles.

A profile keeps what we have no column for. It holds no secret: whoever calls leaves passwords out. Who is no person or
group of the source is refused like who is not there at all, in the same words and with the same record.
"""

import json
import uuid
from collections.abc import Collection as Some
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, false, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.admin.directory_entries import DirectoryEntry, EntryKind, find_entry, kept_source, people_and_roles
from app.admin.directory_filter import fold
from app.admin.provisioning import (
    PersonDetails,
    change_group,
    change_members,
    change_nesting,
    change_person,
    create_group,
    create_person,
    remove_group,
    remove_person,
)
from app.audit.encryption import Sealer
from app.db.session import WriteSession
from app.db.tables.people import Role, User
from app.db.tables.sign_in import DirectoryProfile
from app.errors import Conflict, ForeignMember, InvalidInput, NotOfSource
from app.identity.subject import Subject

MAX_ENTRY_NAME = 500
MAX_EXTERNAL_ID_BYTES = 255
# A profile is read with each look at its entry.
MAX_PROFILE_BYTES = 32 * 1024


class NameTaken(Conflict):
    title = "The name is taken"


@dataclass(frozen=True)
class EntryState:
    """A person or group as the directory wants it. `active`: None stays; `members`: None stays."""

    name: str
    display_name: str
    external_id: str | None
    attributes: dict[str, Any]
    active: bool | None = None
    members: frozenset[uuid.UUID] | None = None


@dataclass(frozen=True)
class DirectoryKeeper:
    """One request of a provisioning service."""

    session: WriteSession
    subject: Subject
    sealer: Sealer

    def add(self, kind: EntryKind, state: EntryState) -> DirectoryEntry:
        """A new person, or a new group with its members. Conflict for a name or external id that is taken."""
        source = kept_source(self.subject)
        self._check(kind, state, None)
        if kind == "user":
            details = _details(state, active=state.active is not False)
            entry = create_person(self.session, self.subject, self.sealer, source, details).id
        else:
            role = create_group(self.session, self.subject, source, state.name, external_id=state.external_id)
            entry = role.id
            self._set_members(role, frozenset(), state.members or frozenset())
        self._describe(kind, entry, state)
        # A new person is in no group.
        return self._entry(kind, entry, with_links=kind == "group")

    def change(self, entry: DirectoryEntry, state: EntryState) -> DirectoryEntry:
        """Make the entry what the directory says. Conflict for a person whom an administrator switched off."""
        self._check(entry.kind, state, entry.id)
        if entry.kind == "user":
            user = self.session.get_one(User, entry.id)
            active = entry.active if state.active is None else state.active
            change_person(self.session, self.subject, user, _details(state, active=active))
        else:
            role = self.session.get_one(Role, entry.id)
            change_group(self.session, self.subject, role, state.name, external_id=state.external_id)
            if state.members is not None:
                self._set_members(role, frozenset(link.id for link in entry.links or ()), state.members)
        self._describe(entry.kind, entry.id, state)
        return self._entry(entry.kind, entry.id)

    def remove(self, entry: DirectoryEntry) -> None:
        """Take a person out of the source for good, or remove a group; its id is never of anybody else."""
        if entry.kind == "user":
            remove_person(self.session, self.subject, self.session.get_one(User, entry.id))
        else:
            remove_group(self.session, self.subject, self.session.get_one(Role, entry.id))

    def _entry(self, kind: EntryKind, entry: uuid.UUID, *, with_links: bool = True) -> DirectoryEntry:
        found = find_entry(self.session, self.subject, kind, entry, with_links=with_links)
        if found is None:
            raise NotOfSource
        return found

    def _check(self, kind: EntryKind, state: EntryState, entry: uuid.UUID | None) -> None:
        """Refuse what could not be kept, before anything is written."""
        if not state.name.strip() or max(len(state.name), len(state.display_name)) > MAX_ENTRY_NAME:
            raise InvalidInput(f"A name has 1 to {MAX_ENTRY_NAME} characters.")
        if state.external_id is not None and not 0 < len(state.external_id.encode()) <= MAX_EXTERNAL_ID_BYTES:
            raise InvalidInput(f"An external id has 1 to {MAX_EXTERNAL_ID_BYTES} bytes.")
        if len(json.dumps(state.attributes)) > MAX_PROFILE_BYTES:
            raise InvalidInput(f"The attributes of one entry may take {MAX_PROFILE_BYTES // 1024} KB.")
        name_taken, id_taken = self._taken(kind, state, entry)
        if name_taken:
            raise NameTaken("Somebody else of the source has this userName.")
        if id_taken:
            raise NameTaken("Another entry of the source has this external id.")

    def _taken(self, kind: EntryKind, state: EntryState, entry: uuid.UUID | None) -> tuple[bool, bool]:
        """Whether another entry has the name, if it is a person's, and whether one has the external id: in one look."""
        table, profile, source = (User if kind == "user" else Role), DirectoryProfile, kept_source(self.subject)
        key, other = fold(state.name), aliased(DirectoryProfile)
        described = exists().where(
            profile.source == source, profile.kind == kind, profile.name_key == key, profile.id != entry
        )
        bare = exists(
            select(table.id).outerjoin(other, other.id == table.id)
            .where(table.source == source, table.name == key, table.id != entry, other.id.is_(None))
        )  # fmt: skip
        same_id = exists().where(table.source == source, table.external_id == state.external_id, table.id != entry)
        named = or_(described, bare) if kind == "user" else false()
        found = self.session.execute(select(named, same_id if state.external_id is not None else false())).one()
        return bool(found[0]), bool(found[1])

    def _describe(self, kind: EntryKind, entry: uuid.UUID, state: EntryState) -> None:
        """Keep what the directory said; each time is a new version."""
        key = fold(state.name)
        values = {
            "id": entry, "source": kept_source(self.subject), "kind": kind, "name_key": key,
            "attributes": state.attributes,
        }  # fmt: skip
        adding = insert(DirectoryProfile).values(values)
        change = {
            "attributes": adding.excluded.attributes,
            "name_key": adding.excluded.name_key,
            "version": DirectoryProfile.version + 1,
            "changed_at": func.now(),
        }
        self.session.execute(adding.on_conflict_do_update(index_elements=[DirectoryProfile.id], set_=change))

    def _set_members(self, role: Role, before: Some[uuid.UUID], after: Some[uuid.UUID]) -> None:
        """Let who joins be of the source; who is in the role from elsewhere is an administrator's, and stays."""
        wanted, had = frozenset(after), frozenset(before)
        people, roles = people_and_roles(self.session, role.source, wanted | had)
        if wanted - people - roles:
            raise ForeignMember
        if wanted == had:
            return
        join, leave = (wanted - had) & people, (had - wanted) & people
        change_members(self.session, self.subject, role, join=join, leave=leave)
        if (wanted & roles) != (had & roles):
            change_nesting(self.session, self.subject, role, inner=sorted(wanted & roles))


def _details(state: EntryState, *, active: bool) -> PersonDetails:
    return PersonDetails(state.name, state.display_name, state.external_id, active)
