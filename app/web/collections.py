"""Collections: shelves, who reads from them, and who curates them."""

from fastapi import APIRouter
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.acl.policy import Change, create_collection, may_rule, rule_collection
from app.acl.rules import OwnRule, Subject
from app.acl.visible import visible_scopes
from app.db.session import WriteSession
from app.db.tables.access import Collection, Curator
from app.db.tables.people import User
from app.errors import Conflict, NotAllowed, NotFound, SelfGrant
from app.retrieval.browse import find_collection, list_collections
from app.web.access import Administrator, Caller, Reading, Writing
from app.web.policy_log import log_collection, log_curator
from app.web.rules_wire import to_rule, to_wire
from app.web.schemas import AccessBody, AccessOut, CollectionBody, CollectionOut

router = APIRouter(prefix="/collections", tags=["collections"])


@router.get("")
def collections(subject: Caller, session: Reading) -> list[CollectionOut]:
    """The collections you may read from or curate; all of them for an administrator."""
    found = list_collections(session, subject, visible_scopes(session, subject))
    return [CollectionOut.model_validate(c) for c in found]


@router.post("", status_code=201)
def make(body: CollectionBody, subject: Administrator, session: Writing) -> CollectionOut:
    """Make a collection (administer)."""
    if session.scalar(select(Collection.id).where(Collection.name == body.name)) is not None:
        raise Conflict(f"A collection named '{body.name}' exists.")
    own = to_rule(session, AccessBody(grants=body.grants, label=body.label, inherits=False))
    made = create_collection(session, subject, name=body.name, description=body.description, own=own)
    log_collection(session, subject, "collection.made", made, Change(OwnRule(inherits=False), own, 0))
    return CollectionOut.model_validate(made)


@router.get("/{name}")
def collection(name: str, subject: Caller, session: Reading) -> CollectionOut:
    """One collection."""
    return CollectionOut.model_validate(find_collection(session, subject, visible_scopes(session, subject), name))


@router.delete("/{name}", status_code=204)
def drop(name: str, subject: Administrator, session: Writing) -> None:
    """Delete a collection and all documents on it (administer)."""
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    before = OwnRule.from_json(found.own_rule)
    log_collection(session, subject, "collection.dropped", found, Change(before, OwnRule(inherits=False), 0))
    session.execute(delete(Collection).where(Collection.id == found.id))


@router.get("/{name}/access")
def rule(name: str, subject: Caller, session: Reading) -> AccessOut:
    """Who may read from the collection: for administrators and its curators."""
    found = ruled(session, subject, name)
    return to_wire(session, OwnRule.from_json(found.own_rule))


@router.put("/{name}/access")
def change_rule(name: str, body: AccessBody, subject: Caller, session: Writing) -> AccessOut:
    """Replace the rule of the collection. It takes effect when this returns, on every document that inherits it."""
    found = ruled(session, subject, name)
    before = OwnRule.from_json(found.own_rule)
    wanted = to_rule(session, body)
    own = OwnRule(wanted.grants, inherits=False, label=wanted.label if wanted.label is not None else before.label)
    log_collection(session, subject, "collection.ruled", found, rule_collection(session, subject, found, own))
    return to_wire(session, own)


@router.put("/{name}/curators/{user}", status_code=204)
def add_curator(name: str, user: str, subject: Administrator, session: Writing) -> None:
    """Let a person curate the collection (administer). Curating is not reading."""
    found, person = _shelf_and_person(session, subject, name, user)
    if person.id == subject.user_id:
        raise SelfGrant("You cannot make yourself a curator. Ask another administrator.")
    session.execute(insert(Curator).values(user_id=person.id, collection_id=found.id).on_conflict_do_nothing())
    log_curator(session, subject, "curator.added", found, person)


@router.delete("/{name}/curators/{user}", status_code=204)
def remove_curator(name: str, user: str, subject: Administrator, session: Writing) -> None:
    """Take a person's curating away (administer)."""
    found, person = _shelf_and_person(session, subject, name, user)
    session.execute(delete(Curator).where(Curator.user_id == person.id, Curator.collection_id == found.id))
    log_curator(session, subject, "curator.removed", found, person)


def ruled(session: Reading | Writing, subject: Subject, name: str) -> Collection:
    """The collection, for who may rule it; who merely reads from it is told that this is not theirs to do."""
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    if not may_rule(subject, found.id):
        raise NotAllowed("The rules of a collection are for administrators and its curators.")
    return found


def _shelf_and_person(session: WriteSession, subject: Subject, name: str, user: str) -> tuple[Collection, User]:
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    person = session.scalar(select(User).where(User.name == user, User.name.not_like(r"\_%")))
    if person is None:
        raise NotFound
    return found, person
