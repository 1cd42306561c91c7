"""What you let a service do for you: made and ended in person, with your own key."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from app.admin import delegations as admin
from app.identity.subject import Capability
from app.web.api.people_schemas import DelegationBody, DelegationOut, NewDelegationOut
from app.web.http.dependencies import Caller, ComponentsOf, Reading, Writing, public_id
from app.web.http.paging import PageOf

router = APIRouter(prefix="/delegations", tags=["people"])


@router.get("")
def delegations(
    subject: Caller, session: Reading, page: PageOf, user: Annotated[str | None, Query()] = None
) -> list[DelegationOut]:
    """Your own; those that anybody, or `user`, has given, for an administrator."""
    found = admin.list_delegations(session, subject, page, user=user)
    return [DelegationOut.model_validate(delegation) for delegation in found]


@router.post("", status_code=201)
def make(body: DelegationBody, subject: Caller, session: Writing, parts: ComponentsOf) -> NewDelegationOut:
    """Let a service act for you. The token is in this answer and never again; it needs a key of that service too."""
    made, new = admin.create_delegation(
        session,
        subject,
        service=body.service,
        seconds=body.expires_in,
        max_seconds=parts.settings.api.delegation_seconds,
        allowed=[Capability(name) for name in body.capabilities],
    )
    return NewDelegationOut(**asdict(made), secret=new.secret)


@router.delete("/{delegation}", status_code=204)
def revoke(delegation: str, subject: Caller, session: Writing) -> None:
    """End a delegation: your own, or any as an administrator. It stops working when this returns."""
    admin.revoke_delegation(session, subject, public_id(delegation))
