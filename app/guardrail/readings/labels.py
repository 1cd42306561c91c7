"""Values that their column, the line above them or a heading names: see `app.guardrail.outline`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.guardrail.check import Check, Cue, Finding, Run, Tail
from app.guardrail.cues import number_labels
from app.guardrail.groups import CheckGroup
from app.guardrail.lookalikes import lowered
from app.guardrail.outline import CELL, UNSURE
from app.guardrail.readings.reading import TAIL, groups_of, longer
from app.guardrail.values import is_mixed

# The beginning of a line or cell, behind its sign and a quote. The character before it is looked at first.
_START = re.compile(
    r"(?<=[\n|>,; \"'`])(?:(?<=[\n|>,;])|(?<=[\n|>,;] )|(?<=\n[-+.>] )|(?<=\n\d[.)] )"
    r"|(?<=[\n|>,;][\"'`])|(?<=[\n|] [\"'`])|(?<=\n[-+.] [\"'`]))"
    r"(?=[^ \n|<>\"'`,;])"
)
_RUN = Run(re.compile(r"[^\n|<]*"), 56)
_CELL_END = re.compile(r"[,;]")
_END = re.compile(r"[\"'`.,;)_]{0,3} *(?:[\n|<,;]|\Z)")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledReading:
    """The checks, asked about the beginning of a line or cell as if its label stood before it.

    Of credentials one is taken that fills its line or cell, or that is no word.
    """

    groups: tuple[CheckGroup, ...]
    cue: Cue
    opener: re.Pattern[str] = _START
    run: Run = _RUN
    needs: str = ""
    kind: str = ""
    tail: Tail | None = TAIL

    def at(self, window: str, start: int) -> Finding | None:
        cued = lowered(window[:start])
        if cued.endswith(CELL) and (delimiter := _CELL_END.search(window, start)) is not None:
            window = window[: delimiter.end()]
        best: Finding | None = None
        for group in self.groups:
            if group.opener.match(window, start) is None:
                continue
            if group.cue is not None and group.cue.found(cued) is None:
                continue
            end = group.run.end(window, start)
            for check in group.checks if end - start >= group.run.min_extent else ():
                found = check.at(window[: end + 1], start)
                if found is not None and _fills(window, start, found):
                    best = longer(best, found)
        return best


def _fills(window: str, start: int, found: Finding) -> bool:
    value = window[start : found.end]
    if found.kind != "credential" or is_mixed(value):
        return True
    return _END.match(window, found.end) is not None and (value.isdigit() or not window[:start].endswith(UNSURE))


def labelled_reading(checks: Sequence[Check]) -> Check:
    """The checks as labels name what they look for."""
    groups = groups_of(checks)
    words = tuple({word for group in groups if group.cue for word in group.cue.words}) + number_labels()
    return LabelledReading(groups, Cue(words, re.compile("(?:)"), of_label=True))
