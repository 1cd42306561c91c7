"""What everybody comes in with: all keys, and all browsers that are signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.admin.api_keys import list_keys, revoke_key
from app.sign_in.sessions import end_session, list_all_sessions
from app.web.console.company.addresses import person_address
from app.web.console.listing import ListingOf, Text
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Administrator, Changing, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
# From whose page a form was sent, to go back there.
From = Annotated[str, Form(max_length=300)]


@router.get("/keys")
def keys(viewer: ViewerOf, subject: Administrator, session: Reading, listing: ListingOf, user: Text = "") -> Response:
    """All keys, or those of one user, by their holders."""
    found = list_keys(session, subject, listing.page, user=user.strip() or None)
    values = {"keys": found, "listing": listing, "user": user}
    return page(viewer, "company/key_rows.html" if viewer.part else "company/keys.html", values)


@router.post("/keys/{key}/revoke")
def revoke(viewer: ViewerOf, subject: Administrator, session: Changing, key: str, user: From = "") -> Response:
    """Revoke a key; it stops working at once."""
    revoke_key(session, subject, public_id(key))
    return go_to(viewer, f"{person_address(user)}#keys" if user else "/keys")


@router.get("/sessions")
def sessions(viewer: ViewerOf, subject: Administrator, session: Reading, listing: ListingOf) -> Response:
    """All browsers that are signed in, newest first."""
    values = {"sessions": list_all_sessions(session, subject, listing.page), "listing": listing}
    return page(viewer, "company/session_rows.html" if viewer.part else "company/sessions.html", values)


@router.post("/sessions/{session_id}/end")
def end(viewer: ViewerOf, subject: Administrator, session: Writing, session_id: str, user: From = "") -> Response:
    """End one of them; it stops working at once."""
    end_session(session, subject, public_id(session_id))
    return go_to(viewer, f"{person_address(user)}#sessions" if user else "/sessions")
