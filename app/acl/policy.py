"""Changes of who may read what. Each is checked for a grant to oneself and moves scopes, never content."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.acl.names import known_roles
from app.acl.rules import EVERYONE, EVERYONE_ID, Capability, Grant, Label, OwnRule, Principal, Rule, Subject, effective
from app.acl.scopes import Move, follow, put_into_folders, rules_about, scope_for
from app.acl.stewards import controlled_roles
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder
from app.errors import InvalidInput, MissingCapability, NotFound, SelfGrant, UnknownRole

# The tag that means every signed-in person; no role may take its name.
EVERYONE_TAG = "everyone"

# Decides whether the subject may make a change from one rule to another; raises if not.
Judge = Callable[[WriteSession, Subject, Rule | None, Rule], None]


@dataclass(frozen=True)
class Change:
    """What a change of rules did: the stored values before and after, and which documents came under another rule."""

    before: OwnRule
    after: OwnRule
    moves: tuple[Move, ...] = ()

    @property
    def scopes_changed(self) -> int:
        """How many scopes decide otherwise now."""
        return len({move.scope_id for move in self.moves})


def need(subject: Subject, capability: Capability) -> None:
    """Raise MissingCapability unless both the key and the person have it."""
    if capability not in subject.capabilities:
        raise MissingCapability(f"This needs the capability '{capability}', of both the key and the person.")


def need_curator(subject: Subject, collection_id: uuid.UUID) -> None:
    """Raise MissingCapability unless the subject curates this collection."""
    need(subject, Capability.CURATE)
    if collection_id not in subject.curates:
        raise MissingCapability("You do not curate this collection; an administrator can make you its curator.")


def may_rule(subject: Subject, collection_id: uuid.UUID) -> bool:
    """Whether the subject may see and change the rules of a collection: an administrator or its curator."""
    curates = Capability.CURATE in subject.capabilities and collection_id in subject.curates
    return curates or Capability.ADMINISTER in subject.capabilities


def role_ids(session: Session, names: list[str]) -> dict[str, uuid.UUID]:
    """The ids of role tags; raises UnknownRole that lists those that name none."""
    known = known_roles(session, names)
    if EVERYONE_TAG in names:
        known[EVERYONE_TAG] = EVERYONE_ID
    if unknown := sorted(set(names) - set(known)):
        raise UnknownRole(f"No role is named {', '.join(map(repr, unknown))}. 'clearance roles list' shows the roles.")
    return known


def refuse_self_grant(session: WriteSession, subject: Subject, before: Rule | None, after: Rule) -> None:
    """Raise SelfGrant if the change adds an allow, ends a deny or lowers a label to the author's own profit.

    A role that one looks after counts as one's own: one could put a friend into it. A grant to everyone is not one to
    oneself: the whole company sees it, and the log shows it.
    """
    if gains(subject, controlled_roles(session, subject), before, after):
        raise SelfGrant(
            "This change would give you, a role you are in, or a role you look after something to read. Ask another "
            "administrator, or make a plan of it that another one applies ('clearance grants plan')."
        )


def gains(subject: Subject, controlled: frozenset[uuid.UUID], before: Rule | None, after: Rule) -> bool:
    """Whether a change of rules is to the profit of the subject or of a role they control."""

    def profits(grant: Grant) -> bool:
        return subject.is_named_by(grant.principal) or grant.principal.id in controlled

    old = before.grants if before else frozenset()
    added = any(g.effect == "allow" and g.principal.kind != "everyone" and profits(g) for g in after.grants - old)
    ended = any(g.effect == "deny" and profits(g) for g in old - after.grants)
    lowered = before is not None and before.label > subject.clearance >= after.label
    return added or ended or lowered


def create_collection(
    session: WriteSession, subject: Subject, *, name: str, description: str, own: OwnRule
) -> Collection:
    """A new shelf with its plain scope; the caller has checked that the name is free."""
    need(subject, Capability.ADMINISTER)
    refuse_self_grant(session, subject, None, effective(own))
    collection = Collection(name=name, description=description, own_rule=own.to_json())
    session.add(collection)
    session.flush()
    scope_for(session, collection, OwnRule())
    return collection


def rule_collection(
    session: WriteSession,
    subject: Subject,
    collection: Collection,
    own: OwnRule,
    *,
    judge: Judge = refuse_self_grant,
) -> Change:
    """Give a collection another rule: its few scopes point to other rules, and no document or chunk row is written."""
    take_hold(session, collection)
    before = OwnRule.from_json(collection.own_rule)
    # The shelf's own rule too: documents that come later will stand under it.
    judge(session, subject, effective(before), effective(own))
    session.execute(update(Collection).where(Collection.id == collection.id).values(own_rule=own.to_json()))
    return _judged(session, subject, Change(before, own, tuple(follow(session, collection.id))), judge)


def find_folder(session: Session, collection_id: uuid.UUID, path: str) -> Folder:
    """The folder of this path that has a rule of its own; raises NotFound."""
    folder = session.scalar(select(Folder).where(Folder.collection_id == collection_id, Folder.path == path))
    if folder is None:
        raise NotFound
    return folder


def rule_folder(
    session: WriteSession,
    subject: Subject,
    collection: Collection,
    path: str,
    own: OwnRule,
    *,
    judge: Judge = refuse_self_grant,
) -> Change:
    """Give a folder a rule, or another one. With its first one the documents below come under it and are moved."""
    take_hold(session, collection)
    folder = session.scalar(
        select(Folder)
        .where(Folder.collection_id == collection.id, Folder.path == folder_path(path))
        .execution_options(populate_existing=True)
    )
    if folder is None:
        session.add(Folder(collection_id=collection.id, path=folder_path(path), own_rule=own.to_json()))
        session.flush()
        return _judged(session, subject, Change(OwnRule(), own, tuple(put_into_folders(session, collection))), judge)
    before = OwnRule.from_json(folder.own_rule)
    session.execute(update(Folder).where(Folder.id == folder.id).values(own_rule=own.to_json()))
    return _judged(session, subject, Change(before, own, tuple(follow(session, collection.id))), judge)


def drop_folder(
    session: WriteSession, subject: Subject, collection: Collection, path: str, *, judge: Judge = refuse_self_grant
) -> Change:
    """Take a folder's rule away: the documents below come under what lies above. Raises NotFound without one."""
    take_hold(session, collection)
    folder = find_folder(session, collection.id, path)
    change = Change(
        OwnRule.from_json(folder.own_rule), OwnRule(), tuple(put_into_folders(session, collection, leaving=folder.id))
    )
    session.execute(delete(Folder).where(Folder.id == folder.id))
    # The folders below inherit from another one now.
    below = follow(session, collection.id)
    return _judged(session, subject, Change(change.before, change.after, change.moves + tuple(below)), judge)


