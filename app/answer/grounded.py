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
from app.guardrail.gate import GateClosed
from app.guardrail.redaction import Redaction
from app.guardrail.stages import Stage
from app.indexing.analysis.language import question_language


class GroundedAnswer:
    """One answer: `feed` each piece, `flush` at its end. Then, unless it is `grounded`, nothing was released.

    Evidence is the passages of the context alone: an earlier turn is none.
    """

    def __init__(
        self,
        redaction: Redaction,
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
        self._filter = AnswerFilter(redaction, sources=len(passages), allowed=allowed)
        self._in_grounding, self._open = True, True

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

    @property
    def held(self) -> int:
        """Characters that the filters behind grounding hold back."""
        return self._filter.held

    @property
    def wanted(self) -> int:
        """How many characters have to come before anything more can be released, unless a line ends."""
        return self._grounding.wanted

    @property
    def stage(self) -> Stage:
        """Where the text is, or was when something failed."""
        return "grounding" if self._in_grounding else self._filter.stage

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what can be released now. After a failure nothing is."""
        self._enter()
        grounded = self._grounding.feed(piece)
        self._in_grounding = False
        released = self._filter.feed(grounded)
        self._open = True
        return released

    def flush(self) -> str:
        """The answer is complete: returns what was held back."""
        self._enter()
        grounded = self._grounding.flush()
        self._in_grounding = False
        return self._filter.feed(grounded) + self._filter.flush()

    def _enter(self) -> None:
        if not self._open:
            raise GateClosed("the answer has ended or a filter has failed; nothing more is released")
        self._open, self._in_grounding = False, True
