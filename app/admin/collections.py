"""Collections: created and deleted, and who curates them."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.acl.change_guard import guard_change
from app.acl.rule_changes import Change, create_collection_row
from app.acl.rules import OwnRule
from app.acl.visible import visible_scopes
from app.admin.audit_records import record_person, record_rule
from app.db.paging import Page
from app.db.session import ReadSession, WriteSession
from app.db.tables.access import Collection, Curator
from app.db.tables.people import User
from app.errors import Conflict, SelfGrant
from app.identity.names import refuse_service
from app.identity.subject import Capability, Subject, require_capability
from app.retrieval.browse import find_collection, readable_collections


def list_collections(session: ReadSession, subject: Subject, page: Page) -> list[Collection]:
    """The collections that the subject may read from or curate; all of them for an administrator."""
    query = readable_collections(subject, visible_scopes(session, subject))
    return [collection for (collection,) in page.rows(session, query, [Collection.name])]


def get_collection(session: ReadSession | WriteSession, subject: Subject, name: str) -> Collection:
    """One of them; raises NotFound."""
    return find_collection(session, subject, visible_scopes(session, subject), name)


def create_collection(
    session: WriteSession, subject: Subject, *, name: str, description: str, own: OwnRule
) -> Collection:
    """A new, empty collection under this rule, which must have a label. Raises Conflict for a name that is taken."""
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    if session.scalar(select(Collection.id).where(Collection.name == name)) is not None:
        raise Conflict(f"A collection named '{name}' exists.")
    collection = create_collection_row(session, subject, name=name, description=description, own=own)
    nothing = OwnRule(inherits=False)
    record_rule(session, subject, "collection.made", f"collection:{collection.id}", Change(nothing, own))
    return collection


def delete_collection(session: WriteSession, subject: Subject, name: str) -> None:
    """Delete a collection and all documents in it."""
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    collection = get_collection(session, subject, name)
    change = Change(OwnRule.from_json(collection.own_rule), OwnRule(inherits=False))
    record_rule(session, subject, "collection.dropped", f"collection:{collection.id}", change)
    session.execute(delete(Collection).where(Collection.id == collection.id))


def add_curator(session: WriteSession, subject: Subject, collection: Collection, person: User) -> None:
    """Let a person curate the collection; curating is not reading. Raises SelfGrant, InvalidInput for a service."""
    require_capability(subject, Capability.ADMINISTER)
    refuse_service(person)
    guard_change(session, subject)
    if person.id == subject.user_id:
        # Refused also where they curate it already: the guard sees no gain in that, and the log would say it was added.
        raise SelfGrant("You cannot make yourself a curator. Ask another administrator.")
    session.execute(insert(Curator).values(user_id=person.id, collection_id=collection.id).on_conflict_do_nothing())
    record_person(session, subject, "curator.added", f"collection:{collection.id}", person.id)


def remove_curator(session: WriteSession, subject: Subject, collection: Collection, person: User) -> None:
    require_capability(subject, Capability.ADMINISTER)
    guard_change(session, subject)
    session.execute(delete(Curator).where(Curator.user_id == person.id, Curator.collection_id == collection.id))
    record_person(session, subject, "curator.removed", f"collection:{collection.id}", person.id)
