"""Who may read what: the rules of collections, of folders in them and of documents, whole or one grant at a time."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.acl.placement import DocumentPlacement, lock_document, rule_document
from app.acl.rule_changes import (
    Change,
    documents_below,
    drop_folder,
    find_folder,
    lock_collection,
    rule_collection,
    rule_folder,
)
from app.acl.rules import Grant, OwnRule
from app.acl.unread import document_rule, place_rule, unread
from app.acl.visible import visible_scopes
from app.admin.audit_records import record_rule
from app.db.paging import Page
from app.db.session import ReadSession, WriteSession
from app.db.tables.access import Collection, Folder
from app.errors import BeyondReach, NotAllowed, NotFound
from app.identity.subject import Capability, Subject, may_edit_rules, require_capability, require_curator
from app.paths import folder_path, skeleton
from app.retrieval.browse import find_collection, folders_of_documents


@dataclass(frozen=True)
class RuleTarget:
    """Whose rule is meant: a collection's, a folder's in it, or a document's. Exactly one of the two is named."""

    collection: str | None
    folder: str | None
    document: uuid.UUID | None


@dataclass(frozen=True)
class EditableRule:
    """A rule as it stands, locked, for who may change it; `place` is set for a document's."""

    collection: Collection
    folder: str | None
    place: DocumentPlacement | None
    own: OwnRule


def editable_collection(session: ReadSession | WriteSession, subject: Subject, name: str) -> Collection:
    """The collection, for who may change its rules. Raises NotFound, or NotAllowed to who merely reads from it."""
    found = find_collection(session, subject, visible_scopes(session, subject), name)
    if not may_edit_rules(subject, found.id):
        raise NotAllowed("The rules of a collection are for administrators and its curators.")
    return found


def editable_collections(session: Session, subject: Subject) -> list[Collection]:
    """The collections whose rules the subject may change, by name."""
    found = session.scalars(select(Collection).where(Collection.name.not_like(r"\_%")).order_by(Collection.name))
    return [collection for collection in found if may_edit_rules(subject, collection.id)]


def editable_rule(session: WriteSession, subject: Subject, target: RuleTarget) -> EditableRule:
    """The rule of the target, locked. Raises NotFound or NotAllowed; NotFound for a folder without a rule."""
    if target.document is not None:
        require_capability(subject, Capability.CURATE)
        place = lock_document(session, subject, target.document)
        return EditableRule(place.collection, None, place, place.own)
    collection = editable_collection(session, subject, target.collection or "")
    lock_collection(session, collection)
    stored = collection if target.folder is None else find_folder(session, collection.id, target.folder)
    return EditableRule(collection, target.folder, None, OwnRule.from_json(stored.own_rule))


def read_rule(session: ReadSession, subject: Subject, name: str, folder: str | None) -> OwnRule:
    """What a collection, or a folder of it, says for itself; raises NotFound or NotAllowed."""
    collection = editable_collection(session, subject, name)
    stored = collection if folder is None else find_folder(session, collection.id, folder_path(folder))
    return OwnRule.from_json(stored.own_rule)


def list_folder_rules(session: ReadSession, subject: Subject, name: str, page: Page) -> list[tuple[str, OwnRule]]:
    """The folders of a collection that have a rule of their own, by path."""
    collection = editable_collection(session, subject, name)
    query = select(Folder).where(Folder.collection_id == collection.id)
    rows = page.rows(session, query, [Folder.path])
    return [(folder.path, OwnRule.from_json(folder.own_rule)) for (folder,) in rows]


def set_rule(
    session: WriteSession, subject: Subject, collection: Collection, own: OwnRule, *, folder: str | None = None
) -> Change:
    """Replace the rule of a collection, or of a folder in it, which may have had none. It holds from the commit on."""
    _require_editor(subject, collection)
    if folder is None:
        change = rule_collection(session, subject, collection, collection_rule(collection, own))
        record_rule(session, subject, "collection.ruled", f"collection:{collection.id}", change)
        return change
    path = folder_path(folder)
    change = rule_folder(session, subject, collection, path, own)
    record_rule(session, subject, "folder.ruled", f"collection:{collection.id}/{path}", change)
    return change


