"""What grounding says of an answer: for the response and the record. It holds no text."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.grounding.checker import Kind, Reason

Policy = Literal["drop", "strict", "quote", "mark"]
Action = Literal["kept", "dropped", "marked"]
ConflictKind = Literal["number", "date", "negation"]
Outcome = Literal["grounded", "partly", "ungrounded", "declined"]


@dataclass(frozen=True, slots=True)
class SentenceVerdict:
    """The verdict on one sentence, by its place in the model's text (0 first).

    `sources` are the numbers that stand in the response for the passages that support it.
    """

    index: int
    verdict: Kind
    action: Action
    reason: Reason | None = None
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceConflict:
    """Two passages that say different things about the same: their numbers, and the sentences of their texts that do.

    Spans are [start, end) in characters of the passages as they are stored.
    """

    first: int
    second: int
    first_span: tuple[int, int]
    second_span: tuple[int, int]
    kind: ConflictKind


@dataclass(frozen=True)
class GroundingReport:
    """An answer's sentences but for glue: how many were kept, dropped and marked, and why.

    `outcome`: "grounded" if every claim is supported, "partly" if some are, "ungrounded" if none is, and "declined" if
    the model claims nothing and says that the passages do not answer.
    """

    outcome: Outcome
    sentences: tuple[SentenceVerdict, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many sentences were kept, dropped and marked; glue is not counted."""
        counts = Counter(s.action for s in self.sentences if s.verdict != "glue")
        return {action: counts[action] for action in ("kept", "dropped", "marked")}

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why sentences were dropped or marked, with how many."""
        return dict(sorted(Counter(s.reason or "words" for s in self.sentences if s.action != "kept").items()))
