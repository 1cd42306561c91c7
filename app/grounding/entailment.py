"""An entailment model behind the rules, where one is set: it decides between supported and not found. Pure.

What the rules call wrong stays wrong, and the model calls nothing wrong: a sentence that it takes for contradicted is
not found. Numbers, dates and names hold in any case, so a text that lacks one supports no sentence that has it.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from app.embedding.entailment import Entailment
from app.grounding.checker import Checker, Premise, Verdict

# The even odds: no trained model was at hand to set them by.
MIN_ENTAILED = MIN_CONTRADICTED = 0.5
MAX_PREMISES = 3


class Judge(Protocol):
    """Judges within a budget."""

    def judge(self, texts: Sequence[str], sentence: str) -> Sequence[Entailment] | None:
        """One verdict for each text, in their order; None where the budget is spent or the model failed."""


class EntailmentChecker:
    """The rules, and behind them the model, on each sentence that claims something and is not wrong."""

    def __init__(self, rules: Checker, judge: Judge) -> None:
        self._rules = rules
        self._judge = judge

    def check(self, text: str, cited: Collection[int] = ()) -> Verdict:
        """The verdict on a sentence; that of the rules alone where the model does not judge."""
        verdict = self._rules.check(text, cited)
        if verdict.kind in ("wrong", "glue"):
            return verdict
        premises = self._rules.premises(text, verdict.passages, MAX_PREMISES)
        judged = self._judge.judge([p.text for p in premises], text) if premises else None
        return verdict if judged is None else _decided(verdict, premises, judged, cited)


def _decided(
    verdict: Verdict, premises: Sequence[Premise], judged: Sequence[Entailment], cited: Collection[int]
) -> Verdict:
    pairs = list(zip(premises, judged, strict=True))
    entailing = [p.passage for p, e in pairs if e.entailed >= MIN_ENTAILED and p.is_complete]
    if verdict.kind == "not_found":
        chosen = [n for n in entailing if n in cited] or entailing[:1]
        return Verdict("supported", None, tuple(chosen), verdict.coverage) if chosen else verdict
    denied = any(e.contradicted >= MIN_CONTRADICTED for p, e in pairs if p.passage in verdict.passages)
    return Verdict("not_found", "entailment", (), verdict.coverage) if denied and not entailing else verdict
