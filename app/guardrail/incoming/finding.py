"""What is found in a passage."""

import re
from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["hidden text", "instruction", "control characters"]


@dataclass(frozen=True, slots=True)
class PassageFinding:
    """Characters start..end of a passage, what they are, and the names of the rules that say so."""

    kind: FindingKind
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A form of sentence that speaks to a model: one of `cues` stands in whatever `pattern` matches (none: always look).

    A sentence is an instruction from a `weight` of 2, by one frame or by several. What matches `unless` speaks to people.
    """

    reason: str
    weight: int
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None

    def holds(self, sentence: str) -> re.Match[str] | None:
        """The match in a folded sentence."""
        if self.cues and not any(cue in sentence for cue in self.cues):
            return None
        match = self.pattern.search(sentence)
        return None if match is None or (self.unless and self.unless.search(sentence)) else match
