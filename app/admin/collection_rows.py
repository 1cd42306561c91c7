"""The collections that somebody sees, with the rule in a sentence where it is theirs to see."""

from dataclasses import dataclass

from sqlalchemy import func, select

from app.acl.readers import count_readers
from app.acl.rules import OwnRule, effective
from app.admin.collections import list_collections
from app.admin.rule_sentence import ENGLISH, RuleWords, rule_sentence
from app.db.paging import Page
from app.db.session import ReadSession
from app.identity.names import names_of
from app.identity.subject import Label, Subject, may_edit_rules
from app.retrieval.browse import curated


@dataclass(frozen=True)
class CollectionRow:
    """A collection. `sentence`, `label` and `readers` are for who may see its rules; None for others.

    `readers`: how many people may read what comes there without tags of its own.
    """

    name: str
    description: str
    curated: bool
    sentence: str | None
    label: Label | None
    readers: int | None


def describe_collections(
    session: ReadSession, subject: Subject, page: Page, words: RuleWords = ENGLISH
) -> list[CollectionRow]:
    """The collections of a page that the subject may read from or curate; all of them for an administrator."""
    collections = list_collections(session, subject, page)
    ruled = [collection for collection in collections if may_edit_rules(subject, collection.id)]
    owns = {collection.id: OwnRule.from_json(collection.own_rule) for collection in ruled}
    at = session.scalars(select(func.now())).one()
    rules = {collection_id: effective(own) for collection_id, own in owns.items()}
    readers = dict(zip(rules, count_readers(session, list(rules.values()), at), strict=True))
    names = names_of(session, {grant.principal.id for own in owns.values() for grant in own.grants})
    return [
        CollectionRow(
            name=collection.name,
            description=collection.description,
            curated=collection.id in curated(subject),
            sentence=rule_sentence(own, names, at, words, outermost=True) if (own := owns.get(collection.id)) else None,
            label=rules[collection.id].label if collection.id in rules else None,
            readers=readers.get(collection.id),
        )
        for collection in collections
    ]
