"""Roles: all as a tree, one with its people and the rules that name it, and changes foreseen as plans."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin import roles as admin
from app.admin.plan_steps import group_step, member_step, nesting_step
from app.admin.role_details import get_role, list_role_members
from app.admin.role_tree import role_tree
from app.identity.names import find_person, find_role, find_user
from app.identity.stewards import find_stewarded
from app.web.console.company.addresses import role_address
from app.web.console.company.foreseen import to_plan
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Administrator, Changing, ComponentsOf, Reading, Writing
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Name = Annotated[str, Form(min_length=1, max_length=300)]


@router.get("/roles")
def roles(viewer: ViewerOf, session: Reading, listing: ListingOf, text: Text = "") -> Response:
    """All roles as a tree, for administrators; else, and by words, those that one may list."""
    if viewer.may("administer") and not text.strip() and listing.first and not viewer.part:
        return page(viewer, "company/roles.html", {"tree": role_tree(session, viewer.subject), "text": ""})
    found = admin.list_roles(session, viewer.subject, listing.page, text=text.strip() or None)
    values = {"roles": found, "listing": listing}
    if viewer.part and not listing.first:
        return page(viewer, "company/role_rows.html", values)
    if viewer.part and viewer.may("administer") and not text.strip():
        return page(viewer, "company/role_tree.html", {"tree": role_tree(session, viewer.subject)})
    template = "company/role_rows.html" if viewer.part else "company/roles.html"
    return page(viewer, template, {**values, "tree": None, "text": text})


@router.post("/roles")
def add(viewer: ViewerOf, subject: Administrator, session: Changing, name: Name) -> Response:
    """A new role, in which nobody is and which no rule names."""
    made = admin.create_role(session, subject, name=name, source="local", inside=())
    return go_to(viewer, role_address(made.name))


@router.get("/roles/{name}")
def role(
    viewer: ViewerOf,
    session: Reading,
    listing: ListingOf,
    name: str,
    text: Text = "",
    nested: Literal["", "yes"] = "",
) -> Response:
    """One role, for administrators and whom it is delegated to: its people, page by page."""
    found = find_stewarded(session, viewer.subject, name)
    members = list_role_members(
        session, viewer.subject, found, listing.page, nested=bool(nested), text=text.strip() or None
    )
    values = {"members": members, "listing": listing, "address": role_address(name), "nested": nested}
    if viewer.part:
        return page(viewer, "company/member_rows.html", values)
    details = get_role(session, viewer.subject, found)
    return page(viewer, "company/role.html", {**values, "role": details, "text": text})


@router.post("/roles/{name}/delete")
def delete(viewer: ViewerOf, subject: Administrator, session: Changing, name: str) -> Response:
    """Delete a role that no rule in force names."""
    admin.delete_role(session, subject, find_role(session, name))
    return go_to(viewer, "/roles")


@router.post("/roles/{name}/members")
def foresee_member(
    viewer: ViewerOf,
    session: Writing,
    parts: ComponentsOf,
    name: str,
    user: Name,
    act: Annotated[Literal["join", "leave"], Form()] = "join",
) -> Response:
    """Foresee that somebody comes into the role, or leaves it."""
    present = act == "join"
    return to_plan(
        viewer, parts, session, lambda trial: member_step(trial, viewer.subject, name, user, present=present)
    )


@router.post("/roles/{name}/nesting")
def foresee_nesting(  # noqa: PLR0913  # each is a dependency or a field
    viewer: ViewerOf,
    subject: Administrator,
    session: Writing,
    parts: ComponentsOf,
    *,
    name: str,
    outer: Name,
    act: Annotated[Literal["nest", "unnest"], Form()] = "nest",
) -> Response:
    """Foresee that the role comes to lie inside another, or no longer does."""
    present = act == "nest"
    return to_plan(viewer, parts, session, lambda trial: nesting_step(trial, subject, name, outer, present=present))


@router.post("/roles/{name}/group")
def foresee_group(
    viewer: ViewerOf,
    subject: Administrator,
    session: Writing,
    parts: ComponentsOf,
    name: str,
    group: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Foresee that the role stands for another group of its source, or for none."""
    return to_plan(viewer, parts, session, lambda trial: group_step(trial, subject, name, group or None))


@router.post("/roles/{name}/stewards")
def change_steward(
    viewer: ViewerOf,
    subject: Administrator,
    session: Changing,
    name: str,
    user: Name,
    act: Annotated[Literal["add", "remove"], Form()] = "add",
) -> Response:
    """Delegate the role to a person, who may then change its members; or no longer."""
    found = find_role(session, name)
    if act == "add":
        admin.add_steward(session, subject, found, find_person(session, user))
    else:
        admin.remove_steward(session, subject, found, find_user(session, user))
    return go_to(viewer, f"{role_address(name)}#stewards")
