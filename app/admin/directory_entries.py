"""The people and groups of one source as its directory knows them: found, filtered, sorted and paged.

Nothing here gives an entry of another source: each query names the source of the service that asks, and the profiles
are closed to everybody else by row-level security.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from app.admin.directory_filter import (
    Condition,
    EntryAttribute,
    EntryColumns,
    Linked,
    canonical_id,
    condition_sql,
    folded,
    sort_sql,
)
from app.admin.provisioning import GONE
from app.db.tables.people import Membership, Role, RoleInside, User
from app.db.tables.sign_in import DirectoryProfile
from app.errors import MissingCapability
from app.identity.subject import Capability, Subject, require_capability

# What directories keep: people and groups.
EntryKind = Literal["user", "group"]


@dataclass(frozen=True)
class EntryLink:
    """Somebody or something that an entry is linked with: a member of a group, or a group that a person is in."""

    id: uuid.UUID
    kind: EntryKind
    shown: str


@dataclass(frozen=True)
class DirectoryEntry:
    """A person or group of a source. `attributes` as the directory sent them, without what has a field here.

    `links`: of a group its members, of a person the groups they are in directly; None where nobody asked for them.
    """

    id: uuid.UUID
    kind: EntryKind
    attributes: dict[str, Any]
    external_id: str | None
    active: bool
    version: int
    created_at: dt.datetime
    changed_at: dt.datetime
    links: tuple[EntryLink, ...] | None = None


@dataclass(frozen=True)
class EntryQuery:
    """Which entries, in which order, and which of them. `count`: None for all from `offset` on."""

    condition: Condition | None = None
    sort: EntryAttribute | None = None
    descending: bool = False
    offset: int = 0
    count: int | None = None


@dataclass(frozen=True)
class EntryPage:
    """Some of the entries that fit, and how many fit in all."""

    total: int
    entries: list[DirectoryEntry] = field(default_factory=list)


def kept_source(subject: Subject) -> str:
    """The source whose people and roles the subject keeps. Raises MissingCapability for everybody else."""
    require_capability(subject, Capability.PROVISION)
    if subject.provisions is None:
        raise MissingCapability("This is for a service that keeps the people of a source.")
    return subject.provisions


def find_entry(
    session: Session, subject: Subject, kind: EntryKind, entry: uuid.UUID, *, with_links: bool
) -> DirectoryEntry | None:
    """The entry of the subject's source; None for what is not there, of another source or gone, all alike."""
    source = kept_source(subject)
    rows = session.execute(_entries(kind, source).where(_table(kind).id == entry)).all()
    found = [_entry(kind, row) for row in rows]
    return next(iter(_with_links(session, kind, source, found) if with_links else found), None)


def search_entries(
    session: Session, subject: Subject, kind: EntryKind, query: EntryQuery, *, with_links: bool
) -> EntryPage:
    """The entries of the subject's source that fit. Raises UnsupportedFilter for what cannot be asked."""
    source = kept_source(subject)
    columns = _columns(kind, source)
    wanted = _entries(kind, source)
    if query.condition is not None:
        wanted = wanted.where(condition_sql(columns, query.condition))
    total = session.scalars(select(func.count()).select_from(wanted.subquery())).one()
    if query.count == 0 or query.offset >= total:
        return EntryPage(total)
    table = _table(kind)
    order: list[ColumnElement[Any]] = [table.created_at.asc(), table.id.asc()]
    if query.sort is not None:
        by = sort_sql(columns, query.sort)
        order.insert(0, by.desc().nulls_first() if query.descending else by.asc().nulls_last())
    rows = session.execute(wanted.order_by(*order).offset(query.offset).limit(query.count)).all()
    found = [_entry(kind, row) for row in rows]
    return EntryPage(total, _with_links(session, kind, source, found) if with_links else found)


def people_and_roles(
    session: Session, source: str, ids: Iterable[uuid.UUID]
) -> tuple[frozenset[uuid.UUID], frozenset[uuid.UUID]]:
    """Those of the ids that are living people of the source, and those that are its groups."""
    wanted = set(ids)
    people = session.scalars(select(User.id).where(User.id.in_(wanted), *_living_people(source)))
    roles = session.scalars(select(Role.id).where(Role.id.in_(wanted), *_living_roles(source)))
    return frozenset(people), frozenset(roles)


def _table(kind: EntryKind) -> type[User] | type[Role]:
    return User if kind == "user" else Role


def _living_people(source: str) -> Sequence[ColumnElement[bool]]:
    return User.source == source, User.kind == "person", User.deleted_at.is_(None)


def _living_roles(source: str, role: type[Role] = Role) -> Sequence[ColumnElement[bool]]:
    """A role whose group is gone, kept because a rule names it, is no group any more."""
    return role.source == source, role.name.not_like(f"%{GONE}%")


def _entries(kind: EntryKind, source: str) -> Select[Any]:
    """The living entries of a source with their profiles; one that the directory never described has none."""
    table = _table(kind)
    shown = User.display_name if kind == "user" else Role.name
    query = select(
        table.id,
        table.external_id,
        User.active if kind == "user" else literal(True).label("active"),
        table.name,
        shown.label("shown"),
        table.created_at,
        DirectoryProfile.attributes,
        func.coalesce(DirectoryProfile.version, 1).label("version"),
        func.coalesce(DirectoryProfile.changed_at, table.created_at).label("changed_at"),
    ).outerjoin(DirectoryProfile, DirectoryProfile.id == table.id)
    return query.where(*(_living_people(source) if kind == "user" else _living_roles(source)))


