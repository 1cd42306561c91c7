"""What a model's text passes on its way to the reader: grounding first, then the filters of every answer.

Grounding comes first, for it reads the numbers of the prompt, and so that citations are numbered without gaps after
sentences were dropped. The law of the stream holds for each, and so for the chain.
"""

from collections.abc import Mapping, Sequence

from app.answer.replies import reply
from app.grounding.checker import Checker
from app.grounding.entailment import EntailmentChecker, Judge
from app.grounding.evidence import Evidence, EvidenceText
from app.grounding.report import GroundingReport, Policy
from app.grounding.stream import GroundingFilter
from app.guardrail.active_content import Addresses
from app.guardrail.answer_filter import AnswerFilter
from app.guardrail.check import Check
from app.indexing.analysis.language import question_language


class GroundedAnswer:
    """One answer: `feed` each piece, `flush` at its end. Then, unless it is `grounded`, nothing was released.

    Evidence is the passages of the context alone: an earlier turn is none.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        question: str,
        passages: Sequence[EvidenceText],
        policy: Policy,
        allowed: Addresses,
        judge: Judge | None = None,
    ) -> None:
        """Without a `judge` the rules decide alone."""
        self._passages = len(passages)
        mark = reply("unsupported", question_language(question))
        rules = Checker(Evidence(passages), question)
        checker = EntailmentChecker(rules, judge) if judge else rules
        self._grounding = GroundingFilter(checker, policy=policy, mark=mark)
        self._filter = AnswerFilter(checks, sources=len(passages), allowed=allowed)

    @property
    def used(self) -> tuple[int, ...]:
        """The passages that are cited, as `CitationFilter.used`."""
        return self._filter.used

    @property
    def counts(self) -> Mapping[str, int]:
        return self._filter.counts

    @property
    def grounded(self) -> bool:
        """Whether the answer may stand; known after `flush`."""
        return self._grounding.grounded

    @property
    def report(self) -> GroundingReport:
        """What was found of each sentence; sources have their numbers in the response."""
        return self._grounding.report(self.used, passages=self._passages)

    def feed(self, piece: str) -> str:
        return self._filter.feed(self._grounding.feed(piece))

    def flush(self) -> str:
        return self._filter.feed(self._grounding.flush()) + self._filter.flush()
