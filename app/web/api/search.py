"""POST /search: passages, without an answer."""

import uuid
from collections.abc import Mapping

from fastapi import APIRouter

from app.acl.visible import Visible, visible_scopes
from app.audit.actor import actor
from app.audit.events import SearchDone
from app.audit.events.base import SealedText
from app.audit.log import record
from app.db.session import ReadSession
from app.errors import InvalidInput, UnreadableSearch
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import Redactor
from app.indexing.terms import query_terms
from app.retrieval.filters import About, on_shelves
from app.retrieval.highlight import Marker
from app.retrieval.neighbors import Around, around
from app.retrieval.passage import Hit, Passage
from app.retrieval.query_syntax import QuerySyntaxError, parse
from app.retrieval.search import Candidates, Query, candidates
from app.web.api.search_schemas import CopyOut, ExplainedOut, HitOut, SearchBody, SearchOut
from app.web.http.dependencies import LentAsker, PartsOf

router = APIRouter(tags=["ask"])

SNIPPET = 400


@router.post("/search")
def search_passages(body: SearchBody, subject: LentAsker, parts: PartsOf) -> SearchOut:
    """Find passages that you may read. "Quotes" and -minus bind, but not in a question (a text that ends in `?`)."""
    asked = mask_credentials(body.query).text
    about, depth = _about(body), parts.settings.search.depth
    try:
        plain = parse(asked).plain
    except QuerySyntaxError as error:
        raise UnreadableSearch(str(error)) from error
    query = Query(asked, parts.embedder.embed_query(plain), operators=True)

    def read(session: ReadSession) -> tuple[Visible, Candidates, Mapping[uuid.UUID, Around]]:
        visible = visible_scopes(session, subject)
        meant = on_shelves(session, subject, visible, body.collections) if body.collections else visible
        given = candidates(
            session, meant, parts.lists, query, limit=body.limit, about=about, depth=depth, least=parts.reranked
        )
        return visible, given, around(session, meant, [h.passage.chunk for h in given.hits], reach=body.neighbours)

    visible, given, near = parts.database.retrieve(subject.user_id, read)
    parts.searches.count(given.outcome)
    found = given.best(parts.reranking)
    beside = {h.passage.chunk: near.get(h.passage.chunk, Around()) for h in found.hits}
    event = SearchDone(
        actor=actor(subject),
        query=SealedText(asked),
        policy_epoch=visible.epoch,
        hits=tuple(h.passage.chunk for h in found.hits),
        around=tuple(b.chunk for a in beside.values() for b in (*a.before, *a.after)),
        codebook=found.codebook,
        depth=depth if found.codebook else None,
        reranker=found.reranker,
    )
    with parts.database.writing(subject.user_id) as session:
        record(session, event, parts.sealer)
    wire = _Wire(Redactor(parts.checks), plain, explain=body.explain)
    hits = [wire.hit(h, beside[h.passage.chunk]) for h in found.hits]
    return SearchOut(hits=hits, unmatched=list(found.unmatched))


def _about(body: SearchBody) -> About:
    for name, moment in (("since", body.since), ("until", body.until)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(f"'{name}' has no time zone; write it like 2026-03-31T08:00:00Z.")
    if body.since is not None and body.until is not None and body.until <= body.since:
        raise InvalidInput("'until' is not later than 'since', so no document could be meant.")
    try:
        return About(body.since, body.until, body.folder)
    except InvalidInput as error:
        raise InvalidInput(f"'folder': {error.detail}") from error


class _Wire:
    """Hits as they are sent: redacted, with the words of the search marked."""

    def __init__(self, clean: Redactor, plain: str, *, explain: bool) -> None:
        self._clean, self._explain = clean, explain
        self._marker = Marker(query_terms(plain))

    def hit(self, hit: Hit, beside: Around) -> HitOut:
        passage, clean = hit.passage, self._clean
        # Redacted first and cut after: cut first, half a card number would pass.
        part = self._marker.shown(clean(passage.text), length=SNIPPET)
        lead, tail = ("… " if part.cut[0] else ""), (" …" if part.cut[1] else "")
        return HitOut(
            document=passage.document,
            chunk=passage.chunk,
            collection=passage.collection,
            path=clean(passage.path),
            title=clean(passage.title),
            heading=tuple(clean(h) for h in passage.heading_path),
            page=passage.page,
            label=passage.label.text,
            snippet=f"{lead}{part.text}{tail}",
            highlights=[(a + len(lead), b + len(lead)) for a, b in part.marks],
            score=hit.score,
            before=[clean(b.text) for b in beside.before],
            after=[clean(b.text) for b in beside.after],
            copies=[self._copy(c) for c in hit.copies],
            explained=_explained(hit) if self._explain else None,
        )

    def _copy(self, passage: Passage) -> CopyOut:
        return CopyOut(
            document=passage.document,
            chunk=passage.chunk,
            collection=passage.collection,
            path=self._clean(passage.path),
        )


def _explained(hit: Hit) -> ExplainedOut:
    return ExplainedOut(
        similarity=hit.similarity,
        word_share=hit.found.share,
        coverage=hit.coverage,
        similarity_rank=hit.found.dense_rank,
        word_rank=hit.found.lexical_rank,
        reranked=hit.found.reranked,
    )
