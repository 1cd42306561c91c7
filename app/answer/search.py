"""Search as a reader uses it: from the words to redacted hits, recorded before they are given out."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.acl.visible import Visible, visible_scopes
from app.answer.components import Components
from app.audit.actor import actor
from app.audit.events.answers import SearchDone
from app.audit.events.base import SealedText
from app.audit.log import record
from app.db.session import ReadSession
from app.errors import InvalidInput, UnreadableSearch
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import Redactor
from app.identity.subject import Capability, Label, Subject, require_capability
from app.indexing.terms import query_terms
from app.retrieval.filters import SearchFilter, restrict_to_collections
from app.retrieval.highlight import Marker
from app.retrieval.neighbors import Neighbors, find_neighbors
from app.retrieval.passage import Hit
from app.retrieval.query_syntax import QuerySyntaxError, parse
from app.retrieval.search import Candidates, Query, search

# Characters of a hit's text that are shown.
SNIPPET = 400


@dataclass(frozen=True)
class SearchRequest:
    """What to search for. `neighbours`: passages before and after each hit to give along. No collections: all."""

    text: str
    limit: int
    collections: Sequence[str] = ()
    folder: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    neighbours: int = 0


@dataclass(frozen=True)
class HitExplanation:
    """How a hit was found, from what the subject may read alone; `None`: not among the best of that kind."""

    similarity: float
    word_share: float
    coverage: float
    similarity_rank: int | None
    word_rank: int | None
    reranked: float | None


@dataclass(frozen=True)
class HitCopy:
    """Another passage that the subject may read and that says the same."""

    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str


@dataclass(frozen=True)
class SearchHit:
    """A passage, redacted. `highlights`: [start, end) in characters of `snippet`."""

    document: uuid.UUID
    chunk: uuid.UUID
    collection: str
    path: str
    title: str
    heading: tuple[str, ...]
    page: int | None
    label: str
    snippet: str
    highlights: list[tuple[int, int]]
    score: float
    before: list[str]
    after: list[str]
    copies: list[HitCopy]
    explained: HitExplanation


@dataclass(frozen=True)
class SearchResult:
    """Hits, best first, and the quoted phrases that nothing has."""

    hits: list[SearchHit]
    unmatched: list[str]


def search_documents(parts: Components, subject: Subject, request: SearchRequest) -> SearchResult:
    """The best passages that the subject may read. Raises UnreadableSearch, InvalidInput, NotFound or
    GuardrailFailed.
    """
    require_capability(subject, Capability.ASK)
    asked = mask_credentials(request.text).text
    search_filter, depth = _filter(request), parts.settings.search.depth
    try:
        plain = parse(asked).plain
    except QuerySyntaxError as error:
        raise UnreadableSearch(str(error)) from error
    query = Query(
        asked,
        parts.embedder.embed_query(plain),
        limit=request.limit,
        filter=search_filter,
        operators=True,
        depth=depth,
        min_candidates=parts.reranked,
        languages=parts.embedder.languages,
    )

    def read(session: ReadSession) -> tuple[Visible, Candidates, Mapping[uuid.UUID, Neighbors]]:
        visible = visible_scopes(session, subject)
        searched, _ = restrict_to_collections(session, subject, visible, request.collections)
        candidates = search(session, searched, parts.index, query)
        chunks = [h.passage.chunk for h in candidates.hits]
        return visible, candidates, find_neighbors(session, searched, chunks, reach=request.neighbours)

    visible, candidates, nearby = parts.database.retrieve(subject.user_id, read)
    parts.searches.count(candidates.outcome)
    found = candidates.best(parts.reranking)
    neighbors = {h.passage.chunk: nearby.get(h.passage.chunk, Neighbors()) for h in found.hits}
    event = SearchDone(
        actor=actor(subject),
        query=SealedText(asked),
        policy_epoch=visible.epoch,
        hits=tuple(h.passage.chunk for h in found.hits),
        documents=tuple(dict.fromkeys(h.passage.document for h in found.hits)),
        around=tuple(b.chunk for a in neighbors.values() for b in (*a.before, *a.after)),
        codebook=found.codebook,
        depth=depth if found.codebook else None,
        reranker=found.reranker,
    )
    with parts.database.writing(subject.user_id) as session:
        record(session, event)
    clean = {label: Redactor(parts.policy.for_text(subject, label)) for label in Label}
    shown = _HitView(clean, plain).show(found.hits, neighbors)
    for each in clean.values():
        parts.guardrail.count(each.counts)
    return SearchResult(shown, list(found.unmatched))


def _filter(request: SearchRequest) -> SearchFilter:
    for name, moment in (("since", request.since), ("until", request.until)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(f"'{name}' has no time zone; write it like 2026-03-31T08:00:00Z.")
    if request.since is not None and request.until is not None and request.until <= request.since:
        raise InvalidInput("'until' is not later than 'since', so no document could be meant.")
    try:
        return SearchFilter(request.since, request.until, request.folder)
    except InvalidInput as error:
        raise InvalidInput(f"'folder': {error.detail}") from error


class _HitView:
    """Hits as they are shown: redacted, each by its label, with the words of the search marked."""

    def __init__(self, clean: Mapping[Label, Redactor], plain: str) -> None:
        self._clean = clean
        self._marker = Marker(query_terms(plain))

    def show(self, hits: Sequence[Hit], neighbors: Mapping[uuid.UUID, Neighbors]) -> list[SearchHit]:
        # Redacted first and cut after: cut first, half a card number would pass.
        texts = [self._clean[hit.passage.label](hit.passage.text) for hit in hits]
        self._marker.look_at(texts)
        return [self._hit(h, text, neighbors[h.passage.chunk]) for h, text in zip(hits, texts, strict=True)]

    def _hit(self, hit: Hit, text: str, neighbors: Neighbors) -> SearchHit:
        passage, clean = hit.passage, self._clean[hit.passage.label]
        part = self._marker.snippet(text, length=SNIPPET)
        lead, tail = ("… " if part.cut[0] else ""), (" …" if part.cut[1] else "")
        return SearchHit(
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
            before=[clean(b.text) for b in neighbors.before],
            after=[clean(b.text) for b in neighbors.after],
            copies=[HitCopy(c.document, c.chunk, c.collection, clean(c.path)) for c in hit.copies],
            explained=HitExplanation(
                similarity=hit.similarity,
                word_share=hit.ranks.share,
                coverage=hit.coverage,
                similarity_rank=hit.ranks.dense_rank,
                word_rank=hit.ranks.lexical_rank,
                reranked=hit.ranks.reranked,
            ),
        )
