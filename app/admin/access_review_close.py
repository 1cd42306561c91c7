"""The end of an access review: what was to go is taken away, as one change that was seen before; then the manifest."""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.effects import Effects, PersonEffect
from app.acl.placement import documents_on
from app.acl.rules import Grant, OwnRule
from app.admin.access_reviews import ReviewView, find_review, review_views
from app.admin.changes import GrantStep, PlanStep
from app.admin.plans import make_steps, preview
from app.audit.actor import actor
from app.audit.events.reviews import ReviewClosed
from app.audit.log import record
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection, Folder
from app.db.tables.people import Role
from app.db.tables.reviews import AccessReview, AccessReviewItem
from app.errors import Conflict, PlanStale
from app.evidence.merkle import canonical
from app.identity.names import names_of
from app.identity.subject import Subject, require_curator

# Documents that get another rule one by one, in one change.
MAX_DOCUMENTS = 1_000


@dataclass(frozen=True)
class ReviewPreview:
    """What closing a review would do: people by name with what they lose, and gain where a deny goes.

    `fingerprint` names just this; `undecided` grants keep the review from being closed.
    """

    fingerprint: str
    undecided: int
    withdrawn: int
    documents: int
    people: list[tuple[str, PersonEffect]]


# The grants that are to go, each with the steps by which it does; none where it is gone already.
_Standing = list[tuple[AccessReviewItem, list[PlanStep]]]


def preview_close(database: Database, subject: Subject, review_id: uuid.UUID) -> ReviewPreview:
    """What the close of a review would do now, found out by doing it in a transaction that is rolled back."""
    with database.dry_run(subject.user_id) as trial:
        guard_change(trial, subject)
        review = find_review(trial, subject, review_id)
        items = _items(trial, review)
        found = preview(trial, subject, _steps(_standing(trial, subject, review, items)))
        decisions = Counter(item.decision for item in items)
        return ReviewPreview(
            fingerprint=found.digest.hex(),
            undecided=decisions[None],
            withdrawn=decisions["withdraw"],
            documents=found.effects.documents,
            people=_named(trial, found.effects),
        )


def close_review(
    session: WriteSession, subject: Subject, review_id: uuid.UUID, *, fingerprint: str | None = None
) -> ReviewView:
    """Take away what was to go, write the manifest, and close the review; all or nothing.

    Raises Conflict while something is undecided or where it was closed before, PlanStale where it would do anything
    else than what `fingerprint` names, MissingCapability, and what the single changes raise.
    """
    # All that could change what is taken away waits from here on.
    guard_change(session, subject)
    review = _locked(session, subject, review_id)
    if review.state == "closed":
        raise Conflict("This review was closed before.")
    items = _items(session, review)
    if undecided := sum(item.decision is None for item in items):
        raise Conflict(f"Of {undecided} grants nothing is said yet.")
    standing = _standing(session, subject, review, items)
    _, made = make_steps(session, subject, _steps(standing))
    if fingerprint is not None and made.hex() != fingerprint:
        raise PlanStale(
            "Since you looked, rules or documents have changed, and closing would do something else. Nothing was done."
        )
    closed_at: dt.datetime = session.scalars(select(func.now())).one()
    gone = {item.id for item, steps in standing if not steps}
    manifest = _manifest(session, subject, review, (items, gone), closed_at)
    digest = hashlib.sha256(canonical(manifest).encode()).digest()
    session.execute(
        update(AccessReview)
        .where(AccessReview.id == review.id)
        .values(state="closed", closed_by=subject.user_id, closed_at=closed_at, manifest=manifest, digest=digest)
    )
    session.refresh(review)
    decisions = Counter(item.decision for item in items)
    event = ReviewClosed(
        actor=actor(subject),
        review=review.id,
        collection=review.collection_id,
        kept=decisions["keep"],
        withdrawn=decisions["withdraw"],
        digest=digest.hex(),
    )
    record(session, event)
    return review_views(session, [review])[0]


def _locked(session: WriteSession, subject: Subject, review_id: uuid.UUID) -> AccessReview:
    """The review, which nobody decides beside the caller; raises NotFound."""
    review = find_review(session, subject, review_id)
    session.refresh(review, with_for_update=True)
    return review


