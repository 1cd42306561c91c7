"""Pages of lists, by the place of the last row: pages neither repeat nor skip a row when others come and go.

One scheme for every list: at most `limit` rows behind the place that `after` holds, and where there are more, the place
for the next page. A place is opaque to callers: the sort values of the last row that they were shown.
"""

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import InvalidInput

Item = TypeVar("Item")
Column = InstrumentedAttribute[Any] | ColumnElement[Any]
Parse = Callable[[str], Any]
PARSERS: dict[type, Parse] = {str: str, uuid.UUID: uuid.UUID, dt.datetime: dt.datetime.fromisoformat, int: int}


class Page:
    """Which page of a list is asked for. `on_next` is told the place of the next one, if there is one."""

    def __init__(
        self, *, limit: int, after: str | None = None, on_next: Callable[[str], None] = lambda _: None
    ) -> None:
        self.limit, self.after, self._on_next = limit, after, on_next

    def rows(
        self, session: Session, query: Select[*tuple[Any, ...]], order: Sequence[Column], *, descending: bool = False
    ) -> list[Any]:
        """The rows of this page in this order, which must be unique: each as the query gives it, without the order."""
        if self.after is not None:
            values = _decode(self.after, [column.type.python_type for column in order])
            place = [literal(value, column.type) for value, column in zip(values, order, strict=True)]
            query = query.where(tuple_(*order) < tuple_(*place) if descending else tuple_(*order) > tuple_(*place))
        query = query.order_by(*(column.desc() if descending else column for column in order))
        width = len(query.column_descriptions)
        rows = session.execute(query.add_columns(*order).limit(self.limit + 1)).all()
        shown = self._cut(rows, lambda row: tuple(row[width:]))
        return [tuple(row[:width]) for row in shown]

    def items(self, items: Iterable[Item], key: Callable[[Item], str]) -> list[Item]:
        """The same of a list that is whole in memory: its items of this page, in the order of their unique keys."""
        ordered = sorted(items, key=key)
        if self.after is not None:
            [place] = _decode(self.after, [str])
            ordered = [item for item in ordered if key(item) > place]
        return self._cut(ordered, lambda item: (key(item),))

    def place(self, *kinds: type) -> list[Any] | None:
        """The values of these kinds behind which the page begins; None for the first page. Raises InvalidInput."""
        return None if self.after is None else _decode(self.after, kinds)

    def first(self, items: Sequence[Item], place: Callable[[Item], str]) -> list[Item]:
        """The same of items that stand behind `after` already, one more than the limit if there are more."""
        shown = list(items[: self.limit])
        if len(items) > self.limit:
            self._on_next(place(shown[-1]))
        return shown

    def goes_on(self, place: str) -> None:
        """Say where the next page begins, for a list that finds its pages by itself."""
        self._on_next(place)

    def _cut(self, found: Sequence[Item], place: Callable[[Item], tuple[Any, ...]]) -> list[Item]:
        return self.first(found, lambda item: encode_place(place(item)))


def encode_place(values: Sequence[Any]) -> str:
    """A place as callers get it: what `Page.place` reads."""
    texts = [value.isoformat() if isinstance(value, dt.datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(text: str, kinds: Sequence[type]) -> list[Any]:
    """The values in a place; raises InvalidInput for what no list of these kinds has given."""
    try:
        texts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(texts, list) or not all(isinstance(part, str) for part in texts):
            raise ValueError
        return [PARSERS[kind](part) for kind, part in zip(kinds, texts, strict=True)]
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidInput("'after' is not what this list gave as its next page; leave it out to begin anew.") from None
