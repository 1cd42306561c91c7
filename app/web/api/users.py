"""Users (administer). Only names and roles: who a person is says nothing of what stands in the documents."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.admin import users as admin
from app.admin.user_details import get_user
from app.identity.names import find_user
from app.identity.subject import Capability, Label, UserKind
from app.settings import LabelName
from app.web.api.people_schemas import PrincipalOut, UserBody, UserDetailsOut, UserOut, UserPatch
from app.web.http.dependencies import Administrator, CallerOrDelegate, Changing, ComponentsOf, Reading
from app.web.http.paging import PageOf, SearchText, SourceName

router = APIRouter(prefix="/users", tags=["people"])


def user_filter(
    text: SearchText = None,
    source: SourceName = None,
    active: Annotated[bool | None, Query(description="may sign in or not")] = None,
    kind: Annotated[UserKind | None, Query()] = None,
    capability: Annotated[Capability | None, Query()] = None,
    role: Annotated[str | None, Query(description="a role that they are in, also by nesting")] = None,
) -> admin.UserFilter:
    """Which users are asked for."""
    return admin.UserFilter(text, source, active, kind, capability, role)


@router.get("/me")
def me(subject: CallerOrDelegate, session: Reading) -> UserOut | PrincipalOut:
    """Who you are to us; to a service, the person it acts for: their name, and what it may do for them."""
    if subject.via is not None:
        return PrincipalOut(id=subject.user_id, name=subject.name, capabilities=sorted(subject.capabilities))
    return UserOut.model_validate(admin.own_user(session, subject))


@router.get("")
def users(
    subject: Administrator,
    session: Reading,
    page: PageOf,
    wanted: Annotated[admin.UserFilter, Depends(user_filter)],
) -> list[UserOut]:
    """All users by name, or those that pass every filter (administer)."""
    return [UserOut.model_validate(user) for user in admin.list_users(session, subject, page, wanted)]


@router.get("/{name}")
def user(name: str, subject: Administrator, session: Reading) -> UserDetailsOut:
    """One user (administer): how they come into each role, and what switching them off would end."""
    return UserDetailsOut.model_validate(get_user(session, subject, name))


@router.post("", status_code=201)
def make(body: UserBody, subject: Administrator, session: Changing, parts: ComponentsOf) -> UserOut:
    """Make a person or a service (administer)."""
    new = admin.NewUser(
        name=body.name,
        source=body.source,
        kind=body.kind,
        display_name=body.display_name,
        clearance=_label(body.clearance),
        capabilities=_capabilities(body),
        provisions=body.provisions,
        external_id=body.external_id,
    )
    return UserOut.model_validate(admin.create_user(session, subject, parts.sealer, new))


@router.patch("/{name}")
def change(name: str, body: UserPatch, subject: Administrator, session: Changing) -> UserOut:
    """Change a user (administer). Nobody raises their own rights."""
    changed = admin.UserChange(body.display_name, _label(body.clearance), body.capabilities, body.active)
    return UserOut.model_validate(admin.change_user(session, subject, find_user(session, name), changed))


def _capabilities(body: UserBody) -> list[Capability]:
    """Those that were given; a service that keeps a source does that, unless it is told otherwise."""
    keeps = body.provisions is not None and "capabilities" not in body.model_fields_set
    return [Capability.PROVISION] if keeps else body.capabilities


def _label(name: LabelName | None) -> Label | None:
    return None if name is None else Label.parse(name)
