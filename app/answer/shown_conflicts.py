"""Sentences of an answer's sources that contradict each other, as they may be shown. Pure."""

from collections.abc import Sequence

from app.answer.events import ShownConflict
from app.answer.quotes.release import masked_alike
from app.grounding.conflicts import conflicts
from app.grounding.evidence import Evidence
from app.guardrail.check import Check
from app.guardrail.guarded import guarded
from app.guardrail.redactor import Redactor
from app.retrieval.passage import Passage


def show_conflicts(
    passages: Sequence[Passage], cited: Sequence[int], checks: Sequence[Check], clean: Redactor
) -> tuple[ShownConflict, ...]:
    """The conflicts among passages, each with its two sentences. `cited` are numbers of passages in the order of their
    numbers in the response, where all others follow.

    One is left out whose words the guardrail masks in their passage, and not by themselves. Raises GuardrailFailed.
    """
    if len(passages) < 2:  # a pair
        return ()
    order = [*cited, *(n for n in range(1, len(passages) + 1) if n not in cited)]
    shown = []
    for conflict in guarded("grounding", lambda: conflicts(Evidence(passages))):
        first, second = passages[conflict.first - 1], passages[conflict.second - 1]
        texts = first.text[slice(*conflict.first_span)], second.text[slice(*conflict.second_span)]
        if masked_alike(texts[0], first, checks) and masked_alike(texts[1], second, checks):
            numbers = order.index(conflict.first) + 1, order.index(conflict.second) + 1
            shown.append(ShownConflict(*numbers, conflict.kind, clean(texts[0]), clean(texts[1])))
    return tuple(shown)