def folder_path(text: str) -> str:
    """A folder's path without slashes at its ends; raises InvalidInput for one that cannot be."""
    parts = text.strip("/").split("/")
    if any(part.strip() in {"", ".", ".."} for part in parts) or len(text) > 1000:
        raise InvalidInput("Name the folder by its path on the shelf, like payroll/2026.")
    return "/".join(parts)


def take_hold(session: WriteSession, collection: Collection) -> None:
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


def tagged_rule(grants: frozenset[Grant], label: Label | None, *, inherits: bool) -> OwnRule:
    """The own rule of a tagged document: its tags decide alone, unless the upload says that it inherits as well."""
    return OwnRule(grants, inherits=inherits, label=label)


def _principal(name: str, role_id: uuid.UUID) -> Principal:
    return EVERYONE if name == EVERYONE_TAG else Principal("role", role_id)


def _judged(session: WriteSession, subject: Subject, change: Change, judge: Judge) -> Change:
    """The change, made already: what is refused here is rolled back with the transaction.

    Thousands of scopes may have moved; what their rules say about the subject are few different things.
    """
    about = {subject.user_id, *subject.roles, *controlled_roles(session, subject)}
    rules = rules_about(session, {rule for move in change.moves for rule in (move.before, move.after)}, about)
    for before, after in dict.fromkeys((rules[move.before], rules[move.after]) for move in change.moves):
        judge(session, subject, before, after)
    return change
