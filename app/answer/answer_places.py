"""Where answers are being made, by person and by id: what the API processes of a service tell one another."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Protocol


class AnswerPlaces(Protocol):
    """Known to all processes; each says what begins and ends in it."""

    def begin(self, person: uuid.UUID, limit: int) -> bool:
        """Count an answer of this person that is being made, unless `limit` are."""

    def end(self, person: uuid.UUID) -> None:
        """It is made no longer."""

    def show(self, ids: Sequence[uuid.UUID]) -> None:
        """Requests for these come to this process from now on."""

    def hide(self, ids: Sequence[uuid.UUID]) -> None:
        """And no longer."""


class OnlyPlace:
    """The one process that there is."""

    def __init__(self) -> None:
        self._begun = Counter[uuid.UUID]()

    def begin(self, person: uuid.UUID, limit: int) -> bool:
        if self._begun[person] >= limit:
            return False
        self._begun[person] += 1
        return True

    def end(self, person: uuid.UUID) -> None:
        self._begun -= Counter([person])

    def show(self, ids: Sequence[uuid.UUID]) -> None:
        pass

    def hide(self, ids: Sequence[uuid.UUID]) -> None:
        pass
