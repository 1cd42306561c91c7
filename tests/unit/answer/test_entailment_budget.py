"""What an answer may take of an entailment model: so many sentences, so long for each, and no more after a failure."""

import threading
from collections.abc import Sequence

from app.answer.entailment import EntailmentBudget
from app.embedding.entailment import Entailment
from app.embedding.shared_sentences import SharedSentences

TEXTS = ("The tug sails.", "Lunch is at noon.")


class Stuck(SharedSentences):
    """Judges nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        self.let_go.wait(10)
        return super().judge(texts, sentence)


class Broken(SharedSentences):
    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        raise ArithmeticError("no number")


def test_so_many_sentences_and_then_no_more() -> None:
    judge = EntailmentBudget(SharedSentences(), sentences=2, seconds=5).for_answer()
    judged = [judge.judge(TEXTS, "The tug sails.") for _ in range(3)]
    assert judged[0] == judged[1] == SharedSentences().judge(TEXTS, "The tug sails.")
    assert judged[2] is None
    assert (judge.record.judged, judge.record.failed) == (2, False)
    assert judge.record.model == SharedSentences.digest


def test_each_answer_has_its_own_budget() -> None:
    budget = EntailmentBudget(SharedSentences(), sentences=1, seconds=5)
    assert budget.for_answer().judge(TEXTS, "The tug sails.") is not None
    assert budget.for_answer().judge(TEXTS, "The tug sails.") is not None


def test_one_that_is_late_or_fails_is_not_asked_again() -> None:
    stuck = Stuck()
    for model in (stuck, Broken()):
        judge = EntailmentBudget(model, sentences=5, seconds=0.05, threads=1).for_answer()
        assert judge.judge(TEXTS, "The tug sails.") is None
        stuck.let_go.set()
        assert judge.judge(TEXTS, "The tug sails.") is None, "the rest of the answer is left to the rules"
        assert (judge.record.judged, judge.record.failed) == (0, True)
