"""Numbers that stand for values in one answer, so that a reader can tell two from one. Pure."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A value that an answer shows by its kind and a number, and the passages of its context in which it stands."""

    kind: str
    number: int
    value: str
    chunks: frozenset[uuid.UUID]
