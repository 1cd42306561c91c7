"""Where people come from: directories with their last sync, providers, services that keep a source, claimed groups."""

from fastapi import APIRouter, Response

from app.admin.claimed_roles import list_claimed_groups
from app.admin.directories import list_directories
from app.admin.users import UserFilter, list_users
from app.db.paging import Page
from app.web.console.listing import ListingOf
from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Administrator, ComponentsOf, Reading
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
MANY = 200


@router.get("/sources")
def sources(viewer: ViewerOf, subject: Administrator, session: Reading, parts: ComponentsOf) -> Response:
    """Directories, providers, and services."""
    values = {
        "directories": list_directories(session, subject, Page(limit=MANY)),
        "providers": parts.settings.providers,
        "services": list_users(session, subject, Page(limit=MANY), UserFilter(kind="service")),
        "groups": list_claimed_groups(session, subject, Page(limit=1)),
    }
    return page(viewer, "company/sources.html", values)


@router.get("/sources/groups")
def groups(viewer: ViewerOf, subject: Administrator, session: Reading, listing: ListingOf) -> Response:
    """The groups that people's last claims name, and the roles that stand for them."""
    values = {"groups": list_claimed_groups(session, subject, listing.page), "listing": listing}
    return page(viewer, "company/group_rows.html" if viewer.part else "company/groups.html", values)
