"""Why may a person read a document, who else may, and what may a person or role read."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from app.acl.explain import explain, explain_at
from app.acl.history import collection_of
from app.acl.readers import reach, readers_of_scope
from app.acl.visible import visible_scopes
from app.admin.rules import editable_collections
from app.db.session import ReadSession
from app.errors import InvalidInput, MissingCapability, NotFound
from app.identity.authenticate import member_of, subject_of
from app.identity.names import find_person, find_role, names_of
from app.identity.subject import Capability, Subject
from app.retrieval.browse import curated, find_document
from app.web.api.schemas import ApiModel, ExplainOut
from app.web.http.dependencies import Caller, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/access", tags=["access"])

DocumentQuery = Annotated[uuid.UUID, Query(description="id of a document")]


class ReachOut(ApiModel):
    """How many documents of a collection somebody may read."""

    collection: str
    documents: int


@router.get("/explain")
def explain_access(
    subject: Caller,
    session: Reading,
    document: DocumentQuery,
    user: Annotated[str | None, Query(description="unset: yourself")] = None,
    at: Annotated[dt.datetime | None, Query(description="a moment of the past, with its zone; unset: now")] = None,
) -> ExplainOut:
    """The grant that decides. A document that you may neither read nor curate is not there."""
    if at is not None:
        return _past(session, subject, document, user, at)
    listed = find_document(session, subject, visible_scopes(session, subject), document)
    asked = subject
    if user not in {None, subject.name}:
        _need_ruler(subject, listed.document.collection_id)
        asked = subject_of(session, find_person(session, user or ""))
    found = explain(session, asked, document)
    if found is None:
        raise NotFound
    return ExplainOut(allowed=found.allowed, reason=found.reason, explanation=found.text, at=found.at)


@router.get("/readers")
def who_can_see(subject: Caller, session: Reading, document: DocumentQuery, page: PageOf) -> list[str]:
    """Everybody who may read a document now, by name: for the curators of its collection."""
    visible = visible_scopes(session, subject)
    listed = find_document(session, subject, visible, document)
    _need_ruler(subject, listed.document.collection_id)
    found = readers_of_scope(session, listed.document.scope_id, visible.at)
    return page.items(names_of(session, found).values(), str)


@router.get("/reach")
def what_can_see(
    subject: Caller,
    session: Reading,
    page: PageOf,
    user: Annotated[str | None, Query(description="what this person may read")] = None,
    role: Annotated[str | None, Query(description="or what membership in this role alone opens")] = None,
) -> list[ReachOut]:
    """How many documents a person or role may read, of the collections whose rules are yours to change."""
    if (user is None) == (role is None):
        raise InvalidInput("Name exactly one of user and role.")
    ruled = editable_collections(session, subject)
    if not ruled and Capability.ADMINISTER not in subject.capabilities:
        raise MissingCapability("What others may read is for administrators and for the curators of a collection.")
    asked = (
        subject_of(session, find_person(session, user))
        if user is not None
        else member_of(session, find_role(session, role or ""))
    )
    found = reach(session, asked, ruled, visible_scopes(session, subject).at)
    reached = [ReachOut(collection=name, documents=n) for name, n in found.items()]
    return page.items(reached, lambda one: one.collection)


def _past(session: ReadSession, subject: Subject, document: uuid.UUID, user: str | None, at: dt.datetime) -> ExplainOut:
    """The past is for the curators of the collection on which the document stands, or stood last."""
    if at.tzinfo is None:
        raise InvalidInput("Give the moment with its zone, as in 2026-03-03T12:00:00Z.")
    if collection_of(session, document) not in curated(subject):
        raise NotFound
    asked = subject if user in {None, subject.name} else subject_of(session, find_person(session, user or ""))
    found = explain_at(session, asked, document, at)
    return ExplainOut(allowed=found.allowed, reason=found.reason, explanation=found.text, at=found.at)


def _need_ruler(subject: Subject, collection_id: uuid.UUID) -> None:
    """What others may read is told to who may rule the collection; the document is visible to the caller already."""
    if collection_id not in curated(subject) and Capability.ADMINISTER not in subject.capabilities:
        raise MissingCapability("What others may read is for administrators and for the curators of the collection.")
