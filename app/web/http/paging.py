"""Lists are sent in pages: `limit` and `after` in the query, the next page in the header `Link` (RFC 8288)."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request, Response

from app.db.paging import Page

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
After = Annotated[str | None, Query(max_length=2000, description="where the page before ended, as its Link says")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="most items of one page")]
# What lists are searched by.
SearchText = Annotated[str | None, Query(min_length=1, max_length=200, description="stands in the name")]
SourceName = Annotated[str | None, Query(max_length=63, description="where they come from")]


def page_of(request: Request, response: Response, after: After = None, limit: Limit = DEFAULT_LIMIT) -> Page:
    """The page that is asked for. If there is a next one, the answer's Link leads to it."""
    return Page(limit=limit, after=after, on_next=lambda place: link_next(request, response, place))


PageOf = Annotated[Page, Depends(page_of)]


def link_next(request: Request, response: Response, place: str) -> None:
    """Say where the next page is. As a reference to the same path, which holds behind any proxy."""
    given = [(name, value) for name, value in parse_qsl(request.url.query) if name != "after"]
    response.headers["Link"] = f'<?{urlencode([*given, ("after", place)])}>; rel="next"'
