"""Which characters of a text the guardrail masks, worked out from what it releases."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

_CHECKS = default_checks()
_PLACEHOLDER = re.compile(r"\[redacted: [^\]\n]*\]")


class Span(NamedTuple):
    """Characters start..end of a text, and what they are."""

    start: int
    end: int
    kind: str = ""


def released(text: str) -> str:
    """What a reader gets of the text."""
    return redact(text, _CHECKS).text


def without_placeholders(text: str) -> str:
    """A released text with a character that nothing contains in place of each mask: no part reads on across one."""
    return _PLACEHOLDER.sub("\0", text)


def masks(text: str) -> list[Span]:
    """The masked stretches of a text, in order.

    What is released is the text with a placeholder for each mask, so the pieces between placeholders are looked for one
    after the other. Where a piece stands more than once, the first place is taken: a mask may come out too short.
    """
    return aligned(text, released(text))


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
