"""Numbers that stand for values in one answer, so that a reader can tell two from one. Pure.

What they stand for can be read back for a while by who may (`app.admin.revealing`).
"""

import uuid
from dataclasses import dataclass, field

MAX_VALUE = 512  # characters; a longer value is not kept
# How a kind is written, wherever one is named from outside.
KIND_PATTERN = r"^[a-z][a-z0-9 _-]{0,39}$"


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A value that an answer shows by its kind and a number, and the passages of its context in which it stands."""

    kind: str
    number: int
    value: str = field(repr=False)
    chunks: frozenset[uuid.UUID]


def place_of(kind: str, number: int) -> str:
    """Where in an answer a value is sealed, so that it opens nowhere else."""
    return f"pseudonym/{kind}/{number}"
