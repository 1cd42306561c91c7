"""Redacts short texts, titles and paths as the gate redacts a stream, and counts what it took out."""

import time
from collections import Counter

from app.guardrail.active_content import Addresses, make_inert
from app.guardrail.gate import Redacted, redact
from app.guardrail.guarded import MAX_SECONDS, within
from app.guardrail.redaction import Redaction
from app.incoming.control_characters import without_invisible


class Redactor:
    """Redacts short texts and counts what it took out. Made for one request: passages of one document share title and
    path, and what was redacted once is not looked at again.

    It fails closed: where a text cannot be redacted, or all of them take too long, it raises GuardrailFailed.
    """

    def __init__(self, redaction: Redaction, *, seconds: float | None = None) -> None:
        self._redaction = redaction
        self._left = MAX_SECONDS if seconds is None else seconds
        self._done: dict[str, Redacted] = {}
        self.counts: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        done = self._done.get(text)
        if done is None:
            begun = time.monotonic()
            done = self._done[text] = self._clean(text)
            self._left -= time.monotonic() - begun
        self.counts.update(done.counts)
        return done.text

    def _clean(self, text: str) -> Redacted:
        return within(self._left, "redaction", redact, text, self._redaction.checks, self._redaction.renderer)


class InertRedactor(Redactor):
    """The same for what stands beside an answer, and may be rendered with it: no image, no HTML, no other links."""

    def __init__(self, redaction: Redaction, allowed: Addresses, *, seconds: float | None = None) -> None:
        super().__init__(redaction, seconds=seconds)
        self._allowed = allowed

    def _clean(self, text: str) -> Redacted:
        """The redacted text, made inert, without characters that show nothing."""
        redacted = super()._clean(text)
        inert = within(self._left, "active content", self._make_inert, redacted.text)
        return Redacted(inert, redacted.counts)

    def _make_inert(self, text: str) -> str:
        return make_inert(without_invisible(text), self._allowed)