def _items(session: Session, review: AccessReview) -> Sequence[AccessReviewItem]:
    query = select(AccessReviewItem).where(AccessReviewItem.review_id == review.id)
    return session.scalars(query.order_by(AccessReviewItem.ordinal)).all()


def _standing(session: Session, subject: Subject, review: AccessReview, items: Sequence[AccessReviewItem]) -> _Standing:
    """What goes, as things stand now.

    Raises MissingCapability where documents lose a grant of their own that the subject does not curate, and Conflict
    where these are more than one change takes.
    """
    going = [item for item in items if item.decision == "withdraw"]
    if any(item.scope is not None for item in going):
        require_curator(subject, review.collection_id)
    collection = session.get_one(Collection, review.collection_id)
    own: dict[str | None, frozenset[Grant]] = {None: OwnRule.from_json(collection.own_rule).grants}
    folders = select(Folder.path, Folder.own_rule).where(Folder.collection_id == collection.id)
    own |= {path: OwnRule.from_json(rule).grants for path, rule in session.execute(folders)}
    documents = documents_on(session, subject, {item.scope for item in going if item.scope is not None})
    found: _Standing = []
    for item in going:
        grant = Grant.from_json(item.grant_value)
        if item.scope is not None:
            ids = [document for document, _ in documents.get(item.scope, ())]
            steps = [GrantStep(collection.id, None, document, grant, present=False) for document in ids]
        else:
            there = grant in own.get(item.folder, ())
            steps = [GrantStep(collection.id, item.folder, None, grant, present=False)] if there else []
        found.append((item, list(steps)))
    if (number := sum(len(steps) for item, steps in found if item.scope is not None)) > MAX_DOCUMENTS:
        raise Conflict(
            f"{number} documents would each get another rule; a review changes {MAX_DOCUMENTS} at most. Give their "
            "folder a rule first, or keep some grants and open another review."
        )
    return found


def _steps(standing: _Standing) -> list[PlanStep]:
    return [step for _, steps in standing for step in steps]


def _named(session: Session, effects: Effects) -> list[tuple[str, PersonEffect]]:
    names = names_of(session, effects.people)
    people = ((names.get(user, str(user)), effect) for user, effect in effects.people.items())
    return sorted(people, key=lambda pair: pair[0])


def _manifest(
    session: Session,
    subject: Subject,
    review: AccessReview,
    decided: tuple[Sequence[AccessReviewItem], set[uuid.UUID]],
    closed_at: dt.datetime,
) -> dict[str, Any]:
    """Who decided what of which grant, and what came of it. `decided`: the items, and those that were gone before.

    People stand in it by their ids alone, so that it stays what its digest in the log says when one of them is erased.
    """
    items, gone = decided
    principals = {Grant.from_json(item.grant_value).principal.id for item in items}
    roles = dict(session.execute(select(Role.id, Role.shown).where(Role.id.in_(principals))).all())

    def act(user: uuid.UUID | None, at: dt.datetime | None) -> dict[str, Any]:
        by = None if user is None else {"id": str(user)}
        return {"at": None if at is None else at.astimezone(dt.UTC).isoformat(), "by": by}

    def outcome(item: AccessReviewItem) -> str:
        return "kept" if item.decision == "keep" else "gone before" if item.id in gone else "withdrawn"

    collection = session.get_one(Collection, review.collection_id)
    return {
        "format": "clearance access-review",
        "version": 1,
        "review": str(review.id),
        "title": review.title,
        "collection": {"id": str(collection.id), "name": collection.name},
        "opened": act(review.opened_by, review.opened_at),
        "closed": act(subject.user_id, closed_at),
        "items": [
            {
                "place": item.place,
                "folder": item.folder,
                "scope": None if item.scope is None else str(item.scope),
                "documents": item.documents,
                "grant": item.grant_value,
                "role": roles.get(Grant.from_json(item.grant_value).principal.id),
                "people": item.people,
                "decision": item.decision,
                "decided": act(item.decided_by, item.decided_at),
                "outcome": outcome(item),
            }
            for item in items
        ],
    }
