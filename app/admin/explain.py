"""Why somebody may read a document, who else may, and what a person or role may read: for readers of their own access,
for those in charge of that of others.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from app.acl.explain import Explanation, explain, explain_at
from app.acl.history import collection_of
from app.acl.readers import reach, readers_of_scope
from app.acl.visible import visible_scopes
from app.admin.rules import editable_collections
from app.db.paging import Page
from app.db.session import ReadSession
from app.errors import InvalidInput, MissingCapability, NotFound
from app.identity.authenticate import member_of, subject_of
from app.identity.names import find_person, find_role, names_of
from app.identity.subject import Capability, Subject
from app.retrieval.browse import curated, find_document


@dataclass(frozen=True)
class Reach:
    """How many documents of a collection somebody may read."""

    collection: str
    documents: int


def explain_access(
    session: ReadSession,
    subject: Subject,
    document: uuid.UUID,
    *,
    user: str | None = None,
    at: dt.datetime | None = None,
) -> Explanation:
    """The grant that decides for the subject, or for the person of this name, now or at a moment of the past.

    Raises NotFound for a document that the subject may neither read nor curate; MissingCapability for another person
    unless the subject is in charge of its collection. The past is for the curators of the collection on which the
    document stands, or stood last. InvalidInput for a moment without its zone.
    """
    if at is not None:
        return _past(session, subject, document, user, at)
    listed = find_document(session, subject, visible_scopes(session, subject), document)
    asked = subject
    if user not in {None, subject.name}:
        require_ruler(subject, listed.document.collection_id)
        asked = subject_of(session, find_person(session, user or ""))
    found = explain(session, asked, document)
    if found is None:
        raise NotFound
    return found


def list_readers(session: ReadSession, subject: Subject, document: uuid.UUID, page: Page) -> list[str]:
    """Everybody who may read a document now, by name. Raises NotFound or MissingCapability as `explain_access`."""
    visible = visible_scopes(session, subject)
    listed = find_document(session, subject, visible, document)
    require_ruler(subject, listed.document.collection_id)
    found = readers_of_scope(session, listed.document.scope_id, visible.at)
    return page.items(names_of(session, found).values(), str)


def list_reach(
    session: ReadSession, subject: Subject, page: Page, *, user: str | None = None, role: str | None = None
) -> list[Reach]:
    """How many documents a person, or membership in a role alone, opens, of the collections that the subject rules.

    Raises InvalidInput unless one of both is named, MissingCapability for who rules none, NotFound.
    """
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
    return page.items([Reach(name, n) for name, n in found.items()], lambda one: one.collection)


def _past(
    session: ReadSession, subject: Subject, document: uuid.UUID, user: str | None, at: dt.datetime
) -> Explanation:
    require_past(session, subject, document, at)
    asked = subject if user in {None, subject.name} else subject_of(session, find_person(session, user or ""))
    return explain_at(session, asked, document, at)


def require_past(session: ReadSession, subject: Subject, document: uuid.UUID, at: dt.datetime) -> None:
    """Raise InvalidInput for a moment without its zone, NotFound for who curates no collection it stood on last."""
    if at.tzinfo is None:
        raise InvalidInput("Give the moment with its zone, as in 2026-03-03T12:00:00Z.")
    if collection_of(session, document) not in curated(subject):
        raise NotFound


def require_ruler(subject: Subject, collection_id: uuid.UUID) -> None:
    """Raise MissingCapability unless the subject may be told what others read of a collection that they see."""
    if collection_id not in curated(subject) and Capability.ADMINISTER not in subject.capabilities:
        raise MissingCapability("What others may read is for administrators and for the curators of the collection.")
