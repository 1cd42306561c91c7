"""Collections: shelves, who reads from them, and who curates them."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.acl.rule_changes import (
    Change,
    create_collection,
    documents_below,
    drop_folder,
    find_folder,
    may_rule,
    rule_collection,
    rule_folder,
)
from app.acl.rules import OwnRule
from app.acl.unread import place_rule, unread
from app.acl.visible import visible_scopes
from app.db.session import WriteSession
from app.db.tables.access import Collection, Curator, Folder
from app.db.tables.people import User
from app.errors import Conflict, NotAllowed, SelfGrant
from app.identity.names import find_person
from app.identity.subject import Subject
from app.paths import folder_path, skeleton
from app.retrieval.browse import find_collection, folders_of_documents, readable_collections
from app.web.api.rule_schemas import to_rule, to_wire, to_wires
from app.web.api.schemas import AccessBody, AccessChanged, AccessOut, CollectionBody, CollectionOut
from app.web.http.dependencies import Administrator, Caller, Changing, Lent, Reading, Writing
from app.web.http.paging import PageOf
from app.web.policy_log import log_collection, log_curator, log_folder

router = APIRouter(prefix="/collections", tags=["collections"])

FOLDER = Query(description="path of a folder on the shelf, like payroll/2026")
FolderQuery = Annotated[str | None, FOLDER]


class FolderOut(AccessOut):
    """A folder and what it says for itself."""

    path: str


@router.get("")
def collections(subject: Lent, session: Reading, page: PageOf) -> list[CollectionOut]:
    """The collections you may read from or curate; all of them for an administrator."""
    query = readable_collections(subject, visible_scopes(session, subject))
    return [CollectionOut.model_validate(c) for (c,) in page.rows(session, query, [Collection.name])]


@router.post("", status_code=201)
def make(body: CollectionBody, subject: Administrator, session: Changing) -> CollectionOut:
    """Make a collection (administer)."""
    if session.scalar(select(Collection.id).where(Collection.name == body.name)) is not None:
        raise Conflict(f"A collection named '{body.name}' exists.")
    own = to_rule(session, AccessBody(grants=body.grants, label=body.label, inherits=False))
    made = create_collection(session, subject, name=body.name, description=body.description, own=own)
    log_collection(session, subject, "collection.made", made, Change(OwnRule(inherits=False), own))
    return CollectionOut.model_validate(made)


@router.get("/{name}")
def collection(name: str, subject: Lent, session: Reading) -> CollectionOut:
    """One collection."""
    return CollectionOut.model_validate(find_collection(session, subject, visible_scopes(session, subject), name))


@router.delete("/{name}", status_code=204)
def drop(name: str, subject: Administrator, session: Changing) -> None:
    """Delete a collection and all documents on it (administer)."""
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    before = OwnRule.from_json(found.own_rule)
    log_collection(session, subject, "collection.dropped", found, Change(before, OwnRule(inherits=False)))
    session.execute(delete(Collection).where(Collection.id == found.id))


@router.get("/{name}/folders")
def folders(name: str, subject: Caller, session: Reading, page: PageOf) -> list[FolderOut]:
    """The folders with a rule of their own: for administrators and its curators."""
    found = ruled(session, subject, name)
    query = select(Folder).where(Folder.collection_id == found.id)
    rows = [folder for (folder,) in page.rows(session, query, [Folder.path])]
    rules = to_wires(session, [OwnRule.from_json(folder.own_rule) for folder in rows])
    return [FolderOut(path=f.path, **rule.model_dump()) for f, rule in zip(rows, rules, strict=True)]


@router.get("/{name}/access")
def rule(name: str, subject: Caller, session: Reading, folder: FolderQuery = None) -> AccessOut:
    """Who may read from the collection, or what its folder says for itself: for administrators and its curators."""
    found = ruled(session, subject, name)
    target = found if folder is None else find_folder(session, found.id, folder_path(folder))
    return to_wire(session, OwnRule.from_json(target.own_rule))


@router.put("/{name}/access")
def change_rule(
    name: str, body: AccessBody, subject: Caller, session: Changing, folder: FolderQuery = None
) -> AccessChanged:
    """Replace the rule of the collection, or of a folder. It holds when this returns, for all that inherits it."""
    found = ruled(session, subject, name)
    wanted = to_rule(session, body)
    if folder is not None:
        change = rule_folder(session, subject, found, folder, wanted)
        log_folder(session, subject, "folder.ruled", found, folder_path(folder), change)
        return _folder_changed(session, subject, found, folder_path(folder), wanted)
    before = OwnRule.from_json(found.own_rule)
    own = OwnRule(wanted.grants, inherits=False, label=wanted.label if wanted.label is not None else before.label)
    log_collection(session, subject, "collection.ruled", found, rule_collection(session, subject, found, own))
    warnings = unread(session, place_rule(session, found.id, None), found.id)
    return AccessChanged(**to_wire(session, own).model_dump(), warnings=warnings)


@router.delete("/{name}/access", status_code=204)
def drop_rule(name: str, folder: Annotated[str, FOLDER], subject: Caller, session: Changing) -> None:
    """Take a folder's rule away: what lies below comes under what lies above. A collection always has a rule."""
    found = ruled(session, subject, name)
    change = drop_folder(session, subject, found, folder_path(folder))
    log_folder(session, subject, "folder.dropped", found, folder_path(folder), change)


@router.put("/{name}/curators/{user}", status_code=204)
def add_curator(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Let a person curate the collection (administer). Curating is not reading."""
    found, person = _shelf_and_person(session, subject, name, user)
    if person.id == subject.user_id:
        # Refused also where they curate it already: the judge sees no gain in that, and the log would say it was added.
        raise SelfGrant("You cannot make yourself a curator. Ask another administrator.")
    session.execute(insert(Curator).values(user_id=person.id, collection_id=found.id).on_conflict_do_nothing())
    log_curator(session, subject, "curator.added", found, person)


@router.delete("/{name}/curators/{user}", status_code=204)
def remove_curator(name: str, user: str, subject: Administrator, session: Changing) -> None:
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


def _folder_changed(
    session: WriteSession, subject: Subject, found: Collection, path: str, own: OwnRule
) -> AccessChanged:
    """A folder's rule with how many documents are under it, and warnings: none there, nobody reads, a name looks alike.

    Whoever rules a collection may count its documents; the folders that they lie in are for its curators alone.
    """
    documents = documents_below(session, found.id, path)
    known = set(session.scalars(select(Folder.path).where(Folder.collection_id == found.id)))
    known |= folders_of_documents(session, subject, found.id)
    alike = sorted(other for other in known - {path} if skeleton(other) == skeleton(path))
    warnings = [f"'{other}' looks like '{path}' and is another folder: this rule is not about it" for other in alike]
    if not documents:
        warnings.append(f"no document stands below '{path}': the rule is for what comes there")
    warnings += unread(session, place_rule(session, found.id, path), found.id)
    return AccessChanged(**to_wire(session, own).model_dump(), documents=documents, warnings=warnings)


def _shelf_and_person(session: WriteSession, subject: Subject, name: str, user: str) -> tuple[Collection, User]:
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    return found, find_person(session, user)
