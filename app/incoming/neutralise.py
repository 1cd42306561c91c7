"""A passage as a model is shown it: without what speaks to the model, and without what nobody sees. Pure.

Leaving a sentence out holds against a model of any size; asking a model to overlook it does not. Whoever reads the
answer sees the passage as it is, with a warning.
"""

from collections.abc import Iterable, Sequence

from app.incoming.control_characters import without_invisible
from app.incoming.detector import find_incoming
from app.incoming.finding import CHAT_TEMPLATE, FindingKind, PassageFinding

LEFT_OUT = "[…]"


def neutralise(text: str, findings: Sequence[PassageFinding] | None = None) -> str:
    """The text for a model. One in which nothing is found, and that hides nothing, stays as it is."""
    found = find_incoming(text) if findings is None else findings
    kept: list[str] = []
    at = 0
    for start, end in _merged(text, found):
        kept += [text[at:start], LEFT_OUT]
        at = end
    return without_invisible("".join([*kept, text[at:]]))


def kinds_of(findings: Iterable[PassageFinding]) -> tuple[FindingKind, ...]:
    """The kinds of findings, each once, in the order of their names."""
    return tuple(sorted({finding.kind for finding in findings}))


def _merged(text: str, findings: Iterable[PassageFinding]) -> list[tuple[int, int]]:
    """The sentences that are left out; those with only blanks between them together. A mere token of a chat template
    stays, since the prompt breaks it (`app.answer.prompt`).
    """
    merged: list[tuple[int, int]] = []
    for finding in findings:
        if finding.kind != "instruction" or finding.reason == CHAT_TEMPLATE:
            continue
        if merged and not text[merged[-1][1] : finding.start].strip():
            merged[-1] = (merged[-1][0], finding.end)
        else:
            merged.append((finding.start, finding.end))
    return merged
