"""Roles, who is in them, and which lie inside which (administer; curators may list them)."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.admin import roles as admin
from app.admin.claimed_roles import list_claimed_groups, map_group
from app.admin.role_details import get_role, list_role_members
from app.identity.names import find_person, find_role, find_user
from app.identity.stewards import find_stewarded
from app.web.api.people_schemas import RoleDetailsOut, RoleMemberOut
from app.web.api.schemas import ClaimedGroupOut, GroupBody, RoleBody, RoleOut
from app.web.http.dependencies import Administrator, Caller, Changing, Reading
from app.web.http.paging import PageOf, SearchText, SourceName

router = APIRouter(prefix="/roles", tags=["people"])

Nested = Annotated[bool, Query(description="also who is in it as a member of a role inside it")]


@router.get("")
def roles(
    subject: Caller, session: Reading, page: PageOf, text: SearchText = None, source: SourceName = None
) -> list[RoleOut]:
    """All roles for administrators, and for curators, who tag with them; else those delegated to you.

    Members are shown to administrators and to whom the role is delegated.
    """
    found = admin.list_roles(session, subject, page, text=text, source=source)
    return [RoleOut.model_validate(role) for role in found]


@router.post("", status_code=201)
def make(body: RoleBody, subject: Administrator, session: Changing) -> RoleOut:
    """Make a role (administer)."""
    made = admin.create_role(
        session, subject, name=body.name, source=body.source, inside=body.inside, external_id=body.external_id
    )
    return RoleOut.model_validate(made)


@router.get("/claimed-groups")
def claimed_groups(subject: Administrator, session: Reading, page: PageOf) -> list[ClaimedGroupOut]:
    """The groups that people's last claims name, and the roles that stand for them (administer)."""
    return [ClaimedGroupOut.model_validate(group) for group in list_claimed_groups(session, subject, page)]


@router.get("/{name}")
def role(name: str, subject: Caller, session: Reading) -> RoleDetailsOut:
    """One role (administer, or to whom it is delegated): nesting, how many are in it, and which rules name it."""
    return RoleDetailsOut.model_validate(get_role(session, subject, find_stewarded(session, subject, name)))


@router.get("/{name}/members")
def members(
    name: str, subject: Caller, session: Reading, page: PageOf, text: SearchText = None, nested: Nested = False
) -> list[RoleMemberOut]:
    """Who is in a role, also who is switched off (administer, or to whom it is delegated)."""
    found = find_stewarded(session, subject, name)
    listed = list_role_members(session, subject, found, page, nested=nested, text=text)
    return [RoleMemberOut.model_validate(member) for member in listed]


@router.put("/{name}/group", status_code=204)
def map_to_group(name: str, body: GroupBody, subject: Administrator, session: Changing) -> None:
    """Declare the group that a role stands for (administer): whose last claim names it comes into the role at once."""
    map_group(session, subject, find_role(session, name), body.group)


@router.delete("/{name}", status_code=204)
def remove(name: str, subject: Administrator, session: Changing) -> None:
    """Delete a role that no rule in force names (administer): a rule that denied it would open."""
    admin.delete_role(session, subject, find_role(session, name))


@router.put("/{name}/members/{user}", status_code=204)
def add_member(name: str, user: str, subject: Caller, session: Changing) -> None:
    """Put a user into a role (administer, or to whom the role is delegated)."""
    admin.add_member(session, subject, find_stewarded(session, subject, name), find_user(session, user))


@router.delete("/{name}/members/{user}", status_code=204)
def remove_member(name: str, user: str, subject: Caller, session: Changing) -> None:
    """Take a user out of a role (administer, or to whom the role is delegated)."""
    admin.remove_member(session, subject, find_stewarded(session, subject, name), find_user(session, user))


@router.put("/{name}/stewards/{user}", status_code=204)
def add_steward(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Delegate a role: let a person put others into it and take them out (administer)."""
    admin.add_steward(session, subject, find_role(session, name), find_person(session, user))


@router.delete("/{name}/stewards/{user}", status_code=204)
def remove_steward(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Undo that (administer)."""
    admin.remove_steward(session, subject, find_role(session, name), find_user(session, user))


@router.put("/{name}/inside/{outer}", status_code=204)
def put_inside(name: str, outer: str, subject: Administrator, session: Changing) -> None:
    """Make the members of a role members of another too (administer); a circle is refused."""
    admin.nest(session, subject, find_role(session, name), find_role(session, outer))


@router.delete("/{name}/inside/{outer}", status_code=204)
def take_out(name: str, outer: str, subject: Administrator, session: Changing) -> None:
    """Undo that (administer)."""
    admin.unnest(session, subject, find_role(session, name), find_role(session, outer))
