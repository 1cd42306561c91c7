"""One's own page: what I may do here, how I sign in, my sessions and keys, how I like the pages."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.admin import api_keys
from app.admin.openings import list_own_openings
from app.admin.users import own_user
from app.db.paging import Page
from app.identity.subject import FOR_PEOPLE, Capability
from app.sign_in.passkey_list import own_passkeys, revoke_passkey, view_of
from app.sign_in.passkeys import offers_passkeys
from app.sign_in.sessions import end_session, list_sessions
from app.web.console.pages import go_to, page
from app.web.console.viewer import PREFERENCES_COOKIE, Preferences, ViewerOf
from app.web.http.dependencies import Changing, ComponentsOf, CookiesOf, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
MANY = 200
YEAR = 365 * 24 * 3600


@router.get("/me")
def account(viewer: ViewerOf, session: Reading, parts: ComponentsOf, cookies: CookiesOf, notice: str = "") -> Response:
    """Who I am here, and what is mine."""
    user, name = own_user(session, viewer.subject), viewer.subject.name
    keys = api_keys.list_keys(session, viewer.subject, Page(limit=MANY), user=name)
    values = {
        "user": user,
        "may": [capability for capability in FOR_PEOPLE if capability in viewer.subject.capabilities],
        "passkeys": [view_of(each, name) for each in own_passkeys(session, viewer.subject)],
        "origin": cookies.origin if offers_passkeys(cookies.origin) else "",
        "sessions": list_sessions(session, viewer.subject, Page(limit=MANY), user=name),
        "keys": [key for key in keys if key.revoked_at is None],
        "openings": list_own_openings(session, viewer.subject, Page(limit=MANY), told=parts.settings.audit.tell_askers),
        "own_key_days": parts.settings.sign_in.own_key_days,
        "notice": notice,
    }
    return page(viewer, "account/me.html", values)


@router.post("/me/preferences")
def prefer(
    viewer: ViewerOf,
    cookies: CookiesOf,
    language: Annotated[str, Form(max_length=10)] = "",
    theme: Annotated[str, Form(max_length=10)] = "system",
    shortcuts: Annotated[str, Form(max_length=3)] = "off",
) -> Response:
    """Keep how somebody likes the pages, in their browser alone."""
    wanted = Preferences.parse(f"language:{language}.theme:{theme}.shortcuts:{shortcuts}")
    answer = go_to(viewer, "/me#preferences")
    answer.headers.append("Set-Cookie", cookies.header(PREFERENCES_COOKIE, str(wanted), seconds=YEAR))
    return answer


@router.post("/me/sessions/{session_id}/end")
def end(viewer: ViewerOf, session: Writing, session_id: str) -> Response:
    """End one of one's own sessions."""
    end_session(session, viewer.subject, public_id(session_id))
    return go_to(viewer, "/me#sessions")


@router.post("/me/passkeys/{passkey}/remove")
def remove_passkey(viewer: ViewerOf, session: Writing, passkey: str) -> Response:
    """Remove one of one's own passkeys."""
    revoke_passkey(session, viewer.subject, public_id(passkey))
    return go_to(viewer, "/me?notice=passkey-removed")


@router.post("/me/keys")
def create_key(
    viewer: ViewerOf,
    session: Changing,
    parts: ComponentsOf,
    label: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[int, Form(ge=1, le=3_650)] = 30,
    capabilities: Annotated[list[Capability] | None, Form()] = None,
) -> Response:
    """Create a key of one's own; its secret is on this page and never again."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    options = api_keys.NewKeyOptions(label, list(capabilities or ()), ends)
    max_days = parts.settings.sign_in.own_key_days
    key, new = api_keys.create_own_key(session, viewer.subject, options, max_days=max_days)
    return page(viewer, "account/new_key.html", {"key": key, "secret": new.secret}, status=201)


@router.post("/me/keys/{key}/revoke")
def revoke_key(viewer: ViewerOf, session: Changing, key: str) -> Response:
    """Revoke one of one's own keys."""
    api_keys.revoke_key(session, viewer.subject, public_id(key))
    return go_to(viewer, "/me#keys")