def _entry(kind: EntryKind, row: Any) -> DirectoryEntry:
    said = {"userName": row.name, "displayName": row.shown} if kind == "user" else {"displayName": row.name}
    return DirectoryEntry(
        id=row.id,
        kind=kind,
        attributes=said if row.attributes is None else row.attributes,
        external_id=row.external_id,
        active=row.active,
        version=row.version,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _columns(kind: EntryKind, source: str) -> EntryColumns:
    table, profile = _table(kind), DirectoryProfile
    name = "userName" if kind == "user" else "displayName"
    plain: dict[str, Any] = {
        "id": cast(table.id, Text).collate("C"),
        "externalId": table.external_id.collate("C"),
        "meta.created": table.created_at,
        "meta.lastModified": func.coalesce(profile.changed_at, table.created_at),
        name: func.coalesce(profile.name_key, table.name).collate("C"),
    }
    if kind == "user":
        said = func.jsonb_extract_path_text(profile.attributes, "displayName")
        shown = case((profile.id.is_(None), User.display_name), else_=said)
        said_nothing = func.jsonb_exists(profile.attributes, "active")
        plain |= {"active": case((said_nothing, null()), else_=User.active), "displayName": folded(shown)}
    return EntryColumns(
        json=profile.attributes,
        columns=plain,
        lookups={
            "id": lambda text: _has_id(table, text),
            "externalId": lambda text: table.external_id == text,
            name: lambda text: table.id.in_(_named(kind, source, text)),
        },
        linked={"groups": _in_group(source)} if kind == "user" else {"members": _has_member(source)},
    )


def _has_id(table: type[User] | type[Role], text: str) -> ColumnElement[bool]:
    found = canonical_id(text)
    return false() if found is None else table.id == found


def _named(kind: EntryKind, source: str, key: str) -> Any:
    """The ids with this name: two look-ups by an index."""
    table, profile, other = aliased(_table(kind)), aliased(DirectoryProfile), aliased(DirectoryProfile)
    described = select(profile.id).where(profile.source == source, profile.kind == kind, profile.name_key == key)
    bare = select(table.id).outerjoin(other, other.id == table.id)
    return union_all(described, bare.where(table.source == source, table.name == key, other.id.is_(None)))


def _in_group(source: str) -> Linked:
    def linked(group: uuid.UUID | None) -> ColumnElement[bool]:
        query = select(Membership.user_id).join(Role, Role.id == Membership.role_id)
        query = query.where(Membership.user_id == User.id, Membership.current(), *_living_roles(source))
        return exists(query if group is None else query.where(Membership.role_id == group))

    return linked


def _has_member(source: str) -> Linked:
    inner = aliased(Role)

    def linked(member: uuid.UUID | None) -> ColumnElement[bool]:
        people = select(Membership.user_id).join(User, User.id == Membership.user_id)
        people = people.where(Membership.role_id == Role.id, Membership.current(), *_living_people(source))
        nested = select(RoleInside.role_id).join(inner, inner.id == RoleInside.role_id)
        nested = nested.where(RoleInside.inside_id == Role.id, *_living_roles(source, inner))
        if member is not None:
            people = people.where(Membership.user_id == member)
            nested = nested.where(RoleInside.role_id == member)
        return or_(exists(people), exists(nested))

    return linked


def _with_links(
    session: Session, kind: EntryKind, source: str, entries: Sequence[DirectoryEntry]
) -> list[DirectoryEntry]:
    """The entries with what they are linked with: two statements at most, however many they are."""
    ids = [entry.id for entry in entries]
    links: dict[uuid.UUID, list[EntryLink]] = {each: [] for each in ids}
    if kind == "user":
        groups = select(Membership.user_id, Role.id, Role.name, DirectoryProfile.attributes["displayName"].astext)
        groups = groups.join(Role, Role.id == Membership.role_id)
        groups = groups.outerjoin(DirectoryProfile, DirectoryProfile.id == Role.id)
        groups = groups.where(Membership.user_id.in_(ids), Membership.current(), *_living_roles(source))
        for owner, role, name, said in session.execute(groups.order_by(Role.name)):
            links[owner].append(EntryLink(role, "group", said or name))
    else:
        people = select(Membership.role_id, User.id, User.display_name).join(User, User.id == Membership.user_id)
        people = people.where(Membership.role_id.in_(ids), Membership.current(), *_living_people(source))
        for owner, person, shown in session.execute(people.order_by(User.name)):
            links[owner].append(EntryLink(person, "user", shown))
        nested = select(RoleInside.inside_id, Role.id, Role.name).join(Role, Role.id == RoleInside.role_id)
        nested = nested.where(RoleInside.inside_id.in_(ids), *_living_roles(source))
        for owner, role, name in session.execute(nested.order_by(Role.name)):
            links[owner].append(EntryLink(role, "group", name))
    return [replace(entry, links=tuple(links[entry.id])) for entry in entries]
