"""Passages without a database."""

import dataclasses
import uuid
from typing import Any

from app.identity.subject import Label
from app.retrieval.passage import Passage


def passage(text: str = "text", *, title: str = "Title", **other: Any) -> Passage:
    """Each with ids of its own, which follow from title and text."""
    chunk, document, version = (uuid.uuid5(uuid.NAMESPACE_OID, f"{title}{text}{n}") for n in range(3))
    made = Passage(chunk, document, version, "collection", "a/p.md", title, (), None, text, 1, Label.PUBLIC)
    return dataclasses.replace(made, **other)
