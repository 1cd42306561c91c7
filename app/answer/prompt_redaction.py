"""What a prompt holds in the stead of personal data and credentials where it leaves the house. Pure.

What belongs together is looked at together: a value in a passage may be named by its heading, one in an answer by its
question. So the model sees of each exactly what the guardrail gives out of it, as does whoever holds its sentences to
the passages afterwards.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from types import MappingProxyType

from app.guardrail.check import Check
from app.guardrail.explain import ExplainedRedaction, explain
from app.guardrail.guarded import MAX_SECONDS, within
from app.guardrail.masks import placeholder
from app.retrieval.passage import Passage

_BETWEEN = "\n\n"


@dataclass(frozen=True)
class RedactedPrompt:
    """The question, the passages and the earlier turns as (question, answer) of a prompt, redacted, and how many
    redactions of each kind these hold.
    """

    question: str
    passages: tuple[Passage, ...]
    turns: tuple[tuple[str, str], ...]
    counts: Mapping[str, int]


def redact_prompt(
    checks: Sequence[Check], question: str, passages: Sequence[Passage], turns: Sequence[tuple[str, str]]
) -> RedactedPrompt:
    """What a prompt is made of without what the checks find. Raises GuardrailFailed, also where it takes too long."""
    return within(MAX_SECONDS, "prompt", _redact, checks, question, passages, turns)


def _redact(
    checks: Sequence[Check], question: str, passages: Sequence[Passage], turns: Sequence[tuple[str, str]]
) -> RedactedPrompt:
    counts = Counter[str]()
    (asked,) = _together(checks, counts, [question])
    said = [_together(checks, counts, [before, answer]) for before, answer in turns]
    shown = tuple(_passage(checks, counts, each) for each in passages)
    return RedactedPrompt(asked, shown, tuple((one, two) for one, two in said), MappingProxyType(counts))


def _passage(checks: Sequence[Check], counts: Counter[str], passage: Passage) -> Passage:
    """As a page with its title and headings above its text; a heading that is the title stands there once."""
    above = list(dict.fromkeys((passage.title, *passage.heading_path)))
    *named, text = _together(checks, counts, [*above, passage.text])
    shown = dict(zip(above, named, strict=True))
    headings = tuple(shown[heading] for heading in passage.heading_path)
    return replace(passage, title=shown[passage.title], heading_path=headings, text=text)


def _together(checks: Sequence[Check], counts: Counter[str], parts: Sequence[str]) -> list[str]:
    """The parts of one text, each as its redaction has it."""
    found = explain(_BETWEEN.join(parts), checks)
    counts.update(span.kind for span in found.spans)
    places = accumulate((len(part) + len(_BETWEEN) for part in parts), initial=0)
    return [_cut(part, place, found) for part, place in zip(parts, places, strict=False)]


def _cut(part: str, begin: int, found: ExplainedRedaction) -> str:
    """A part of a redacted text. A placeholder stands in the part in which its value begins, and in no other."""
    shown = list(part)
    for place in found.left_out:
        if begin <= place < begin + len(part):
            shown[place - begin] = ""
    for span in found.spans:
        start, end = span.start - begin, min(span.end - begin, len(part))
        if start < len(part) and end > 0:
            shown[max(start, 0) : end] = [
                placeholder(span.kind) if start >= 0 else "",
                *[""] * (end - max(start, 0) - 1),
            ]
    return "".join(shown)
