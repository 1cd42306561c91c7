"""Who may read at a place, for the page on which that is changed: the rules down to it, its own grants, its readers."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.reader_table import ReaderTable
from app.acl.rules import Effect, OwnRule, effective
from app.acl.visible import visible_scopes
from app.admin.document_rows import CuratedDocument, curated_rows
from app.admin.rule_sentence import ENGLISH, RuleWords, rule_sentence
from app.admin.rules import editable_collection, id_of_grant
from app.db.paging import Page
from app.db.session import ReadSession
from app.db.tables.access import Collection, Folder, Scope
from app.errors import NotFound
from app.guardrail.check import Check
from app.identity.names import names_of
from app.identity.subject import Capability, Label, PrincipalKind, Subject, require_capability
from app.paths import folder_path, folders_of
from app.retrieval.browse import curated, find_document


@dataclass(frozen=True)
class StatedRule:
    """What a level says for itself. `folder` is empty for the collection, None for the document. `counts`: it is not
    broken with further down.
    """

    folder: str | None
    sentence: str
    counts: bool


@dataclass(frozen=True)
class GrantLine:
    """One of a place's own grants, with the id by which it is taken away. `over`: its end has passed."""

    id: str
    effect: Effect
    kind: PrincipalKind
    name: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    over: bool


@dataclass(frozen=True)
class PlaceAccess:
    """Who may read a document, or what comes to a collection or folder without tags of its own.

    `levels`: outermost first. `own` is None for a folder without a rule. `names` are those of a page of the `readers`.
    """

    collection: str
    folder: str
    document: CuratedDocument | None
    levels: list[StatedRule]
    own: OwnRule | None
    grants: list[GrantLine]
    label: Label
    readers: int
    names: list[str]


def folder_access(
    session: ReadSession, subject: Subject, name: str, folder: str, page: Page, words: RuleWords = ENGLISH
) -> PlaceAccess:
    """Of a collection, whose folder is the empty path, or of any folder in it, for who may rule it.

    Raises NotFound, NotAllowed, or InvalidInput for what is no path.
    """
    collection = editable_collection(session, subject, name)
    path = folder_path(folder) if folder else ""
    owns = _owns_down_to(session, collection, path)
    return _access(session, page, words, _Place(collection.name, path, owns, owns.get(path)))


def document_access(
    session: ReadSession,
    subject: Subject,
    checks: Iterable[Check],
    document: uuid.UUID,
    page: Page,
    words: RuleWords = ENGLISH,
) -> PlaceAccess:
    """Of a document, for the curators of its collection. Raises MissingCapability or NotFound."""
    require_capability(subject, Capability.CURATE)
    visible = visible_scopes(session, subject)
    entry = find_document(session, subject, visible, document)
    if entry.document.collection_id not in curated(subject):
        raise NotFound
    collection = session.get_one(Collection, entry.document.collection_id)
    scope = session.get_one(Scope, entry.document.scope_id)
    [row] = curated_rows(session, subject, checks, visible, [entry])
    folder = entry.document.path.rpartition("/")[0]
    own = OwnRule.from_json(scope.own_rule)
    owns: dict[Any, OwnRule] = {**_owns_down_to(session, collection, folder), None: own}
    return _access(session, page, words, _Place(collection.name, folder, owns, own, row))


@dataclass(frozen=True)
class _Place:
    """A place with the own rules down to it, outermost first: by folder, a document's by None. `own` is its own."""

    collection: str
    folder: str
    owns: Mapping[Any, OwnRule]
    own: OwnRule | None
    document: CuratedDocument | None = None


def _owns_down_to(session: Session, collection: Collection, folder: str) -> dict[str, OwnRule]:
    """The own rules of a collection and of the folders down to this one that have one, by path, outermost first."""
    above = [*folders_of(folder), folder] if folder else []
    folders = select(Folder.path, Folder.own_rule).where(Folder.collection_id == collection.id, Folder.path.in_(above))
    found = session.execute(folders.order_by(func.length(Folder.path)))
    own_rules = {"": collection.own_rule, **dict(found.all())}
    return {path: OwnRule.from_json(own) for path, own in own_rules.items()}


def _access(session: Session, page: Page, words: RuleWords, place: _Place) -> PlaceAccess:
    at = session.scalars(select(func.now())).one()
    owns = list(place.owns.values())
    rule = effective(*owns)
    reading = ReaderTable.of_values(session, [rule], at).readers_of([0])[0]
    names = names_of(session, {grant.principal.id for own in owns for grant in own.grants} | reading)
    first = max((n for n, own in enumerate(owns) if not own.inherits), default=0)
    levels = [
        StatedRule(folder, rule_sentence(own, names, at, words, outermost=folder == ""), counts=n >= first)
        for n, (folder, own) in enumerate(place.owns.items())
    ]
    return PlaceAccess(
        collection=place.collection,
        folder=place.folder,
        document=place.document,
        levels=levels,
        own=place.own,
        grants=_grants(place.own or OwnRule(), names, at),
        label=rule.label,
        readers=len(reading),
        names=page.items((names[person] for person in reading), str),
    )


def _grants(own: OwnRule, names: Mapping[uuid.UUID, str], at: dt.datetime) -> list[GrantLine]:
    lines = [
        GrantLine(
            id=id_of_grant(grant),
            effect=grant.effect,
            kind=grant.principal.kind,
            name=names.get(grant.principal.id, str(grant.principal.id)),
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            over=grant.ends_at is not None and grant.ends_at <= at,
        )
        for grant in own.grants
    ]
    return sorted(lines, key=lambda line: (line.effect, line.kind, line.name, line.id))
