"""Redacts short texts, titles and paths as the gate redacts a stream, and counts what it took out. Pure."""

from collections import Counter
from collections.abc import Sequence

from app.guardrail.active_content import Addresses, make_inert
from app.guardrail.check import Check
from app.guardrail.gate import Redacted, redact
from app.incoming.control_characters import without_invisible


class Redactor:
    """Redacts short texts and counts what it took out. Made for one request: passages of one document share title and
    path, and what was redacted once is not looked at again.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self._done: dict[str, Redacted] = {}
        self.counts: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        done = self._done.get(text)
        if done is None:
            done = self._done[text] = redact(text, self._checks)
        self.counts.update(done.counts)
        return done.text


class InertRedactor(Redactor):
    """The same for what stands beside an answer, and may be rendered with it: no image, no HTML, no other links."""

    def __init__(self, checks: Sequence[Check], allowed: Addresses) -> None:
        super().__init__(checks)
        self._allowed = allowed

    def __call__(self, text: str) -> str:
        """The redacted text, made inert, without characters that show nothing."""
        return make_inert(without_invisible(super().__call__(text)), self._allowed)
