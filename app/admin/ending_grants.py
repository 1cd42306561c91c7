"""Grants that have an end, or are yet to start, of the collections whose rules somebody may change."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from app.acl.rules import Effect, Grant, OwnRule
from app.acl.unread import documents_below_each
from app.admin.rules import editable_collections
from app.db.paging import Page
from app.db.session import ReadSession
from app.db.tables.access import Collection, Folder, Scope
from app.identity.names import names_of
from app.identity.subject import PrincipalKind, Subject


@dataclass(frozen=True)
class TimedGrant:
    """A grant with an end, or none yet begun. `folder` is empty for a collection's own; `documents`, if not None, are
    those that carry it as a tag of their own.
    """

    collection: str
    folder: str
    documents: int | None
    effect: Effect
    kind: PrincipalKind
    name: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    over: bool


def list_timed_grants(session: ReadSession, subject: Subject, page: Page) -> list[TimedGrant]:
    """Those of collections, of folders and of documents, by their end, the first one first; what is over comes last."""
    at = session.scalars(select(func.now())).one()
    collections = {collection.id: collection.name for collection in editable_collections(session, subject)}
    found: dict[tuple[str, str, bool, Grant], int] = defaultdict(int)
    for key, folder, documents, own in _owns(session, set(collections)):
        for grant in own.grants:
            if grant.ends_at is not None or (grant.starts_at is not None and grant.starts_at > at):
                found[collections[key], folder, documents is not None, grant] += documents or 0
    names = names_of(session, {grant.principal.id for *_, grant in found})
    lines = [
        _line((collection, folder, documents if tagged else None), grant, names, at)
        for (collection, folder, tagged, grant), documents in found.items()
    ]
    return page.items(lines, _order)


def _owns(session: Session, collections: set[uuid.UUID]) -> Iterator[tuple[uuid.UUID, str, int | None, OwnRule]]:
    """The own rules of these collections, of folders in them, and of documents: collection, folder, documents, rule."""
    # A moment in a stored rule is a text; without one there is null.
    timed = r'"(starts|ends)_at": "'
    own_rules = select(Collection.id, Collection.own_rule).where(
        Collection.id.in_(collections), cast(Collection.own_rule, Text).regexp_match(timed)
    )
    for key, own in session.execute(own_rules):
        yield key, "", None, OwnRule.from_json(own)
    folders = select(Folder.collection_id, Folder.path, Folder.own_rule).where(
        Folder.collection_id.in_(collections), cast(Folder.own_rule, Text).regexp_match(timed)
    )
    for key, path, own in session.execute(folders):
        yield key, path, None, OwnRule.from_json(own)
    scopes = select(Scope.id, Scope.collection_id, Folder.path, Scope.own_rule).outerjoin(
        Folder, Folder.id == Scope.folder_id
    )
    tagged = session.execute(
        scopes.where(Scope.collection_id.in_(collections), cast(Scope.own_rule, Text).regexp_match(timed))
    ).all()
    counts = {
        scope: number
        for key in {row.collection_id for row in tagged}
        for _, scope, number in documents_below_each(session, key, [""])
    }
    for row in tagged:
        if row.id in counts:
            yield row.collection_id, row.path or "", counts[row.id], OwnRule.from_json(row.own_rule)


def _line(place: tuple[str, str, int | None], grant: Grant, names: dict[uuid.UUID, str], at: dt.datetime) -> TimedGrant:
    collection, folder, documents = place
    return TimedGrant(
        collection=collection,
        folder=folder,
        documents=documents,
        effect=grant.effect,
        kind=grant.principal.kind,
        name=names.get(grant.principal.id, str(grant.principal.id)),
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        over=grant.ends_at is not None and grant.ends_at <= at,
    )


def _order(line: TimedGrant) -> str:
    """By what is over, the end, and then whatever tells two apart."""
    moment = line.ends_at or line.starts_at
    end = "" if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
    rest = (line.collection, line.folder, line.effect, line.kind, line.name, line.starts_at, line.documents)
    return "|".join(map(str, (int(line.over), end, *rest)))
