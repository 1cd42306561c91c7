"""Users: people and services, created and changed. Only names and roles: nothing of what stands in documents."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, any_, func, literal, select
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.admin.user_records import user_changed, user_created, user_state
from app.audit.actor import actor
from app.audit.encryption import Sealer
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.access import Collection, Curator
from app.db.tables.people import Membership, Role, User
from app.db.tables.sign_in import SignInSession
from app.errors import Conflict, InvalidInput, SelfGrant
from app.identity.authenticate import capabilities
from app.identity.directory import add_person, add_service, refuse_more_than_a_service
from app.identity.names import find_role, name_contains, names_by
from app.identity.nesting import in_role
from app.identity.subject import Capability, Label, Subject, UserKind, require_capability

NO_CLEARANCE = "A service has no clearance: it reads what the person it acts for may read."


@dataclass(frozen=True)
class NewUser:
    """A user to be created. Unset, a person's clearance is internal; a service has none."""

    name: str
    source: str
    kind: UserKind
    display_name: str
    clearance: Label | None
    capabilities: list[Capability]
    provisions: str | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class UserChange:
    """What changes of a user; None stays."""

    display_name: str | None = None
    clearance: Label | None = None
    capabilities: list[Capability] | None = None
    active: bool | None = None


@dataclass(frozen=True)
class UserView:
    """A user with the names of their roles and of the collections that they curate."""

    id: uuid.UUID
    name: str
    source: str
    kind: UserKind
    display_name: str
    clearance: str
    capabilities: list[Capability]
    active: bool
    roles: list[str]
    curates: list[str]
    external_id: str | None
    provisions: str | None
    last_sign_in: dt.datetime | None
    held: bool


@dataclass(frozen=True)
class UserFilter:
    """Which users are listed; None: all.

    `text` stands in the name, with its source in front, or in the full name, in any case of letters. `role` is the name
    of a role that they are in, or come into by nesting.
    """

    text: str | None = None
    source: str | None = None
    active: bool | None = None
    kind: UserKind | None = None
    capability: Capability | None = None
    role: str | None = None


ANY_USER = UserFilter()


def list_users(session: Session, subject: Subject, page: Page, wanted: UserFilter = ANY_USER) -> list[UserView]:
    """The users that pass the filter, by name and source. Raises NotFound for a role that is not there."""
    require_capability(subject, Capability.ADMINISTER)
    query = select(User).where(User.name.not_like(r"\_%"), User.deleted_at.is_(None), *_conditions(session, wanted))
    return user_views(session, [user for (user,) in page.rows(session, query, [User.name, User.source])])


def own_user(session: Session, subject: Subject) -> UserView:
    return user_views(session, [session.get_one(User, subject.user_id)])[0]


def create_user(session: WriteSession, subject: Subject, sealer: Sealer, new: NewUser) -> UserView:
    """A new person, who reads nothing until a role or a grant lets them; or a service, which never does by itself."""
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    named = {"name": new.name, "source": new.source, "display_name": new.display_name}
    if new.kind == "service":
        if new.clearance is not None:
            raise InvalidInput(NO_CLEARANCE)
        user = add_service(session, **named, allowed=new.capabilities, provisions=new.provisions)
    elif new.provisions is not None:
        raise InvalidInput("Only a service keeps the people of a source: give kind 'service'.")
    else:
        clearance = Label.INTERNAL if new.clearance is None else new.clearance
        user = add_person(session, **named, clearance=clearance, allowed=new.capabilities, external_id=new.external_id)
        # Created now, so that two first questions of the same person never wait for each other.
        sealer.ensure_key(session, user.id)
    record(session, user_created(actor(subject), user.id, user_state(user)))
    return user_views(session, [user])[0]


def change_user(session: WriteSession, subject: Subject, user: User, change: UserChange) -> UserView:
    """Change a user. Nobody raises their own rights, and nobody switches themselves off."""
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    if user.kind == "service":
        refuse_more_than_a_service(change.capabilities or (), user.provisions)
        if change.clearance is not None:
            raise InvalidInput(NO_CLEARANCE)
    elif Capability.PROVISION in (change.capabilities or ()):
        raise InvalidInput("Only a service provisions.")
    if user.deleted_at is not None:
        raise Conflict("This person is gone from their source for good; a new one can be made.")
    if change.active is False and user.id == subject.user_id:
        raise SelfGrant("You cannot switch yourself off. Ask another administrator.")
    before = user_state(user)
    if change.display_name is not None:
        user.display_name = change.display_name
    if change.clearance is not None:
        user.clearance = int(change.clearance)
    if change.capabilities is not None:
        user.capabilities = [c.value for c in change.capabilities]
    if change.active is not None:
        user.active = change.active
        # The administrator's word stands against the source's.
        user.held = not change.active
    session.flush()
    record(session, user_changed(actor(subject), user.id, before, user_state(user)))
    return user_views(session, [user])[0]


def _conditions(session: Session, wanted: UserFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.text is not None:
        yield name_contains(User, wanted.text) | User.display_name.icontains(wanted.text, autoescape=True)
    if wanted.source is not None:
        yield User.source == wanted.source
    if wanted.active is not None:
        yield User.active == wanted.active
    if wanted.kind is not None:
        yield User.kind == wanted.kind
    if wanted.capability is not None:
        yield literal(wanted.capability.value) == any_(User.capabilities)
    if wanted.role is not None:
        yield in_role(User.id.expression, find_role(session, wanted.role).id)


def user_views(session: Session, users: Sequence[User]) -> list[UserView]:
    """Users with their roles, what they curate and their last sign-in: four statements, however many they are."""
    ids = [user.id for user in users]
    starts = select(SignInSession.user_id, func.max(SignInSession.created_at)).where(SignInSession.user_id.in_(ids))
    signed_in: dict[uuid.UUID, dt.datetime] = dict(session.execute(starts.group_by(SignInSession.user_id)).all())
    in_roles = select(Membership.user_id, Role.shown).join(Role, Role.id == Membership.role_id)
    in_roles = in_roles.where(Membership.current())
    roles = names_by(session, in_roles.where(Membership.user_id.in_(ids)).order_by(Role.name, Role.source))
    curators = select(Curator.user_id, Collection.name).join(Collection, Collection.id == Curator.collection_id)
    curated = names_by(session, curators.where(Curator.user_id.in_(ids)).order_by(Collection.name))
    return [
        UserView(
            id=user.id,
            name=user.shown,
            source=user.source,
            kind=user.kind,
            display_name=user.display_name,
            clearance=Label(user.clearance).text,
            capabilities=sorted(capabilities(user.capabilities)),
            active=user.active,
            roles=roles.get(user.id, []),
            curates=curated.get(user.id, []),
            external_id=user.external_id,
            provisions=user.provisions,
            last_sign_in=signed_in.get(user.id),
            held=user.held,
        )
        for user in users
    ]
