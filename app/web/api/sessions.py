"""Browsers that are signed in, listed and ended; and links by which an administrator lets somebody sign in."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.identity.names import find_person
from app.sign_in import links as admin_links
from app.sign_in import sessions as admin
from app.web.api.people_schemas import LinkBody, NewLinkOut, SessionOut, SignOutOut
from app.web.http.dependencies import (
    Administrator,
    Caller,
    Changing,
    ComponentsOf,
    CookiesOf,
    Reading,
    Writing,
    public_id,
)
from app.web.http.paging import PageOf

router = APIRouter(tags=["people"])


@router.get("/sessions")
def sessions(
    subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None
) -> list[SessionOut]:
    """Your own sessions; those of `user`, for an administrator."""
    return [SessionOut.model_validate(each) for each in admin.list_sessions(session, subject, page, user=user)]


@router.delete("/sessions/{session_id}", status_code=204)
def end(session_id: str, subject: Caller, session: Writing) -> None:
    """End a session: your own, or any as an administrator. It stops working when this returns."""
    admin.end_session(session, subject, public_id(session_id))


@router.delete("/users/{name}/sessions")
def end_all(name: str, subject: Caller, session: Changing) -> SignOutOut:
    """Sign out everywhere: yourself, or anybody as an administrator. A provider's tokens from before die too."""
    return SignOutOut(ended=admin.end_all_sessions(session, subject, name))


@router.post("/users/{name}/links", status_code=201)
def invite(
    name: str, body: LinkBody, subject: Administrator, session: Changing, parts: ComponentsOf, cookies: CookiesOf
) -> NewLinkOut:
    """Make a link that signs a person in once (administer). It is in this answer and never again."""
    link, new = admin_links.create_link(
        session, subject, parts.settings.sign_in, find_person(session, name), loopback=body.loopback
    )
    url = f"{cookies.origin}/sign-in/link?token={new.secret}"
    return NewLinkOut(id=link.id, prefix=link.prefix, user=link.user, expires_at=link.expires_at, url=url)


@router.delete("/links/{link}", status_code=204)
def revoke_link(link: str, subject: Administrator, session: Changing) -> None:
    """Take a link back that nobody has used (administer)."""
    admin_links.revoke_link(session, subject, public_id(link))
