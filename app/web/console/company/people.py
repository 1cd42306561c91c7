"""People and services: found, one with all that an administrator asks about them, and what can be done to them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.admin import users
from app.admin.api_keys import list_keys
from app.admin.delegations import list_delegations
from app.admin.explain import list_reach
from app.admin.plan_steps import clearance_step, member_step
from app.admin.user_details import get_user
from app.db.paging import Page
from app.identity.names import find_person, find_user
from app.identity.subject import FOR_PEOPLE, Capability, Label, UserKind
from app.settings import LabelName
from app.sign_in import links, sessions
from app.web.console.company.addresses import person_address
from app.web.console.company.foreseen import to_plan
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import (
    Administrator,
    Changing,
    ComponentsOf,
    CookiesOf,
    Reading,
    Writing,
)
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
MANY = 100


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


# Shown by their names, with the verdicts of leak tests.
WORDS = (
    _("ask"),
    _("download"),
    _("curate"),
    _("administer"),
    _("audit"),
    _("open"),
    _("export"),
    _("erase"),
    _("hold"),
    _("reveal"),
    _("provision"),
)
LABEL_WORDS = (_("public"), _("internal"), _("confidential"), _("restricted"))
CapabilityName = Literal[
    "", "ask", "download", "curate", "administer", "audit", "open", "export", "erase", "hold", "reveal", "provision"
]
Name = Annotated[str, Form(min_length=1, max_length=300)]


@router.get("/people")
def people(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    subject: Administrator,
    session: Reading,
    listing: ListingOf,
    *,
    text: Text = "",
    source: Text = "",
    kind: Literal["", "person", "service"] = "",
    active: Literal["", "yes", "no"] = "",
    capability: CapabilityName = "",
    role: Text = "",
) -> Response:
    """Everybody, or whom the filters leave, by name."""
    wanted = users.UserFilter(
        text=text.strip() or None,
        source=source or None,
        active=None if not active else active == "yes",
        kind=kind or None,
        capability=Capability(capability) if capability else None,
        role=role or None,
    )
    found = users.list_users(session, subject, listing.page, wanted)
    values = {"people": found, "listing": listing}
    if viewer.part:
        return page(viewer, "company/people_rows.html", values)
    form = {"text": text, "source": source, "kind": kind, "active": active, "capability": capability, "role": role}
    return page(viewer, "company/people.html", {**values, "form": form})


@router.post("/people")
def add(  # noqa: PLR0913  # each is a field of the form
    viewer: ViewerOf,
    subject: Administrator,
    session: Changing,
    parts: ComponentsOf,
    *,
    name: Name,
    display_name: Annotated[str, Form(max_length=200)] = "",
    kind: Annotated[UserKind, Form()] = "person",
) -> Response:
    """A new person, who reads nothing yet; or a service, which never does by itself."""
    new = users.NewUser(name, "local", kind, display_name, None, [Capability.ASK])
    made = users.create_user(session, subject, parts.sealer, new)
    return go_to(viewer, person_address(made.name))


@router.get("/people/{name}")
def person(viewer: ViewerOf, subject: Administrator, session: Reading, name: str, notice: str = "") -> Response:
    """One person or service."""
    values = {
        "user": get_user(session, subject, name),
        "address": person_address(name),
        "own": name == subject.name,
        "sessions": sessions.list_sessions(session, subject, Page(limit=MANY), user=name),
        "keys": [key for key in list_keys(session, subject, Page(limit=MANY), user=name) if key.revoked_at is None],
        "delegations": list_delegations(session, subject, Page(limit=MANY), user=name),
        "labels": [label.text for label in Label],
        "capabilities": [each for each in Capability if each in FOR_PEOPLE],
        "notice": notice,
    }
    return page(viewer, "company/person.html", values)


@router.get("/people/{name}/reading")
def reading(viewer: ViewerOf, subject: Administrator, session: Reading, name: str) -> Response:
    """How many documents of each collection a person may read."""
    found = list_reach(session, subject, Page(limit=MANY), user=name)
    return page(viewer, "company/reading.html", {"name": name, "address": person_address(name), "reach": found})


@router.post("/people/{name}/off")
def switch_off(viewer: ViewerOf, subject: Administrator, session: Changing, name: str) -> Response:
    """Switch somebody off: all that they come in with ends, for good."""
    users.change_user(session, subject, find_user(session, name), users.UserChange(active=False))
    return go_to(viewer, f"{person_address(name)}?notice=off")


@router.post("/people/{name}/on")
def switch_on(viewer: ViewerOf, subject: Administrator, session: Changing, name: str) -> Response:
    """Let somebody in again; what ended stays ended."""
    users.change_user(session, subject, find_user(session, name), users.UserChange(active=True))
    return go_to(viewer, f"{person_address(name)}?notice=on")


@router.post("/people/{name}/capabilities")
def set_capabilities(
    viewer: ViewerOf,
    subject: Administrator,
    session: Changing,
    name: str,
    capabilities: Annotated[list[Capability] | None, Form()] = None,
) -> Response:
    """What somebody may do, apart from what they may read; at once."""
    change = users.UserChange(capabilities=list(capabilities or ()))
    users.change_user(session, subject, find_user(session, name), change)
    return go_to(viewer, f"{person_address(name)}?notice=saved")


@router.post("/people/{name}/clearance")
def foresee_clearance(
    viewer: ViewerOf,
    subject: Administrator,
    session: Writing,
    parts: ComponentsOf,
    name: str,
    clearance: Annotated[LabelName, Form()],
) -> Response:
    """Foresee another clearance."""
    label = Label.parse(clearance)
    return to_plan(viewer, parts, session, lambda trial: clearance_step(trial, subject, name, label))


@router.post("/people/{name}/roles")
def foresee_membership(  # noqa: PLR0913  # each is a dependency or a field
    viewer: ViewerOf,
    subject: Administrator,
    session: Writing,
    parts: ComponentsOf,
    *,
    name: str,
    role: Name,
    act: Annotated[Literal["join", "leave"], Form()] = "join",
) -> Response:
    """Foresee that somebody comes into a role, or leaves it."""
    present = act == "join"
    return to_plan(viewer, parts, session, lambda trial: member_step(trial, subject, role, name, present=present))


@router.post("/people/{name}/link")
def invite(
    viewer: ViewerOf, subject: Administrator, session: Changing, parts: ComponentsOf, cookies: CookiesOf, name: str
) -> Response:
    """A link that signs a person in once; it is on this page and never again."""
    link, new = links.create_link(session, subject, parts.settings.sign_in, find_person(session, name), loopback=False)
    values = {"link": link, "url": f"{cookies.origin}/sign-in/link?token={new.secret}", "address": person_address(name)}
    return page(viewer, "company/new_link.html", values, status=201)


@router.post("/people/{name}/sign-out")
def sign_out(viewer: ViewerOf, subject: Administrator, session: Changing, name: str) -> Response:
    """End all sessions of a person."""
    sessions.end_all_sessions(session, subject, name)
    return go_to(viewer, f"{person_address(name)}?notice=signed-out")