def drop_folder_rule(session: WriteSession, subject: Subject, collection: Collection, folder: str) -> Change:
    """Take a folder's rule away: what lies below comes under what lies above. Raises NotFound without one."""
    _require_editor(subject, collection)
    path = folder_path(folder)
    change = drop_folder(session, subject, collection, path)
    record_rule(session, subject, "folder.dropped", f"collection:{collection.id}/{path}", change)
    return change


def set_document_rule(session: WriteSession, subject: Subject, place: DocumentPlacement, own: OwnRule) -> Change:
    """Replace the own rule of a document. Plain inheritance is `OwnRule()`."""
    require_curator(subject, place.collection.id)
    change = rule_document(session, subject, place, own)
    record_rule(session, subject, "document.ruled", f"document:{place.public_id}", change)
    return change


def add_grant(session: WriteSession, subject: Subject, target: RuleTarget, resolve: Callable[[], Grant]) -> Grant:
    """Add one grant under a lock; one that is there already stays. `resolve` is called when the target is known to be
    the subject's to change, since it may tell which roles and users there are.
    """
    rule = editable_rule(session, subject, target)
    grant = resolve()
    _set_grants(session, subject, rule, rule.own.grants | {grant})
    return grant


def remove_grant(session: WriteSession, subject: Subject, target: RuleTarget, grant_id: str) -> None:
    """Take one grant away by its id; raises NotFound."""
    rule = editable_rule(session, subject, target)
    kept = frozenset(grant for grant in rule.own.grants if id_of_grant(grant) != grant_id)
    if kept == rule.own.grants:
        raise NotFound
    _set_grants(session, subject, rule, kept)


def id_of_grant(grant: Grant) -> str:
    """A grant's id within its rule: a digest of what it says."""
    return hashlib.sha256(json.dumps(grant.to_json(), sort_keys=True).encode()).hexdigest()[:32]


def collection_rule(collection: Collection, own: OwnRule) -> OwnRule:
    """The rule as a collection takes it: it inherits from nothing and always has a label, at worst the one it had."""
    label = OwnRule.from_json(collection.own_rule).label if own.label is None else own.label
    return OwnRule(own.grants, inherits=False, label=label)


def collection_warnings(session: WriteSession, collection: Collection) -> list[str]:
    """That nobody, or hardly anybody, can read under the collection's rule."""
    return unread(session, place_rule(session, collection.id, None), collection.id)


def document_warnings(session: WriteSession, place: DocumentPlacement) -> list[str]:
    return unread(session, document_rule(session, place.public_id), place.collection.id)


def folder_effect(
    session: WriteSession, subject: Subject, collection: Collection, folder: str
) -> tuple[int, list[str]]:
    """How many documents are under a folder's rule, and warnings: none is, nobody reads, another name looks alike.

    Who may edit rules may count the collection's documents; the folders that they lie in are for its curators alone.
    """
    path = folder_path(folder)
    documents = documents_below(session, collection.id, path)
    known = set(session.scalars(select(Folder.path).where(Folder.collection_id == collection.id)))
    known |= folders_of_documents(session, subject, collection.id)
    alike = sorted(other for other in known - {path} if skeleton(other) == skeleton(path))
    warnings = [f"'{other}' looks like '{path}' and is another folder: this rule is not about it" for other in alike]
    if not documents:
        warnings.append(f"no document stands below '{path}': the rule is for what comes there")
    return documents, warnings + unread(session, place_rule(session, collection.id, path), collection.id)


def _set_grants(session: WriteSession, subject: Subject, rule: EditableRule, grants: frozenset[Grant]) -> None:
    own = replace(rule.own, grants=grants)
    if rule.place is not None:
        set_document_rule(session, subject, rule.place, own)
    else:
        set_rule(session, subject, rule.collection, own, folder=rule.folder)


def _require_editor(subject: Subject, collection: Collection) -> None:
    if not may_edit_rules(subject, collection.id):
        raise BeyondReach("The rules of this collection are for administrators and its curators.")
