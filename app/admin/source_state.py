"""What stands of some sources: people, roles, who is in which and which lies inside which, as plain rows.

Lists of people and directories are compared with this as a whole, so it is read in a few statements, however many they
are.
"""

import datetime as dt
import uuid
from collections.abc import Collection as Some
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.acl.rule_store import one_of
from app.db.tables.people import LOCAL, Membership, Role, RoleInside, User
from app.identity.subject import Label

# (person, role), and (inner role, outer role).
MemberPair = tuple[uuid.UUID, uuid.UUID]
NestingPair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True)
class PersonRow:
    """The columns of a person that a source or a list may change. `capabilities` are sorted."""

    id: uuid.UUID
    source: str
    name: str
    display_name: str
    external_id: str | None
    clearance: int = int(Label.INTERNAL)
    capabilities: tuple[str, ...] = ("ask",)
    active: bool = True
    held: bool = False
    kind: str = "person"
    deleted: bool = False

    @property
    def shown(self) -> str:
        """The name with its source in front, unless that is `local`."""
        return self.name if self.source == LOCAL else f"{self.source}:{self.name}"

    @property
    def state(self) -> dict[str, Any]:
        """As `app.admin.user_records.user_state` gives it."""
        return {
            "active": self.active,
            "capabilities": list(self.capabilities),
            "clearance": Label(self.clearance).text,
            "display_name": self.display_name,
            "external_id": self.external_id,
            "kind": self.kind,
            "name": self.shown,
        }


@dataclass(frozen=True)
class RoleRow:
    """A role, and the group of its source that it stands for."""

    id: uuid.UUID
    source: str
    name: str
    external_id: str | None

    @property
    def shown(self) -> str:
        """The name with its source in front, unless that is `local`."""
        return self.name if self.source == LOCAL else f"{self.source}:{self.name}"


def users_of(session: Session, sources: Some[str]) -> list[PersonRow]:
    """All people and services of these sources, who is gone for good among them, but for those that are our own."""
    columns = (
        User.id, User.source, User.name, User.display_name, User.external_id, User.clearance, User.capabilities,
        User.active, User.held, User.kind, User.deleted_at,
    )  # fmt: skip
    query = select(*columns).where(User.source.in_(sources), User.name.not_like(r"\_%")).order_by(User.id)
    return [
        PersonRow(*row[:6], tuple(sorted(row.capabilities)), *row[7:10], row.deleted_at is not None)
        for row in session.execute(query)
    ]


def roles_in(session: Session, source: str | None = None) -> list[RoleRow]:
    """The roles of a source, or all."""
    query = select(Role.id, Role.source, Role.name, Role.external_id).order_by(Role.id)
    return [RoleRow(*row) for row in session.execute(query if source is None else query.where(Role.source == source))]


def memberships_of(
    session: Session, people: Some[uuid.UUID], roles: Some[uuid.UUID]
) -> dict[MemberPair, dt.datetime | None]:
    """Which of these people are in which of these roles, and until when; ended ones too."""
    columns = (Membership.user_id, Membership.role_id, Membership.ends_at)
    rows = session.execute(select(*columns).where(one_of(Membership.user_id.expression, people)))
    among = frozenset(roles)
    return {(user, role): ends_at for user, role, ends_at in rows if role in among}


def nesting_of(session: Session, source: str) -> tuple[set[NestingPair], set[NestingPair]]:
    """Which roles lie inside which: those pairs that are of this source alone, and all others."""
    inner, outer = aliased(Role), aliased(Role)
    query = (
        select(RoleInside.role_id, RoleInside.inside_id, inner.source, outer.source)
        .join(inner, inner.id == RoleInside.role_id)
        .join(outer, outer.id == RoleInside.inside_id)
    )
    own, others = set[NestingPair](), set[NestingPair]()
    for role, inside, role_source, inside_source in session.execute(query):
        (own if role_source == inside_source == source else others).add((role, inside))
    return own, others


def moment(session: Session) -> dt.datetime:
    """When this transaction began, by the database's clock."""
    return session.scalars(select(func.now())).one()
