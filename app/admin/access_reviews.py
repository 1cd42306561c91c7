"""Access reviews: who is in charge of a collection goes through its grants, and says of each whether it stays.

"Last used" is not told: what somebody was shown stands in the log alone, which is not for who changes rules to read.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from app.acl.placement import documents_on
from app.acl.readers import everybody
from app.acl.rules import Grant, OwnRule
from app.acl.unread import count_by_scope
from app.admin.role_tree import count_people
from app.admin.rules import editable_collection, editable_collections
from app.audit.actor import actor
from app.audit.events.reviews import ReviewDecided, ReviewOpened
from app.audit.log import record
from app.db.paging import Page
from app.db.session import WriteSession
from app.db.tables.access import Collection, Folder, Scope
from app.db.tables.reviews import AccessReview, AccessReviewItem, ReviewDecision, ReviewPlace, ReviewState
from app.errors import Conflict, InvalidInput, NotFound, SelfGrant
from app.evidence.merkle import canonical
from app.identity.names import names_of
from app.identity.subject import EVERYONE, Capability, PrincipalKind, Subject

# More are no review any more; rules of folders, and roles, are for that.
MAX_ITEMS = 5_000
# Paths that are shown of the documents of an item.
EXAMPLES = 3


@dataclass(frozen=True)
class ReviewView:
    """A review, and how far it is. Closed, it has its manifest, and the SHA-256 of its canonical form in hex."""

    id: uuid.UUID
    collection: str
    title: str
    opened_by: str | None
    opened_at: dt.datetime
    state: ReviewState
    closed_by: str | None
    closed_at: dt.datetime | None
    items: int
    undecided: int
    withdrawn: int
    manifest: Mapping[str, Any] | None
    digest: str | None


@dataclass(frozen=True)
class ReviewItemView:
    """A grant under review. `folder` is the path of a folder's; `documents` is how many have this one of their own, and
    `examples` are the first of their paths, for who curates them. `people` are those behind the grant, when the review
    was opened. `principal` None: everyone, or somebody who is gone.
    """

    id: uuid.UUID
    place: ReviewPlace
    folder: str | None
    documents: int
    examples: list[str]
    effect: str
    kind: PrincipalKind
    principal: str | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    people: int
    decision: ReviewDecision | None
    decided_by: str | None
    decided_at: dt.datetime | None


def open_review(session: WriteSession, subject: Subject, collection: str, title: str) -> ReviewView:
    """A review of all grants of this collection as they stand: its own, its folders', and those of documents.

    Of documents for who curates the collection alone: nobody else can change these. Raises NotFound, NotAllowed, or
    InvalidInput where there is nothing, or too much.
    """
    reviewed = editable_collection(session, subject, collection)
    found = list(_grants(session, subject, reviewed))
    if not 0 < len(found) <= MAX_ITEMS:
        raise InvalidInput(f"There are {len(found)} grants; a review is of 1 to {MAX_ITEMS}.")
    made = insert(AccessReview).values(collection_id=reviewed.id, title=title, opened_by=subject.user_id)
    review = session.scalars(made.returning(AccessReview)).one()
    people = _people_behind(session, [grant for _, grant in found])
    items = [
        {
            "review_id": review.id,
            "collection_id": reviewed.id,
            "ordinal": number,
            "folder": None,
            "scope": None,
            "documents": 0,
            "grant_value": grant.to_json(),
            "people": people[grant],
            **where,
        }
        for number, (where, grant) in enumerate(found)
    ]
    session.execute(insert(AccessReviewItem), items)
    record(session, ReviewOpened(actor=actor(subject), review=review.id, collection=reviewed.id, items=len(items)))
    return review_views(session, [review])[0]


def list_reviews(
    session: Session, subject: Subject, page: Page, *, state: ReviewState | None = None
) -> list[ReviewView]:
    """The reviews of the collections whose rules the subject may change, newest first."""
    query = reviews_of(session, subject)
    if state is not None:
        query = query.where(AccessReview.state == state)
    order = [AccessReview.opened_at, AccessReview.id]
    return review_views(session, [review for (review,) in page.rows(session, query, order, descending=True)])


def get_review(session: Session, subject: Subject, review_id: uuid.UUID) -> ReviewView:
    """One of them; raises NotFound."""
    return review_views(session, [find_review(session, subject, review_id)])[0]


def review_manifest(session: Session, subject: Subject, review_id: uuid.UUID) -> bytes:
    """The manifest of a closed review in canonical form, whose SHA-256 the log has. Raises NotFound."""
    review = find_review(session, subject, review_id)
    if review.manifest is None:
        raise NotFound
    return canonical(review.manifest).encode()


def list_review_items(
    session: Session, subject: Subject, review_id: uuid.UUID, page: Page, *, undecided: bool = False
) -> list[ReviewItemView]:
    """The grants of a review in its order, `undecided` those alone of which nothing was said. Raises NotFound."""
    find_review(session, subject, review_id)
    query = select(AccessReviewItem).where(AccessReviewItem.review_id == review_id)
    if undecided:
        query = query.where(AccessReviewItem.decision.is_(None))
    return _item_views(session, subject, [item for (item,) in page.rows(session, query, [AccessReviewItem.ordinal])])


def decide_item(
    session: WriteSession, subject: Subject, review_id: uuid.UUID, item_id: uuid.UUID, decision: ReviewDecision | None
) -> ReviewItemView:
    """Say of one grant that it stays, or goes with the close of the review; None: say nothing of it any more.

    Nothing changes until the review is closed. Raises NotFound, Conflict for a closed review, and SelfGrant for who
    would keep a grant to themselves by name.
    """
    review = find_review(session, subject, review_id, share=True)
    if review.state == "closed":
        raise Conflict("This review was closed before.")
    item = session.scalar(
        select(AccessReviewItem).where(AccessReviewItem.id == item_id, AccessReviewItem.review_id == review.id)
    )
    if item is None:
        raise NotFound
    principal = Grant.from_json(item.grant_value).principal
    if decision == "keep" and principal.kind == "user" and principal.id == subject.user_id:
        raise SelfGrant("This grant is to you by name. Somebody else has to say that it stays.")
    decided_at = None if decision is None else session.scalars(select(func.now())).one()
    session.execute(
        update(AccessReviewItem)
        .where(AccessReviewItem.id == item.id)
        .values(decision=decision, decided_by=subject.user_id, decided_at=decided_at)
    )
    session.refresh(item)
    event = ReviewDecided(
        actor=actor(subject), review=review.id, collection=review.collection_id, item=item.id, decision=decision
    )
    record(session, event)
    return _item_views(session, subject, [item])[0]


def reviews_of(session: Session, subject: Subject) -> Select[AccessReview]:
    """The reviews of collections whose rules the subject may change."""
    ruled = [collection.id for collection in editable_collections(session, subject)]
    return select(AccessReview).where(AccessReview.collection_id.in_(ruled))


def find_review(session: Session, subject: Subject, review_id: uuid.UUID, *, share: bool = False) -> AccessReview:
    """One of them; `share`: it is not closed beside the caller. Raises NotFound."""
    query = reviews_of(session, subject).where(AccessReview.id == review_id)
    review: AccessReview | None = session.scalar(query.with_for_update(read=True) if share else query)
    if review is None:
        raise NotFound
    return review


def review_views(session: Session, reviews: Sequence[AccessReview]) -> list[ReviewView]:
    """Reviews with names and how much of them is decided: three statements, however many they are."""
    ids = [review.id for review in reviews]
    said = select(AccessReviewItem.review_id, AccessReviewItem.decision, func.count())
    said = said.where(AccessReviewItem.review_id.in_(ids)).group_by(
        AccessReviewItem.review_id, AccessReviewItem.decision
    )
    counts: dict[uuid.UUID, Counter[str | None]] = {id: Counter() for id in ids}
    for id, decision, number in session.execute(said):
        counts[id][decision] = number
    people = names_of(session, [user for r in reviews for user in (r.opened_by, r.closed_by) if user is not None])
    named = select(Collection.id, Collection.name).where(Collection.id.in_({r.collection_id for r in reviews}))
    collections: dict[uuid.UUID, str] = dict(session.execute(named).all())
    return [
        ReviewView(
            id=r.id,
            collection=collections[r.collection_id],
            title=r.title,
            opened_by=None if r.opened_by is None else people.get(r.opened_by),
            opened_at=r.opened_at,
            state=r.state,
            closed_by=None if r.closed_by is None else people.get(r.closed_by),
            closed_at=r.closed_at,
            items=counts[r.id].total(),
            undecided=counts[r.id][None],
            withdrawn=counts[r.id]["withdraw"],
            manifest=r.manifest,
            digest=None if r.digest is None else r.digest.hex(),
        )
        for r in reviews
    ]


def _grants(session: Session, subject: Subject, collection: Collection) -> Iterator[tuple[dict[str, Any], Grant]]:
    """Each grant of the collection, with the fields of its place: outermost first, allows before denies."""
    for grant in _ordered(collection.own_rule):
        yield {"place": "collection"}, grant
    folders = select(Folder).where(Folder.collection_id == collection.id).order_by(Folder.path)
    for folder in session.scalars(folders):
        for grant in _ordered(folder.own_rule):
            yield {"place": "folder", "folder": folder.path}, grant
    if Capability.CURATE not in subject.capabilities or collection.id not in subject.curates:
        return
    counts = count_by_scope(session, collection.id)
    scopes = select(Scope.id, Scope.public_id, Scope.own_rule).where(Scope.id.in_(counts)).order_by(Scope.id)
    for scope in session.execute(scopes):
        for grant in _ordered(scope.own_rule):
            yield {"place": "documents", "scope": scope.public_id, "documents": counts[scope.id]}, grant


def _ordered(own_rule: dict[str, Any]) -> list[Grant]:
    return sorted(OwnRule.from_json(own_rule).grants, key=lambda g: str(g.to_json()))


def _people_behind(session: Session, grants: Iterable[Grant]) -> dict[Grant, int]:
    """How many active people each grant is about."""
    found = set(grants)
    roles = count_people(session, {g.principal.id for g in found if g.principal.kind == "role"})
    active = everybody(session)

    def people(grant: Grant) -> int:
        if grant.principal == EVERYONE:
            return len(active)
        return roles.get(grant.principal.id, 0) if grant.principal.kind == "role" else int(grant.principal.id in active)

    return {grant: people(grant) for grant in found}


def _item_views(session: Session, subject: Subject, items: Sequence[AccessReviewItem]) -> list[ReviewItemView]:
    grants = [Grant.from_json(item.grant_value) for item in items]
    names = names_of(
        session, {g.principal.id for g in grants} | {i.decided_by for i in items if i.decided_by is not None}
    )
    scopes = {item.scope for item in items if item.scope is not None}
    standing = documents_on(session, subject, scopes) if scopes else {}
    return [
        ReviewItemView(
            id=item.id,
            place=item.place,
            folder=item.folder,
            documents=item.documents,
            examples=[path for _, path in standing.get(item.scope, ())[:EXAMPLES]] if item.scope is not None else [],
            effect=grant.effect,
            kind=grant.principal.kind,
            principal=names.get(grant.principal.id),
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            people=item.people,
            decision=item.decision,
            decided_by=None if item.decided_by is None or item.decision is None else names.get(item.decided_by),
            decided_at=item.decided_at,
        )
        for item, grant in zip(items, grants, strict=True)
    ]
