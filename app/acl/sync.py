"""Documents change their place, one by one or as a folder says that is held against the collection.

A place is a path, and by its folders a rule: moving changes who reads, and is guarded and recorded like any change of a
rule. Content stays as it is, with its id, its passages and their vectors.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ARRAY, BigInteger, Integer, Text, Uuid, bindparam, delete, func, or_, select, text
from sqlalchemy.exc import IntegrityError

from app.acl.change_guard import guard_change
from app.acl.manifest import Comparison, Manifest, StoredDocument, compare, ending
from app.acl.placement import AWAITED, DocumentPlacement
from app.acl.reader_table import ReaderTable
from app.acl.readers import concerned, gained_and_lost
from app.acl.rule_changes import Change, lock_collection
from app.acl.rule_store import rules_of
from app.acl.rules import OwnRule, Rule
from app.acl.scopes import Move, nearest_folder, scope_for
from app.acl.visible import visible_scopes
from app.db.session import WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Document, IngestJob
from app.errors import Conflict, PlanStale
from app.identity.subject import Subject, require_curator
from app.paths import normal_path

MOVE = text("select clearance.move_documents(:collection, :documents, :paths, :scopes)").bindparams(
    bindparam("collection", type_=Uuid),
    bindparam("documents", type_=ARRAY(BigInteger)),
    bindparam("paths", type_=ARRAY(Text)),
    bindparam("scopes", type_=ARRAY(Integer)),
)
# The share of a collection beyond which a removal has to be asked for in so many words.
LARGE = 5
BATCH = 500

Item = TypeVar("Item")


@dataclass(frozen=True)
class Moved:
    """A document in its new place. `change` has its whole rule before and after, as values."""

    document: uuid.UUID
    old_path: str
    path: str
    change: Change


@dataclass(frozen=True)
class Relocation:
    """Documents that changed their place, and who reads how many more and fewer of them."""

    moved: tuple[Moved, ...]
    people: dict[uuid.UUID, tuple[int, int]]


@dataclass(frozen=True)
class Synced:
    """A collection held against a folder: the comparison, and what was moved by it."""

    found: Comparison
    relocation: Relocation
    documents: int
    fingerprint: str

    @property
    def large(self) -> bool:
        """Whether more than a fifth of the collection goes."""
        return LARGE * len(self.found.gone) > self.documents


def batched(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in parts: each statement has its limit of time, and what derives from them goes along."""
    return (items[n : n + BATCH] for n in range(0, len(items), BATCH))


def move_document(session: WriteSession, subject: Subject, place: DocumentPlacement, path: str) -> Relocation:
    """Give a document another path in its collection; `place` was found `alone`. Raises Conflict for one that is taken.

    It keeps its own rule and comes under those of its new folders. Its ending stays, by which a file's kind is known.
    """
    guard_change(session, subject)
    to = normal_path(path)
    if ending(to) != ending(place.path):
        raise Conflict("A document keeps the ending of its name: its text was read as that kind. Upload it anew.")
    standing = StoredDocument(place.id, place.public_id, place.version_id, place.path, place.scope_id, None)
    return _relocate(session, place.collection, [(standing, to)])


def sync(session: WriteSession, subject: Subject, collection: Collection, manifest: Manifest) -> Synced:
    """Hold the collection against the folder that the manifest lists, and move what moved. To only look, roll it back.

    What is gone is for `remove_gone`, in the same transaction; what is new or changed for uploads that follow.
    """
    require_curator(subject, collection.id)
    guard_change(session, subject)
    # No upload and no change of rules from here on; the worker waits for the documents.
    lock_collection(session, collection)
    documents = _standing(session, subject, collection)
    found = compare(manifest, documents)
    _refuse_awaited(session, collection, [d.path for d in found.gone])
    relocation = _relocate(session, collection, found.moved)
    return Synced(found, relocation, len(documents), _fingerprint(collection, found, relocation))


def remove_gone(session: WriteSession, synced: Synced, fingerprint: str, *, allow_large_removal: bool) -> None:
    """Remove what is gone. Raises, to roll all back, unless this is what the caller was shown and no more than allowed.

    PlanStale for another fingerprint, Conflict for more than a fifth of the collection.
    """
    if fingerprint != synced.fingerprint:
        raise PlanStale(
            "Since you looked, the collection, its rules or the folder have changed, and something else would be moved "
            "or removed now. Nothing was. Look again."
        )
    if synced.large and not allow_large_removal:
        raise Conflict(
            f"{len(synced.found.gone)} of {synced.documents} documents would be removed, more than a fifth. Nothing "
            "was. If the folder is the right one and whole, say so with allow_large_removal (--allow-large-removal)."
        )
    for gone in batched([d.id for d in synced.found.gone]):
        session.execute(delete(Document).where(Document.id.in_(gone)))


