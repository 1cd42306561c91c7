"""Grants one by one: added and taken away under a lock, so that two administrators at once lose nothing."""

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.acl.placement import Place, find_place, rule_document
from app.acl.rule_changes import find_folder, need, rule_collection, rule_folder, take_hold
from app.acl.rules import Grant, OwnRule
from app.db.session import WriteSession
from app.db.tables.access import Collection
from app.errors import InvalidInput, NotFound
from app.identity.subject import Capability, Subject
from app.paths import folder_path
from app.web.api.collections import ruled
from app.web.api.rule_schemas import grants_to_wire, to_rule
from app.web.api.schemas import AccessBody, GrantBody, GrantOut
from app.web.http.dependencies import Caller, Changing, Writing
from app.web.http.paging import PageOf
from app.web.policy_log import log_collection, log_document, log_folder

router = APIRouter(prefix="/grants", tags=["access"])


@dataclass(frozen=True)
class Target:
    """Whose grants: those of one collection, of a folder of it, or of one document."""

    collection: str | None
    document: uuid.UUID | None
    folder: str | None


@dataclass(frozen=True)
class Shelf:
    """A collection, locked, and the path of the folder in it that is meant, if one is."""

    collection: Collection
    folder: str | None
    own: OwnRule


def target_of(
    _subject: Caller,
    collection: Annotated[str | None, Query(description="the grants of this collection")] = None,
    folder: Annotated[str | None, Query(description="with a collection: of this folder in it")] = None,
    document: Annotated[uuid.UUID | None, Query(description="or those of this document's own")] = None,
) -> Target:
    """Raises InvalidInput unless exactly one is named; for strangers, NotSignedIn before that."""
    if (collection is None) == (document is None) or (folder is not None and collection is None):
        raise InvalidInput("Name exactly one of collection and document; a folder is named with its collection.")
    return Target(collection, document, None if folder is None else folder_path(folder))


TargetOf = Annotated[Target, Depends(target_of)]


@router.get("")
def grants(target: TargetOf, subject: Caller, session: Writing, page: PageOf) -> list[GrantOut]:
    """The grants of a collection or folder (its curators, administrators), or of a document itself (its curators)."""
    return page.items(_wire(session, _found(session, subject, target).own), lambda grant: grant.id)


@router.post("", status_code=201)
def add(target: TargetOf, body: GrantBody, subject: Caller, session: Changing) -> GrantOut:
    """Add one grant. It takes effect when this returns; one that is there already stays."""
    found = _found(session, subject, target)
    [grant] = to_rule(session, AccessBody(grants=[body])).grants
    _change(session, subject, found, found.own.grants | {grant})
    return _wire(session, OwnRule(frozenset({grant})))[0]


@router.delete("/{grant}", status_code=204)
def remove(grant: str, target: TargetOf, subject: Caller, session: Changing) -> None:
    """Take one grant away. It is gone when this returns."""
    found = _found(session, subject, target)
    kept = frozenset(g for g in found.own.grants if grant_id(g) != grant)
    if kept == found.own.grants:
        raise NotFound
    _change(session, subject, found, kept)


def grant_id(grant: Grant) -> str:
    """A grant's id within its rule: a digest of what it says."""
    return hashlib.sha256(json.dumps(grant.to_json(), sort_keys=True).encode()).hexdigest()[:32]


def _found(session: WriteSession, subject: Subject, target: Target) -> Shelf | Place:
    """The collection, folder or document, locked; NotFound or NotAllowed for whom its rules are not."""
    if target.document is not None:
        need(subject, Capability.CURATE)
        return find_place(session, subject, target.document)
    collection = ruled(session, subject, target.collection or "")
    take_hold(session, collection)
    if target.folder is None:
        return Shelf(collection, None, OwnRule.from_json(collection.own_rule))
    folder = find_folder(session, collection.id, target.folder)
    return Shelf(collection, target.folder, OwnRule.from_json(folder.own_rule))


def _change(session: WriteSession, subject: Subject, found: Shelf | Place, granted: frozenset[Grant]) -> None:
    own = replace(found.own, grants=granted)
    if isinstance(found, Place):
        log_document(session, subject, found.public_id, rule_document(session, subject, found, own))
    elif found.folder is None:
        change = rule_collection(session, subject, found.collection, own)
        log_collection(session, subject, "collection.ruled", found.collection, change)
    else:
        change = rule_folder(session, subject, found.collection, found.folder, own)
        log_folder(session, subject, "folder.ruled", found.collection, found.folder, change)


def _wire(session: WriteSession, own: OwnRule) -> list[GrantOut]:
    return [GrantOut(id=grant_id(grant), **body.model_dump()) for grant, body in grants_to_wire(session, own)]
