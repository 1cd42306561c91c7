"""Passages without a database."""

import uuid

from app.identity.subject import Label
from app.retrieval.passage import Passage


def passage(text: str, *, title: str = "", heading: tuple[str, ...] = ()) -> Passage:
    blank = uuid.UUID(int=0)
    return Passage(blank, blank, blank, "collection", "p.md", title, heading, None, text, 1, Label.PUBLIC)
