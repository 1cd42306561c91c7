"""An entailment model within its budget: so many sentences of an answer, and so long for each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from app import log
from app.audit.events.answers import EntailmentCheck
from app.embedding.entailment import Entailment, EntailmentModel


@dataclass(frozen=True)
class EntailmentBudget:
    """An entailment model with what an answer may take of it: `sentences`, and `seconds` for each of them."""

    model: EntailmentModel
    sentences: int
    seconds: float
    threads: int = 2
    pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pool", ThreadPoolExecutor(self.threads, thread_name_prefix="entailment"))

    def for_answer(self) -> "BudgetedJudge":
        """What judges the sentences of one answer."""
        return BudgetedJudge(self)


@dataclass
class BudgetedJudge:
    """Judges the sentences of one answer until the budget is spent; `judged` of them so far, `failed` if it gave up.

    After one that took too long, or an error of the model, it judges no more: the rules decide alone. A run that is
    late goes on in its thread, and holds a place of the pool until it ends.
    """

    budget: EntailmentBudget
    judged: int = 0
    failed: bool = False

    @property
    def record(self) -> EntailmentCheck:
        """What the audit log says of it."""
        return EntailmentCheck(self.budget.model.digest, self.judged, self.failed)

    def judge(self, texts: Sequence[str], sentence: str) -> Sequence[Entailment] | None:
        """One verdict for each text, or None where the budget is spent or the model failed."""
        if self.failed or self.judged >= self.budget.sentences:
            return None
        running = self.budget.pool.submit(self.budget.model.judge, texts, sentence)
        try:
            result = running.result(self.budget.seconds)
        except Exception as error:  # noqa: BLE001  # whatever a model does, the rules stand
            running.cancel()
            self.failed = True
            log.get().warning("entailment_failed", error=type(error).__name__)
            return None
        self.judged += 1
        return result
