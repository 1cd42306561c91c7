"""The folders of a collection as a tree: the rule at each level, how many people read there, how many documents."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.readers import count_readers
from app.acl.rules import OwnRule, Rule, effective
from app.acl.unread import documents_below_each
from app.admin.rule_sentence import ENGLISH, RuleWords, rule_sentence
from app.admin.rules import editable_collection
from app.db.session import ReadSession
from app.db.tables.access import Collection, Folder, Scope
from app.errors import NotFound
from app.guardrail.check import Check
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.names import names_of
from app.identity.subject import Label, Subject
from app.paths import folder_path, folders_of
from app.retrieval.browse import curated, documents_by_folder

# The own rules of a collection by the path of their folder; the collection's own by the empty path.
_Owns = Mapping[str, OwnRule]


@dataclass(frozen=True)
class TreeFolder:
    """A folder, or the collection itself, whose path is empty.

    `redacted`: the path is not the one by which the folder is known. `own` is None for a folder without a rule. `label`
    and `readers` are of the rule that counts for what comes there without tags of its own; `documents` lie in the
    folder or below it, `tagged` of them with tags of their own.
    """

    path: str
    redacted: bool
    own: OwnRule | None
    sentence: str
    label: Label
    readers: int
    documents: int
    tagged: int


def collection_tree(
    session: ReadSession,
    subject: Subject,
    checks: Iterable[Check],
    name: str,
    *,
    within: str | None = None,
    words: RuleWords = ENGLISH,
) -> list[TreeFolder]:
    """The tree by path, for who may see the collection's rules; `within`: this folder and those directly in it alone.

    An administrator sees the folders with rules and those above them. Curators, who may list the documents, see those
    that these lie in as well: paths out of uploads, which are redacted. Raises NotFound or NotAllowed.
    """
    collection = editable_collection(session, subject, name)
    within = within and folder_path(within)
    owns = _own_rules(session, collection)
    ruled = {above for path in owns for above in _down_to(path)}
    documents, tagged = _counts(session, subject, collection, ruled, within)
    folders = {path for path in {*ruled, *documents} if _is_shown(path, within)}
    if within is not None and within not in folders:
        raise NotFound
    rules = {path: _rule(owns, path) for path in sorted(folders)}
    at = session.scalars(select(func.now())).one()
    readers = dict(zip(rules, count_readers(session, list(rules.values()), at), strict=True))
    names = names_of(session, {grant.principal.id for path in rules if path in owns for grant in owns[path].grants})
    clean = Redactor(Redaction(tuple(checks)))
    found: dict[str, TreeFolder] = {}
    for path, rule in rules.items():
        shown = path if path in owns or path == within else clean(path)
        # Two folders may be one to who reads them redacted.
        beside = found.get(shown)
        found[shown] = TreeFolder(
            path=shown,
            redacted=shown != path,
            own=owns.get(path),
            sentence=rule_sentence(owns.get(path, OwnRule()), names, at, words, outermost=not path),
            label=rule.label,
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


def _counts(
    session: Session, subject: Subject, collection: Collection, ruled: Iterable[str], within: str | None
) -> tuple[Counter[str], Counter[str]]:
    """How many documents lie in each folder or below it, and how many of them have tags of their own.

    `ruled`: the folders with rules and those above them, which are counted also for who curates nothing.
    """
    plain = select(Scope.id).where(Scope.collection_id == collection.id, Scope.own_digest == OwnRule().digest)
    untagged = frozenset(session.scalars(plain))
    documents, tagged = Counter[str](), Counter[str]()
    if collection.id in curated(subject):
        lying = documents_by_folder(session, subject, collection.id, within)
        below = [(folder, scope, number) for lowest, scope, number in lying for folder in _down_to(lowest)]
    else:
        below = documents_below_each(session, collection.id, [path for path in ruled if _is_shown(path, within)])
    for folder, scope, number in below:
        documents[folder] += number
        tagged[folder] += 0 if scope in untagged else number
    return documents, tagged


def _is_shown(path: str, within: str | None) -> bool:
    """Whether a folder is the one that is asked for, or directly in it; `within` None: all are."""
    return within is None or path == within or (path != "" and path.rpartition("/")[0] == within)
