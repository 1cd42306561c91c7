"""Sentences of an answer's sources that contradict each other, as they may be shown. Pure."""

from collections.abc import Sequence

from app.answer.events import ShownConflict
from app.answer.quotes.release import masked_alike
from app.grounding.report import SourceConflict
from app.guardrail.check import Check
from app.guardrail.redactor import Redactor
from app.retrieval.passage import Passage


def show_conflicts(
    found: Sequence[SourceConflict],
    passages: Sequence[Passage],
    checks: Sequence[Check],
    clean: Redactor,
    *,
    cited: Sequence[int],
) -> tuple[ShownConflict, ...]:
    """Each conflict with its two sentences. `cited` are passages in the order of their numbers in the response, where
    all others follow.

    One is left out whose words the guardrail masks in their passage, and not by themselves.
    """
    order = [*cited, *(n for n in range(1, len(passages) + 1) if n not in cited)]
    shown = []
    for conflict in found:
        sides = [
            (passages[conflict.first - 1], conflict.first_span),
            (passages[conflict.second - 1], conflict.second_span),
        ]
        texts = [passage.text[start:end] for passage, (start, end) in sides]
        if all(masked_alike(text, passage, checks) for text, (passage, _) in zip(texts, sides, strict=True)):
            first, second = map(clean, texts)
            shown.append(
                ShownConflict(
                    order.index(conflict.first) + 1, order.index(conflict.second) + 1, conflict.kind, first, second
                )
            )
    return tuple(shown)
