"""What is found in a passage."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["instruction", "control characters"]
# The reason where a token of a chat template stands, and nothing else speaks to a model.
CHAT_TEMPLATE = "chat template"


@dataclass(frozen=True, slots=True)
class PassageFinding:
    """Characters start..end of a passage, what they are, and the names of the rules that say so."""

    kind: FindingKind
    start: int
    end: int
    reason: str


# Where an order begins in a sentence, and whether it forbids.
OrderPlace = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Frame:
    """A form of sentence that speaks to a model: one of `cues` stands in whatever `pattern` matches; without any, it is
    always looked for.

    A sentence is an instruction from a `weight` of 2, by one frame or by several. `unless`: then it speaks to people.
    """

    reason: str
    weight: int
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    # Where the pattern is looked for: anywhere, or only where an order begins; "do not" begins no positive one.
    lead: Literal["", "order", "positive order"] = ""

    def may_hold(self, text: str) -> bool:
        """Whether one of the cues stands in a folded text."""
        return not self.cues or any(cue in text for cue in self.cues)

    def holds(self, sentence: str, orders: Sequence[OrderPlace]) -> re.Match[str] | None:
        """The first match in a folded sentence, in which orders begin at these places."""
        if not self.may_hold(sentence):
            return None
        match = self._match(sentence, orders)
        return None if match is None or (self.unless and self.unless.search(sentence)) else match

    def _match(self, sentence: str, orders: Sequence[OrderPlace]) -> re.Match[str] | None:
        if not self.lead:
            return self.pattern.search(sentence)
        for place, negative in orders:
            if negative and self.lead == "positive order":
                continue
            if match := self.pattern.match(sentence, place):
                return match
        return None
