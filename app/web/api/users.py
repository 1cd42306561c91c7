"""Users (administer). Only names and roles: who a person is says nothing of what stands in the documents."""

from fastapi import APIRouter

from app.admin import users as admin
from app.identity.names import find_user
from app.identity.subject import Capability, Label
from app.settings import LabelName
from app.web.api.people_schemas import PrincipalOut, UserBody, UserOut, UserPatch
from app.web.http.dependencies import Administrator, CallerOrDelegate, Changing, ComponentsOf, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/users", tags=["people"])


@router.get("/me")
def me(subject: CallerOrDelegate, session: Reading) -> UserOut | PrincipalOut:
    """Who you are to us; to a service, the person it acts for: their name, and what it may do for them."""
    if subject.via is not None:
        return PrincipalOut(id=subject.user_id, name=subject.name, capabilities=sorted(subject.capabilities))
    return UserOut.model_validate(admin.own_user(session, subject))


@router.get("")
def users(subject: Administrator, session: Reading, page: PageOf) -> list[UserOut]:
    """All users (administer)."""
    return [UserOut.model_validate(user) for user in admin.list_users(session, subject, page)]


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
