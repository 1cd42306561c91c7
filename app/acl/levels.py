"""The rules that a document stands under, place by place: now, and as far as history knows it in the past."""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.history import rule_at
from app.acl.rules import OwnRule, Rule
from app.acl.scopes import rule_chain
from app.acl.trace import RuleLevel
from app.db.tables.access import Collection, Folder, Scope


def levels_of(session: Session, scope: Scope) -> list[RuleLevel]:
    """What stands above the documents of a scope, outermost first, and what these say for themselves."""
    collection = session.get_one(Collection, scope.collection_id)
    outermost, *below = rule_chain(session, collection.id, scope.folder_id)
    return [
        RuleLevel("collection", collection.name, outermost),
        *(RuleLevel("folder", path, own) for path, own in zip(_folders(session, scope), below, strict=True)),
        RuleLevel("document", "", OwnRule.from_json(scope.own_rule)),
    ]


def levels_at(session: Session, document: uuid.UUID, at: dt.datetime) -> tuple[Rule, list[RuleLevel]]:
    """The rule that decided about a document then, with what was inherited apart from its own.

    All of it is inherited if its scope is gone. Raises NotKnown if it was not there.
    """
    rule, own = rule_at(session, document, at)
    if own is None:
        return rule, [RuleLevel("inherited", "", OwnRule(rule.grants, label=rule.label))]
    above = OwnRule(rule.grants - own.grants, label=rule.label if own.label is None else None)
    return rule, [RuleLevel("inherited", "", above), RuleLevel("document", "", own)]


def _folders(session: Session, scope: Scope) -> list[str]:
    """The folders with rules down to the one that the scope stands in."""
    if scope.folder_id is None:
        return []
    path = session.scalars(select(Folder.path).where(Folder.id == scope.folder_id)).one()
    above = select(Folder.path).where(Folder.collection_id == scope.collection_id)
    above = above.where((Folder.path == path) | func.starts_with(path, Folder.path + "/"))
    return list(session.scalars(above.order_by(func.length(Folder.path))))
