"""Changes of who may read what. Each is guarded (`app.acl.change_guard`) and moves scopes, never content."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.rules import Grant, OwnRule
from app.acl.scopes import Move, put_into_folders, repoint_scopes, scope_for
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder
from app.errors import NotFound, UnknownRole
from app.identity.names import known_roles
from app.identity.subject import EVERYONE, EVERYONE_ID, Principal, Subject
from app.paths import folder_path

# The tag that means every signed-in person; no role may take its name.
EVERYONE_TAG = "everyone"


@dataclass(frozen=True)
class Change:
    """What a change of rules did: the stored values before and after, and which documents came under another rule."""

    before: OwnRule
    after: OwnRule
    moves: tuple[Move, ...] = ()


def role_ids(session: Session, names: list[str]) -> dict[str, uuid.UUID]:
    """The ids of role tags; raises UnknownRole that lists those that name none."""
    known = known_roles(session, names)
    if EVERYONE_TAG in names:
        known[EVERYONE_TAG] = EVERYONE_ID
    if unknown := sorted(set(names) - set(known)):
        raise UnknownRole(f"No role is named {', '.join(map(repr, unknown))}. 'clearance roles list' shows the roles.")
    return known


def create_collection_row(
    session: WriteSession, subject: Subject, *, name: str, description: str, own: OwnRule
) -> Collection:
    """A new collection with its plain scope; the caller has checked that the name is free."""
    guard_change(session, subject)
    collection = Collection(name=name, description=description, own_rule=own.to_json())
    session.add(collection)
    session.flush()
    scope_for(session, collection, OwnRule())
    return collection


def rule_collection(session: WriteSession, subject: Subject, collection: Collection, own: OwnRule) -> Change:
    """Give a collection another rule: its few scopes point to other rules, and no document or chunk row is written."""
    guard_change(session, subject)
    lock_collection(session, collection)
    before = OwnRule.from_json(collection.own_rule)
    session.execute(update(Collection).where(Collection.id == collection.id).values(own_rule=own.to_json()))
    return Change(before, own, tuple(repoint_scopes(session, collection.id)))


def find_folder(session: Session, collection_id: uuid.UUID, path: str) -> Folder:
    """The folder of this path that has a rule of its own; raises NotFound. For who may rule the collection."""
    here = (Folder.collection_id == collection_id) & (Folder.path == folder_path(path))
    folder = session.scalar(select(Folder).where(here))
    if folder is None:
        raise NotFound(f"The folder {path!r} has no rule of its own.")
    return folder


def documents_below(session: Session, collection_id: uuid.UUID, path: str) -> int:
    """How many documents stand below a folder, for who may rule the collection; the database gives others 0."""
    return int(session.scalar(select(func.clearance.documents_below(collection_id, folder_path(path)))) or 0)


def rule_folder(session: WriteSession, subject: Subject, collection: Collection, path: str, own: OwnRule) -> Change:
    """Give a folder a rule, or another one. With its first one the documents below come under it and are moved."""
    guard_change(session, subject)
    lock_collection(session, collection)
    folder = session.scalar(
        select(Folder)
        .where(Folder.collection_id == collection.id, Folder.path == folder_path(path))
        .execution_options(populate_existing=True)
    )
    if folder is None:
        session.add(Folder(collection_id=collection.id, path=folder_path(path), own_rule=own.to_json()))
        session.flush()
        return Change(OwnRule(), own, tuple(put_into_folders(session, collection)))
    before = OwnRule.from_json(folder.own_rule)
    session.execute(update(Folder).where(Folder.id == folder.id).values(own_rule=own.to_json()))
    return Change(before, own, tuple(repoint_scopes(session, collection.id, folder.path)))


def drop_folder(session: WriteSession, subject: Subject, collection: Collection, path: str) -> Change:
    """Take a folder's rule away: the documents below come under what lies above. Raises NotFound without one."""
    guard_change(session, subject)
    lock_collection(session, collection)
    folder = find_folder(session, collection.id, path)
    before = OwnRule.from_json(folder.own_rule)
    moves = put_into_folders(session, collection, leaving=folder.id)
    session.execute(delete(Folder).where(Folder.id == folder.id))
    # The folders below inherit from another one now.
    return Change(before, OwnRule(), (*moves, *repoint_scopes(session, collection.id, folder_path(path))))


def lock_collection(session: WriteSession, collection: Collection) -> None:
    """Lock the collection against other changes of its rules and against placings, and read it as it stands."""
    session.refresh(collection, with_for_update={"key_share": True})


def tag_grants(
    roles: dict[str, uuid.UUID],
    deny: dict[str, uuid.UUID],
    *,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
) -> frozenset[Grant]:
    """The grants that role tags stand for. Start and end bound what is allowed; what is denied is denied always."""
    allowed = {Grant("allow", _principal(name, role_id), starts_at, ends_at) for name, role_id in roles.items()}
    denied = {Grant("deny", _principal(name, role_id)) for name, role_id in deny.items()}
    return frozenset(allowed | denied)


def _principal(name: str, role_id: uuid.UUID) -> Principal:
    return EVERYONE if name == EVERYONE_TAG else Principal("role", role_id)
