"""Passkeys: added in a browser's session, listed, and revoked."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.sign_in import passkeys as admin
from app.sign_in.passkey_list import list_passkeys, revoke_passkey
from app.web.api.people_schemas import PasskeyBody, PasskeyOptionsOut, PasskeyOut
from app.web.http.dependencies import Caller, ComponentsOf, CookiesOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/passkeys", tags=["people"])


@router.get("")
def passkeys(
    subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None
) -> list[PasskeyOut]:
    """Your own passkeys; those of `user`, for an administrator."""
    return [PasskeyOut.model_validate(each) for each in list_passkeys(session, subject, page, user=user)]


@router.post("/options")
def options(subject: Caller, parts: ComponentsOf, cookies: CookiesOf) -> PasskeyOptionsOut:
    """What a browser needs to make a passkey. In a browser's session alone: no key or token can do it."""
    made: dict[str, Any] = admin.begin_registration(parts.database, subject, cookies.origin)
    return PasskeyOptionsOut(options=made)


@router.post("", status_code=201)
def add(body: PasskeyBody, subject: Caller, parts: ComponentsOf, cookies: CookiesOf) -> PasskeyOut:
    """Add the passkey that the browser made for these options, once and in the same session."""
    made = admin.finish_registration(parts.database, subject, cookies.origin, body.credential, body.label)
    return PasskeyOut.model_validate(made)


@router.delete("/{passkey}", status_code=204)
def revoke(passkey: str, subject: Caller, session: Writing) -> None:
    """Revoke a passkey: your own, or any as an administrator. It signs nobody in when this returns."""
    revoke_passkey(session, subject, public_id(passkey))
