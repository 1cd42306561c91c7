"""The log: a table that a query narrows, one record with its proof, queries that are kept, and the published heads."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response

from app.admin.audit_log import EventReading
from app.admin.saved_queries import list_saved_queries, remove_saved_query, save_query
from app.audit.query import FINDINGS, MAX_CHARACTERS, QUALIFIERS
from app.db.paging import Page
from app.errors import InvalidInput
from app.evidence.merkle import canonical, encode
from app.web.console.evidence.words import (
    KIND_WORDS,
    OFFERED,
    OUTCOME_WORDS,
    actor_of,
    fields_of,
    hits_of,
    passages_of,
    summary_of,
)
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import Viewer, ViewerOf
from app.web.http.dependencies import AuditLogOf, Auditor, OpeningsOf, Writing, public_id, record_number
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])
Q = Annotated[str, Query(max_length=MAX_CHARACTERS)]
MANY = 100
WORDS = {
    "kinds": KIND_WORDS,
    "outcomes": OUTCOME_WORDS,
    "findings": FINDINGS,
    "actor_of": actor_of,
    "summary_of": summary_of,
    "fields_of": fields_of,
    "hits_of": hits_of,
    "passages_of": passages_of,
}


@router.get("/log")
def log(viewer: ViewerOf, audit_log: AuditLogOf, listing: ListingOf, q: Q = "") -> Response:
    """Records, newest first, without anybody's words; reading them is recorded."""
    found, trouble = None, ""
    try:
        found = audit_log.read(audit_log.query(q), listing.page, newest_first=True)
    except InvalidInput as error:
        # It says at which character: beside the query, which stays as it was written.
        trouble = error.detail
    values = {"q": q, "found": found, "trouble": trouble, "listing": listing, **WORDS}
    if viewer.part:
        return page(viewer, "evidence/log_rows.html", values)
    with audit_log.reading() as session:
        kept = list_saved_queries(session, audit_log.subject, Page(limit=MANY))
    offered = {"offered": OFFERED, "kept": kept, "qualifiers": QUALIFIERS}
    return page(viewer, "evidence/log.html", {**values, **offered}, status=422 if trouble else 200)


@router.post("/log/queries")
def keep_query(
    viewer: ViewerOf,
    subject: Auditor,
    session: Writing,
    name: Annotated[str, Form(max_length=100)],
    q: Annotated[str, Form(max_length=MAX_CHARACTERS)],
) -> Response:
    """Keep a query under a name, and go on with it."""
    kept = save_query(session, subject, name, q)
    return go_to(viewer, f"/log?{urlencode({'q': kept.q})}")


@router.post("/log/queries/{saved}/remove")
def remove_query(viewer: ViewerOf, subject: Auditor, session: Writing, saved: str) -> Response:
    """Remove one."""
    remove_saved_query(session, subject, public_id(saved))
    return go_to(viewer, "/log")


@router.get("/log/records/{record}")
def look_up(viewer: ViewerOf, audit_log: AuditLogOf, record: str) -> Response:
    """The place of a record, by its id."""
    return go_to(viewer, f"/log/{audit_log.number_of(public_id(record))}")


@router.get("/log/{seq}")
def event(
    viewer: ViewerOf,
    openings: OpeningsOf,
    seq: str,
    *,
    head: Annotated[str, Query(max_length=100)] = "",
    q: Q = "",
    opening: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """One record in plain words, proved under the newest head or one that somebody kept; words by an opening alone.

    `q`: the query that found it, to which the page leads back.
    """
    approved = openings.approved(public_id(opening)) if opening else None
    found = openings.log.event(record_number(seq), approved=approved, kept=head.strip() or None)
    return _event_page(viewer, found, q, head)


@dataclass(frozen=True)
class ProofText:
    """A proof as text: the head, and the hashes from the leaf up."""

    size: int
    root: str
    path: list[str]


def _event_page(viewer: Viewer, found: EventReading, q: str, head: str = "") -> Response:
    record, proof = found.event.record, found.verification.proof
    values = {
        "event": found.event,
        "q": q,
        "verification": found.verification,
        "proof": proof and ProofText(proof.head.size, encode(proof.head.root), [encode(each) for each in proof.path]),
        "body": None if record is None else canonical(record),
        "trail": found.trail,
        "around": [*found.before, found.event, *found.behind],
        "recorded": found.recorded,
        "kept_head": head,
    }
    return page(viewer, "evidence/event.html", {**values, **WORDS})


@router.get("/heads")
def heads(viewer: ViewerOf, audit_log: AuditLogOf, listing: ListingOf) -> Response:
    """The published heads, newest first: to be kept somewhere else."""
    found = audit_log.heads(listing.page)
    values = {"heads": [(head.size, encode(head.root), at) for head, at in found], "listing": listing}
    return page(viewer, "evidence/head_rows.html" if viewer.part else "evidence/heads.html", values)
