"""The folders of a collection as a tree: the rule at each level, how many people read there, how many documents."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.readers import count_readers
from app.acl.rules import OwnRule, Rule, effective
from app.acl.unread import documents_by_scope
from app.admin.rule_sentence import ENGLISH, Wording, rule_sentence
from app.admin.rules import editable_collection
from app.db.session import ReadSession
from app.db.tables.access import Collection, Folder, Scope
from app.guardrail.check import Check
from app.guardrail.redactor import Redactor
from app.identity.names import names_of
from app.identity.subject import Label, Subject
from app.paths import folders_of
from app.retrieval.browse import documents_by_folder

# The own rules of a collection by the path of their folder; the collection's own by the empty path.
_Owns = Mapping[str, OwnRule]


@dataclass(frozen=True)
class TreeFolder:
    """A folder, or the collection itself, whose path is empty.

    `own` is None for a folder without a rule. `label` and `readers` are of the rule that counts for what comes there
    without tags of its own; `documents` lie in the folder or below it, `tagged` of them with tags of their own.
    """

    path: str
    own: OwnRule | None
    sentence: str
    label: Label
    readers: int
    documents: int
    tagged: int


def collection_tree(
    session: ReadSession, subject: Subject, checks: Iterable[Check], name: str, wording: Wording = ENGLISH
) -> list[TreeFolder]:
    """The tree by path, outermost first, for who may see the collection's rules. Raises NotFound or NotAllowed.

    An administrator sees the folders with rules and those above them. Curators, who may list the documents, see those
    that these lie in as well: paths out of uploads, which are redacted.
    """
    collection = editable_collection(session, subject, name)
    owns = _own_rules(session, collection)
    documents, tagged = _counts(session, subject, collection)
    folders = {above for path in {*owns, *documents} for above in _down_to(path)}
    rules = {path: _rule(owns, path) for path in folders}
    at = session.scalars(select(func.now())).one()
    readers = dict(zip(rules, count_readers(session, list(rules.values()), at), strict=True))
    names = names_of(session, {grant.principal.id for own in owns.values() for grant in own.grants})
    clean = Redactor(tuple(checks))
    found: dict[str, TreeFolder] = {}
    for path in sorted(folders):
        shown = path if path in owns else clean(path)
        # Two folders may be one to who reads them redacted.
        beside = found.get(shown)
        found[shown] = TreeFolder(
            path=shown,
            own=owns.get(path),
            sentence=rule_sentence(owns.get(path, OwnRule()), names, at, wording, outermost=not path),
            label=rules[path].label,
            readers=readers[path],
            documents=documents[path] + (beside.documents if beside else 0),
            tagged=tagged[path] + (beside.tagged if beside else 0),
        )
    return [found[path] for path in sorted(found)]


def _own_rules(session: Session, collection: Collection) -> _Owns:
    folders = session.execute(select(Folder.path, Folder.own_rule).where(Folder.collection_id == collection.id))
    own_rules = {"": collection.own_rule} | dict(folders.all())
    return {path: OwnRule.from_json(own) for path, own in own_rules.items()}


def _down_to(path: str) -> tuple[str, ...]:
    """The collection, whose path is empty, and the folders down to this one."""
    return ("", *folders_of(path), path) if path else ("",)


def _rule(owns: _Owns, path: str) -> Rule:
    """The rule of what comes to a folder without tags of its own."""
    return effective(*(owns[folder] for folder in _down_to(path) if folder in owns))


def _counts(session: Session, subject: Subject, collection: Collection) -> tuple[Counter[str], Counter[str]]:
    """How many documents lie in each folder or below it, and how many of them have tags of their own."""
    scopes = select(Scope.id, Folder.path, Scope.own_digest == OwnRule().digest)
    scopes = scopes.outerjoin(Folder, Folder.id == Scope.folder_id).where(Scope.collection_id == collection.id)
    standing = {scope: (path or "", is_plain) for scope, path, is_plain in session.execute(scopes)}
    lying = documents_by_folder(session, subject, collection.id) or [
        (standing[scope][0], scope, n) for scope, n in documents_by_scope(session, collection.id).items()
    ]
    documents, tagged = Counter[str](), Counter[str]()
    for lowest, scope, number in lying:
        for folder in _down_to(lowest):
            documents[folder] += number
            tagged[folder] += 0 if standing[scope][1] else number
    return documents, tagged
