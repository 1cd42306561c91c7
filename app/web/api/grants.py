"""Grants one by one: added and taken away under a lock, so that two administrators at once lose nothing."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.acl.rules import Grant, OwnRule
from app.admin.rules import RuleTarget, add_grant, editable_rule, id_of_grant, remove_grant
from app.db.session import WriteSession
from app.errors import InvalidInput
from app.paths import folder_path
from app.web.api.rule_schemas import grants_to_wire, to_rule
from app.web.api.schemas import AccessBody, GrantBody, GrantOut
from app.web.http.dependencies import Caller, Changing, Writing
from app.web.http.paging import PageOf

router = APIRouter(prefix="/grants", tags=["access"])


def target_of(
    _subject: Caller,
    collection: Annotated[str | None, Query(description="the grants of this collection")] = None,
    folder: Annotated[str | None, Query(description="with a collection: of this folder in it")] = None,
    document: Annotated[uuid.UUID | None, Query(description="or those of this document's own")] = None,
) -> RuleTarget:
    """Raises InvalidInput unless exactly one is named; for strangers, NotSignedIn before that."""
    if (collection is None) == (document is None) or (folder is not None and collection is None):
        raise InvalidInput("Name exactly one of collection and document; a folder is named with its collection.")
    return RuleTarget(collection, None if folder is None else folder_path(folder), document)


TargetOf = Annotated[RuleTarget, Depends(target_of)]


@router.get("")
def grants(target: TargetOf, subject: Caller, session: Writing, page: PageOf) -> list[GrantOut]:
    """The grants of a collection or folder (its curators, administrators), or of a document itself (its curators)."""
    return page.items(_wire(session, editable_rule(session, subject, target).own), lambda grant: grant.id)


@router.post("", status_code=201)
def add(target: TargetOf, body: GrantBody, subject: Caller, session: Changing) -> GrantOut:
    """Add one grant. It takes effect when this returns; one that is there already stays."""

    def resolve() -> Grant:
        [grant] = to_rule(session, AccessBody(grants=[body])).grants
        return grant

    added = add_grant(session, subject, target, resolve)
    return _wire(session, OwnRule(frozenset({added})))[0]


@router.delete("/{grant}", status_code=204)
def remove(grant: str, target: TargetOf, subject: Caller, session: Changing) -> None:
    """Take one grant away. It is gone when this returns."""
    remove_grant(session, subject, target, grant)


def _wire(session: WriteSession, own: OwnRule) -> list[GrantOut]:
    return [GrantOut(id=id_of_grant(grant), **body.model_dump()) for grant, body in grants_to_wire(session, own)]
