"""POST /search: passages, without an answer."""

from fastapi import APIRouter

from app.answer.search import SearchRequest, search_documents
from app.web.api.search_schemas import HitOut, SearchBody, SearchOut
from app.web.http.dependencies import AskerOrDelegate, ComponentsOf

router = APIRouter(tags=["ask"])


@router.post("/search")
def search_passages(body: SearchBody, subject: AskerOrDelegate, parts: ComponentsOf) -> SearchOut:
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
    return SearchOut(hits=hits, unmatched=found.unmatched)
