"""Gates built wrong, each with one of the mistakes that filters of streams have. Of a text that comes in one piece each
of them releases what the right one does, or its own redaction of it.
"""

from collections.abc import Sequence

from app.guardrail.check import Check, PatternCheck
from app.guardrail.gate import Gate, redact
from app.guardrail.masks import placeholder


class PieceByPiece(Gate):
    """Looks at each piece alone, as a filter on tokens does."""

    def __init__(self, checks: Sequence[Check]) -> None:
        super().__init__(checks)
        self.checks = checks

    def feed(self, token: str) -> str:
        return redact(token, self.checks).text

    def flush(self) -> str:
        return ""


class EmitsEarly(Gate):
    """Decides on what is there, before it is known where a run ends."""

    def _advance(self, *, final: bool) -> str:
        return super()._advance(final=final or bool(self._text))


class FindsInBuffer(Gate):
    """Keeps the last word, and finds whatever a pattern finds in all that it has kept, from wherever that begins."""

    def __init__(self, checks: Sequence[Check]) -> None:
        super().__init__(checks)
        self.checks = [check for check in checks if isinstance(check, PatternCheck)]
        self.kept = ""

    def feed(self, token: str) -> str:
        self.kept += token
        size = max(self.kept.rfind(" "), self.kept.rfind("\n")) + 1
        ready, self.kept = self.kept[:size], self.kept[size:]
        return self._masked(ready)

    def flush(self) -> str:
        ready, self.kept = self.kept, ""
        return self._masked(ready)

    def _masked(self, text: str) -> str:
        found = [
            (match.start(), match.end(), check.kind)
            for check in self.checks
            if check.cue is None
            for match in check.pattern.finditer(text)
            if match.end() > match.start() and check.accept(match, text[: match.start()])
        ]
        released, at = "", 0
        for start, end, kind in sorted(found):
            if start >= at:
                released += text[at:start] + placeholder(kind)
                at = end
        return released + text[at:]


class HoldsBackSoMuch(Gate):
    """Redacts the text so far, and holds back a fixed number of its last characters."""

    SIZE = 48

    def __init__(self, checks: Sequence[Check]) -> None:
        super().__init__(checks)
        self.checks = checks
        self.seen = ""
        self.sent = 0

    def feed(self, token: str) -> str:
        self.seen += token
        return self._rest(self.SIZE)

    def flush(self) -> str:
        return self._rest(0)

    def _rest(self, held: int) -> str:
        redacted = redact(self.seen, self.checks).text
        rest = redacted[self.sent : max(len(redacted) - held, self.sent)]
        self.sent += len(rest)
        return rest


class FlushesWhenAborted(Gate):
    """Lets out what it holds when the stream breaks off."""

    def abort(self) -> str:
        return self.flush()


MUTANTS = (PieceByPiece, EmitsEarly, FindsInBuffer, HoldsBackSoMuch, FlushesWhenAborted)
