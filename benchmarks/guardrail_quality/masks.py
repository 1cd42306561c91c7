"""Which characters of a text the guardrail masks, worked out from what it releases."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from app.guardrail.check import Check
from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

_PLACEHOLDER = re.compile(r"\[redacted: [^\]\n]*\]")


class Span(NamedTuple):
    """Characters start..end of a text, and what they are."""

    start: int
    end: int
    kind: str = ""


# The stretches of a text that a tool masks, in order and without overlaps.
Masker = Callable[[str], Sequence[Span]]


def masker(checks: Sequence[Check]) -> Masker:
    """What the guardrail masks with these checks.

    What is released is the text with a placeholder for each mask, so the pieces between placeholders are looked for one
    after the other. Where a piece stands more than once, the first place is taken: a mask may come out too short.
    """
    return functools.cache(lambda text: aligned(text, redact(text, checks).text))


guardrail = masker(default_checks())  # ours as it comes


def left(text: str, masked: Iterable[Span]) -> str:
    """What a reader gets of a text, with `\\0` for each mask, so that no part reads on across one."""
    parts, at = [], 0
    for mask in masked:
        parts.append(text[at : mask.start])
        at = mask.end
    return "\0".join([*parts, text[at:]])


def aligned(text: str, output: str) -> list[Span]:
    """The stretches of `text` that placeholders stand for in `output`."""
    kinds = [placeholder[len("[redacted: ") : -1] for placeholder in _PLACEHOLDER.findall(output)]
    pieces = _PLACEHOLDER.split(output)
    if not kinds:
        return []
    found, at = [], len(pieces[0])
    for number, (kind, piece) in enumerate(zip(kinds, pieces[1:], strict=True)):
        last = number == len(kinds) - 1
        begins = len(text) - len(piece) if last else text.find(piece, at + 1) if piece else at
        if begins < at:
            raise ValueError(f"the output is no redaction of the text: {output!r}")
        found.append(Span(at, begins, kind))
        at = begins + len(piece)
    return found


def covered(span: Span, by: Iterable[Span]) -> int:
    """How many characters of a span lie under masks, which do not overlap."""
    return sum(max(0, min(span.end, mask.end) - max(span.start, mask.start)) for mask in by)


def found(span: Span, by: Iterable[Span]) -> bool:
    """Whether at least half of the span is masked."""
    return 2 * covered(span, by) >= span.end - span.start
