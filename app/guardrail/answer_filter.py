"""What a model's text passes on its way out: citations, then the gate, then active content. One law holds for all
three, and so for the chain: what is released does not depend on how the text was cut.
"""

from collections.abc import Mapping

from app.guardrail.active_content import NO_ADDRESSES, ActiveContentFilter, Addresses
from app.guardrail.citations import CitationFilter
from app.guardrail.gate import Gate, GateClosed
from app.guardrail.redaction import Redaction
from app.guardrail.stages import Stage


class AnswerFilter:
    """One answer: `feed` each piece, `flush` at its end. An aborted answer is not flushed.

    If a filter fails, none releases anything more: `stage` is then the one that did.
    """

    def __init__(self, redaction: Redaction, *, sources: int, allowed: Addresses = NO_ADDRESSES) -> None:
        self._citations = CitationFilter(sources)
        self._gate = Gate(redaction.checks, redaction.renderer)
        # Last: a dropped citation or a redaction may bring together what stood apart.
        self._content = ActiveContentFilter(allowed)
        self.stage: Stage = "citations"
        self._open = True

    @property
    def used(self) -> tuple[int, ...]:
        """The passages that were cited, as `CitationFilter.used`."""
        return self._citations.used

    @property
    def counts(self) -> Mapping[str, int]:
        return self._gate.counts

    @property
    def held(self) -> int:
        """Characters that came in and are neither released nor left out yet."""
        return self._citations.held + self._gate.held + self._content.held

    def feed(self, piece: str) -> str:
        self._enter()
        cited = self._citations.feed(piece)
        self.stage = "redaction"
        redacted = self._gate.feed(cited)
        self.stage = "active content"
        released = self._content.feed(redacted)
        self._open = True
        return released

    def flush(self) -> str:
        """What was held back. Nothing is released afterwards."""
        self._enter()
        cited = self._citations.flush()
        self.stage = "redaction"
        redacted = self._gate.finish(cited)
        self.stage = "active content"
        return self._content.feed(redacted) + self._content.flush()

    def _enter(self) -> None:
        if not self._open:
            raise GateClosed("the answer has ended or a filter has failed; nothing more is released")
        self._open, self.stage = False, "citations"
