"""What nobody can read, and why a grant opens nothing: said where rules change, so that it is not found out later."""

import datetime as dt
import uuid
from collections.abc import Collection as Some
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, bindparam, func, or_, select, text, true
from sqlalchemy.orm import Session

from app.acl.placement import scope_of_document, scope_of_upload
from app.acl.readers import everybody, readers
from app.acl.rule_changes import Change
from app.acl.rule_store import rule_of, rules_of
from app.acl.rules import Grant, Rule, effective, next_change
from app.acl.scopes import nearest_folder, rule_chain
from app.db.tables.access import Curator, Scope
from app.db.tables.people import Membership, Role, User
from app.identity.nesting import members_of, with_inner_roles
from app.identity.subject import EVERYONE, Label, Principal

BY_SCOPE = text("select scope_id, documents from clearance.documents_by_scope(:collection, :folder)").bindparams(
    bindparam("collection", type_=Uuid)
)
BELOW_EACH = text(
    "select f.folder, s.scope_id, s.documents from unnest(:folders) as f (folder)"
    " cross join lateral clearance.documents_by_scope(:collection, nullif(f.folder, '')) as s"
).bindparams(bindparam("collection", type_=Uuid), bindparam("folders", type_=ARRAY(Text)))
# So many people are named; the rest are counted.
NAMED = 3


def unread(session: Session, rule: Rule, collection_id: uuid.UUID) -> list[str]:
    """A warning if nobody, or nobody but the collection's curators, can read what stands under the rule now."""
    at = session.scalars(select(func.now())).one()
    anybody, others = _anybody(session, rule, collection_id, at)
    if others:
        return []
    if anybody:
        return ["Nobody but curators of the collection can read this."]
    while (later := next_change(rule.grants, at)) is not None:
        at = later
        if _anybody(session, rule, collection_id, at)[0]:
            return [f"Nobody can read this before {at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC."]
    return [
        "Nobody can read this: no active person is allowed by a grant, not denied by another one, and cleared for the "
        f"label '{rule.label.text}'."
    ]


def documents_below_each(session: Session, collection_id: uuid.UUID, folders: Some[str]) -> list[tuple[str, int, int]]:
    """How many documents stand below each of these folders by their scope: folder, scope, documents.

    For who may rule the collection, whose own folder is the empty path; the database gives others nothing.
    """
    rows = session.execute(BELOW_EACH, {"collection": collection_id, "folders": list(folders)})
    return [(row.folder, row.scope_id, row.documents) for row in rows]


def scope_rule(session: Session, scope_id: int) -> Rule:
    return rule_of(session, session.scalars(select(Scope.rule_id).where(Scope.id == scope_id)).one())


def place_rule(session: Session, collection_id: uuid.UUID, folder: str | None) -> Rule:
    """The rule of what comes into a collection, or into a folder of it, without tags of its own."""
    below = None if folder is None else nearest_folder(session, collection_id, f"{folder}/_")
    return effective(*rule_chain(session, collection_id, below))


def count_by_scope(session: Session, collection_id: uuid.UUID, folder: str | None = None) -> dict[int, int]:
    """How many documents of a collection, or below a folder, stand under each scope; for who may edit its rules."""
    rows = session.execute(BY_SCOPE, {"collection": collection_id, "folder": folder})
    return {row.scope_id: row.documents for row in rows}


def document_rule(session: Session, document: uuid.UUID) -> Rule:
    """The rule of a document of one's own collections."""
    return scope_rule(session, scope_of_document(session, document))


def upload_rule(session: Session, job: uuid.UUID) -> Rule:
    """The rule that an upload of one's own is to stand under."""
    return scope_rule(session, scope_of_upload(session, job))


