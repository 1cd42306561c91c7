"""What a model's text passes on its way out: citations, then the gate, then active content. One law holds for all
three, and so for the chain: what is released does not depend on how the text was cut.
"""

from collections.abc import Mapping, Sequence

from app.guardrail.active_content import NO_ADDRESSES, ActiveContentFilter, Addresses
from app.guardrail.check import Check
from app.guardrail.citations import CitationFilter
from app.guardrail.gate import Gate


class AnswerFilter:
    """One answer: `feed` each piece, `flush` at its end. An aborted answer is not flushed."""

    def __init__(self, checks: Sequence[Check], *, sources: int, allowed: Addresses = NO_ADDRESSES) -> None:
        self._citations = CitationFilter(sources)
        self._gate = Gate(checks)
        # Last: a dropped citation or a redaction may bring together what stood apart.
        self._content = ActiveContentFilter(allowed)

    @property
    def used(self) -> tuple[int, ...]:
        """The passages that were cited, as `CitationFilter.used`."""
        return self._citations.used

    @property
    def counts(self) -> Mapping[str, int]:
        return self._gate.counts

    def feed(self, piece: str) -> str:
        return self._content.feed(self._gate.feed(self._citations.feed(piece)))

    def flush(self) -> str:
        return self._content.feed(self._gate.feed(self._citations.flush()) + self._gate.flush()) + self._content.flush()
