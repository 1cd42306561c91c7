"""POST /search: passages, without an answer."""

from fastapi import APIRouter, Response

from app.answer.search import SearchRequest, search_documents
from app.web.api.search_schemas import HitOut, SearchBody, SearchOut
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf
from app.web.http.responses import json_of

router = APIRouter(tags=["ask"])


@router.post("/search", response_model=SearchOut)
def search_passages(body: SearchBody, subject: AskerOrDelegate, parts: ComponentsOf) -> Response:
    """Find passages that you may read. "Quotes" and -minus bind, but not in a question (a text that ends in `?`)."""
    request = SearchRequest(
        text=body.query,
        limit=body.limit,
        collections=body.collections,
        folder=body.folder,
        since=body.since,
        until=body.until,
        neighbours=body.neighbours,
    )
    found = search_documents(parts, subject, request)
    hits = [HitOut.model_validate(hit) for hit in found.hits]
    if not body.explain:
        hits = [hit.model_copy(update={"explained": None}) for hit in hits]
    return json_of(SearchOut(hits=hits, unmatched=found.unmatched))
