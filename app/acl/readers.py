"""Who can read what, for many people at once: the rules as SQL once more, as a set of pairs."""

import datetime as dt
import uuid
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from app.acl.reader_table import BLOCK, Pairs, ReaderTable, is_active
from app.acl.rule_store import array, one_of
from app.acl.rules import Rule
from app.acl.visible import scopes_select
from app.db.tables import access
from app.db.tables.access import Collection, RuleGrant, Scope
from app.db.tables.people import User
from app.identity.nesting import members_of
from app.identity.subject import Subject

BY_RULE = text("select rule_id, documents from clearance.documents_by_rule(:collections)").bindparams(
    bindparam("collections", type_=ARRAY(Uuid))
)
COUNTED = text(
    "select collection_id, documents from clearance.count_documents(:collections, cast(:scopes as int[]))"
).bindparams(bindparam("collections", type_=ARRAY(Uuid)))


def readers(session: Session, rules: Some[int], users: Some[uuid.UUID], at: dt.datetime) -> Pairs:
    """For each of these rules, who of these people reads what stands under it at that moment."""
    return ReaderTable.of_stored(session, rules, users, at).readers_of(rules)


def count_readers(session: Session, rules: Sequence[Rule], at: dt.datetime) -> list[int]:
    """How many people read what stands under each of these rules, stored or not, at that moment."""
    different = list(dict.fromkeys(rules))
    counts = ReaderTable.of_values(session, different, at).counts().tolist()
    by_rule = dict(zip(different, counts, strict=True))
    return [by_rule[rule] for rule in rules]


def readers_of_scope(session: Session, scope_id: int, at: dt.datetime) -> frozenset[uuid.UUID]:
    """Everybody who reads what stands in a scope at that moment."""
    rule_id = session.scalars(select(Scope.rule_id).where(Scope.id == scope_id)).one()
    return readers(session, [rule_id], everybody(session), at)[rule_id]


def gained_and_lost(
    cells: Mapping[tuple[int, int], int], before: ReaderTable, after: ReaderTable
) -> dict[uuid.UUID, tuple[int, int]]:
    """How many documents each person gains and loses, by the documents that go from one rule to another.

    Both readings are of the same people.
    """
    olds, news = [old for old, _ in cells], [new for _, new in cells]
    documents = np.array(list(cells.values()), np.int64)
    counted: dict[uuid.UUID, tuple[int, int]] = {}
    for start in range(0, len(before.people), BLOCK):
        stop = min(start + BLOCK, len(before.people))
        was, now = before.table(olds, start, stop), after.table(news, start, stop)
        gained, lost = documents @ (now & ~was), documents @ (was & ~now)
        for person, more, less in zip(before.people[start:stop], gained.tolist(), lost.tolist(), strict=True):
            if more or less:
                counted[person] = (more, less)
    return counted


def concerned(session: Session, cells: Some[tuple[int, int]]) -> frozenset[uuid.UUID]:
    """Whose reading may change where documents go from the first rule to the second of such a pair.

    Those whom the parts that the two do not share name, or everybody.
    """
    columns = (access.Rule.id, access.Rule.label, access.Rule.own_id, access.Rule.above_id)
    found = session.execute(
        select(*columns).where(one_of(access.Rule.id.expression, {r for cell in cells for r in cell}))
    )
    rules = {row.id: (row.label, {row.own_id or row.id, row.above_id}) for row in found}
    if any(rules[old][0] != rules[new][0] for old, new in cells):
        return everybody(session)
    parts = set[int | None]().union(*(rules[old][1] ^ rules[new][1] for old, new in cells)) - {None}
    named = select(RuleGrant.principal_kind, RuleGrant.principal_id).where(one_of(RuleGrant.rule_id.expression, parts))
    principals = session.execute(named.distinct()).all()
    if any(row.principal_kind == "everyone" for row in principals):
        return everybody(session)
    inside = members_of(session, [r.principal_id for r in principals if r.principal_kind == "role"])
    return everybody(session) & {*inside, *(r.principal_id for r in principals if r.principal_kind == "user")}


def everybody(session: Session) -> frozenset[uuid.UUID]:
    """Every active person."""
    return frozenset(session.scalars(select(User.id).where(is_active())))


def rule_by_document(session: Session, collections: Some[uuid.UUID]) -> dict[int, int]:
    """The rule of each document of these collections: of those alone whose rules the session's caller may change."""
    rows = session.execute(BY_RULE, {"collections": list(collections)})
    return {document: row.rule_id for row in rows for document in row.documents}


def reach(session: Session, subject: Subject, collections: Some[Collection], at: dt.datetime) -> dict[str, int]:
    """How many documents of each of these collections a subject reads; of those the session's caller may rule."""
    scopes = [row.id for row in session.execute(scopes_select(subject, at))]
    given = {"collections": [collection.id for collection in collections], "scopes": array(scopes)}
    counted = {row.collection_id: row.documents for row in session.execute(COUNTED, given)}
    return {collection.name: counted[collection.id] for collection in collections if collection.id in counted}
