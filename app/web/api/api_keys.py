"""API keys: made by administrators, and by people for themselves; revoked by either, and shortened by their holder."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from app.admin import api_keys as admin
from app.web.api.people_schemas import KeyBody, KeyOut, KeyPatch, NewKeyOut
from app.web.http.dependencies import Caller, Changing, ComponentsOf, Reading, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/keys", tags=["people"])


@router.get("")
def keys(subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None) -> list[KeyOut]:
    """Your own keys; those of anybody, or of `user`, for an administrator."""
    return [KeyOut.model_validate(key) for key in admin.list_keys(session, subject, page, user=user)]


@router.post("", status_code=201)
def make(body: KeyBody, subject: Caller, session: Changing, parts: ComponentsOf) -> NewKeyOut:
    """Make a key: your own, in a browser's session, or anybody's as an administrator.

    Its secret is in this answer and never again; the log names the maker.
    """
    new_key = admin.NewKeyOptions(body.label, body.capabilities, body.expires_at)
    if body.user is None or body.user == subject.name:
        key, new = admin.create_own_key(session, subject, new_key, max_days=parts.settings.sign_in.own_key_days)
    else:
        key, new = admin.create_key(session, subject, body.user, new_key)
    return NewKeyOut(**asdict(key), secret=new.secret)


@router.patch("/{key}")
def change(key: str, body: KeyPatch, subject: Caller, session: Changing) -> KeyOut:
    """Change a key's label or end (administer). You may let your own end earlier. One that has ended stays so."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return KeyOut.model_validate(admin.change_key(session, subject, public_id(key), given))


@router.delete("/{key}", status_code=204)
def revoke(key: str, subject: Caller, session: Changing) -> None:
    """Revoke a key: your own, or any as an administrator. It stops working when this returns."""
    admin.revoke_key(session, subject, public_id(key))