def _standing(session: WriteSession, subject: Subject, collection: Collection) -> list[StoredDocument]:
    """The documents of the collection, locked. Hashes of those alone that the subject reads, or brought as they are.

    For anyone else `unchanged` and `moved` would confirm a guess at what a document says that is not theirs to read.
    """
    visible = visible_scopes(session, subject).scope_ids
    brought = select(IngestJob.id).where(
        IngestJob.uploaded_by == subject.user_id,
        IngestJob.document_id == Document.public_id,
        IngestJob.sha256 == Document.sha256,
        IngestJob.state.in_(("indexed", "unchanged")),
    )
    columns = (Document.id, Document.public_id, Document.version_id, Document.path, Document.scope_id, Document.sha256)
    rows = session.execute(
        select(*columns, or_(Document.scope_id.in_(visible), brought.exists()).label("open"))
        .where(Document.collection_id == collection.id)
        .order_by(Document.id)
        .with_for_update(of=Document)
    )
    return [StoredDocument(*row[:5], row.sha256 if row.open else None) for row in rows]


def _relocate(
    session: WriteSession, collection: Collection, wanted: Sequence[tuple[StoredDocument, str]]
) -> Relocation:
    """Make the moves: a column or two of a row each; what is derived follows by its foreign keys."""
    if not wanted:
        return Relocation((), {})
    _refuse_awaited(session, collection, [p for document, to in wanted for p in (document.path, to)])
    paths = [to for _, to in wanted]
    if session.scalar(select(Document.id).where(Document.collection_id == collection.id, Document.path.in_(paths))):
        raise Conflict("A document stands at that path already: delete it first, or choose another path.")
    olds = {s.id: s for s in session.scalars(select(Scope).where(Scope.id.in_({d.scope_id for d, _ in wanted})))}
    targets: dict[tuple[int, uuid.UUID | None], int] = {}
    scopes = []
    for document, to in wanted:
        key = document.scope_id, nearest_folder(session, collection.id, to)
        if key not in targets:
            own = OwnRule.from_json(olds[document.scope_id].own_rule)
            targets[key] = scope_for(session, collection, own, key[1])
        scopes.append(targets[key])
    rule_ids = dict(session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_({*olds, *scopes}))).all())
    rules = rules_of(session, set(rule_ids.values()))
    cells = Counter((rule_ids[d.scope_id], rule_ids[new]) for (d, _), new in zip(wanted, scopes, strict=True))
    _write(session, collection, wanted, scopes)
    moved = tuple(
        Moved(d.public_id, d.path, to, _change(rules, Move(rule_ids[d.scope_id], rule_ids[new], d.scope_id, 1)))
        for (d, to), new in zip(wanted, scopes, strict=True)
    )
    return Relocation(moved, _gained_and_lost(session, cells))


def _write(
    session: WriteSession, collection: Collection, wanted: Sequence[tuple[StoredDocument, str]], scopes: Sequence[int]
) -> None:
    try:
        for some in batched(list(zip(wanted, scopes, strict=True))):
            values = {
                "collection": collection.id,
                "documents": [d.id for (d, _), _ in some],
                "paths": [to for (_, to), _ in some],
                "scopes": [scope for _, scope in some],
            }
            session.execute(MOVE, values)
    except IntegrityError as error:
        raise Conflict("Another document came to that path in between: look again.") from error


def _change(rules: Mapping[int, Rule], move: Move) -> Change:
    """The whole rules as values: the document's own stays, and what changes is what it inherits."""
    before, after = (
        OwnRule(rule.grants, inherits=False, label=rule.label) for rule in (rules[move.before], rules[move.after])
    )
    return Change(before, after, (move,) if move.before != move.after else ())


def _gained_and_lost(session: WriteSession, cells: Counter[tuple[int, int]]) -> dict[uuid.UUID, tuple[int, int]]:
    """By person: how many of these documents they read now and did not, and did and no longer do."""
    at = session.scalars(select(func.now())).one()
    changed = {cell: n for cell, n in cells.items() if cell[0] != cell[1]}
    reading = ReaderTable.of_stored(
        session, {rule for cell in changed for rule in cell}, concerned(session, changed), at
    )
    return gained_and_lost(changed, reading, reading)


def _refuse_awaited(session: WriteSession, collection: Collection, paths: Sequence[str]) -> None:
    """Raise Conflict while an upload to one of these paths is on its way.

    It would bring back what is removed here, or put its content under the rule of what is moved.
    """
    if awaited := session.scalars(AWAITED, {"collection": collection.id, "paths": list(paths)}).all():
        raise Conflict(
            f"Uploads to {len(awaited)} of these paths are on their way. Nothing was moved or removed; try again when "
            "they have ended ('clearance jobs list')."
        )


def _fingerprint(collection: Collection, found: Comparison, relocation: Relocation) -> str:
    """What would be moved and removed, from which version and to whose profit."""
    value = {
        "collection": str(collection.id),
        "gone": [[str(d.public_id), str(d.version_id), d.path] for d in found.gone],
        "moved": [[str(d.public_id), str(d.version_id), d.path, to] for d, to in found.moved],
        "rules": [[m.change.before.to_json(), m.change.after.to_json()] for m in relocation.moved],
        "people": {str(person): counts for person, counts in relocation.people.items()},
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