def why_nobody(
    session: Session, change: Change, collection_id: uuid.UUID, folder: str | None, document: uuid.UUID | None
) -> list[str]:
    """Why a change by which nobody gains opens nothing, for a collection, a folder or a document; empty if it adds no
    allow.
    """
    added = {grant for grant in change.after.grants - change.before.grants if grant.effect == "allow"}
    if not added:
        return ["The rule says this already."] if change.before == change.after else []
    named = frozenset[uuid.UUID]().union(*(_named(session, grant) for grant in added))
    if not named:
        return [f"Nobody is in {_principals(session, added)}."]
    if document is not None:
        standing = select(Scope.rule_id).where(Scope.id == scope_of_document(session, document))
        return _why_not(session, rules_of(session, {session.scalars(standing).one()}), named)
    counts = count_by_scope(session, collection_id, folder)
    if not counts:
        return ["No document stands there yet; the grant counts for those that come."]
    scopes = session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_(counts)))
    pointing = {row.id: row.rule_id for row in scopes}
    rules = rules_of(session, set(pointing.values()))
    reached = {scope: rule for scope, rule in pointing.items() if not added.isdisjoint(rules[rule].grants)}
    found = []
    if beside := sum(n for scope, n in counts.items() if scope not in reached):
        many = f"{beside} documents carry tags of their own, or stand"
        carry = "1 document carries tags of its own, or stands" if beside == 1 else many
        found.append(f"{carry} in a folder that breaks with the rule.")
    if reached:
        found += _why_not(session, {rule: rules[rule] for rule in reached.values()}, named)
    return found


def _why_not(session: Session, rules: dict[int, Rule], named: frozenset[uuid.UUID]) -> list[str]:
    """What keeps these people from what stands under these rules, which allow them; nobody reads more than before."""
    at = session.scalars(select(func.now())).one()
    reading = readers(session, rules, named, at)
    people = {
        row.id: row
        for row in session.execute(
            select(User.id, User.shown, User.clearance, User.active).where(User.id.in_(named)).order_by(User.name)
        )
    }
    below: dict[Label, set[uuid.UUID]] = {}
    otherwise: set[uuid.UUID] = set()
    for rule_id, rule in rules.items():
        for person in named - reading.get(rule_id, frozenset()):
            if people[person].clearance < rule.label:
                below.setdefault(rule.label, set()).add(person)
            else:
                otherwise.add(person)
    names = {person: row.shown for person, row in people.items()}
    found = [f"The label {label.text} is above the clearance of {_listed(names, who)}." for label, who in below.items()]
    if otherwise:
        whom = _listed(names, otherwise)
        found.append(f"A deny, an end that has passed, or a switched-off account stands against {whom}.")
    return found or ["Everybody it names reads them already."]


def _anybody(session: Session, rule: Rule, collection_id: uuid.UUID, at: dt.datetime) -> tuple[bool, bool]:
    """Whether anybody reads under the rule at that moment, and whether anybody does who is no curator there."""
    counting = [grant for grant in rule.grants if grant.in_time(at)]
    allowed, denied = (_names_user([g.principal for g in counting if g.effect == e]) for e in ("allow", "deny"))
    can_read = select(User.id).where(
        User.active,
        User.kind == "person",
        User.clearance >= int(rule.label),
        User.name.not_like(r"\_%"),
        allowed,
        ~denied,
    )
    curator = select(Curator.user_id).where(Curator.user_id == User.id, Curator.collection_id == collection_id)
    others = can_read.where(~curator.exists())
    row = session.execute(select(can_read.exists().label("anybody"), others.exists().label("others"))).one()
    return row.anybody, row.others


def _names_user(principals: Sequence[Principal]) -> ColumnElement[bool]:
    """Whether any of these principals is the user of the row, by themselves or by a role."""
    if EVERYONE in principals:
        return true()
    roles, users = ([p.id for p in principals if p.kind == kind] for kind in ("role", "user"))
    inside = with_inner_roles(select(Role.id.label("role_id")).where(Role.id.in_(roles)))
    member = select(Membership.user_id).where(
        Membership.user_id == User.id, Membership.role_id.in_(select(inside.c.role_id)), Membership.current()
    )
    return or_(User.id.in_(users), member.exists())


def _named(session: Session, grant: Grant) -> frozenset[uuid.UUID]:
    match grant.principal.kind:
        case "everyone":
            return everybody(session)
        case "role":
            return members_of(session, [grant.principal.id])
        case "user":
            return frozenset({grant.principal.id})


def _principals(session: Session, grants: Some[Grant]) -> str:
    ids = {grant.principal.id for grant in grants}
    roles: Sequence[str] = session.scalars(select(Role.shown).where(Role.id.in_(ids)).order_by(Role.name)).all()
    return " or ".join(f"role {name}" for name in roles) or "the company"


def _listed(names: dict[uuid.UUID, str], who: Some[uuid.UUID]) -> str:
    known = sorted(names.get(person, str(person)) for person in who)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(known[:NAMED]) + more
