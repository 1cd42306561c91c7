"""Lists page by page: the page that is asked for, and where the next one is."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request

from app.db.paging import Page
from app.web.http.paging import After

ROWS = 50


@dataclass
class ListedPage:
    """A page of a list. `next` is the address of the one after it, known once it was read; empty: none."""

    path: str
    query: list[tuple[str, str]]
    after: str | None
    limit: int = ROWS
    next: str = field(default="", init=False)

    @property
    def page(self) -> Page:
        return Page(limit=self.limit, after=self.after, on_next=self._found)

    @property
    def first(self) -> bool:
        """Whether this is where the list begins."""
        return self.after is None

    def _found(self, place: str) -> None:
        self.next = f"{self.path}?{urlencode([*self.query, ('after', place)])}"


def listing(request: Request, after: After = None) -> ListedPage:
    """A dependency: the page of the list at this address."""
    query = [(name, value) for name, value in parse_qsl(request.url.query) if name != "after"]
    return ListedPage(request.url.path, query, after or None)


ListingOf = Annotated[ListedPage, Depends(listing)]
Text = Annotated[str, Query(max_length=1_000)]
