"""Lets through what the passages support, sentence by sentence, while the answer streams. Pure.

A sentence is held until its end is certain, and then kept, marked or dropped; nothing goes out before it was checked.
Until the first supported sentence everything waits: if none comes, nothing of the answer is shown. The law of the
stream holds: what is released does not depend on how the text was cut.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.grounding.boundaries import Piece, Splitter
from app.grounding.checker import GLUE, SentenceChecker, Verdict, declines
from app.grounding.claim import is_denial
from app.grounding.markers import cite, markers, without_markers
from app.grounding.phrases import bare_reply
from app.grounding.report import Action, GroundingReport, Outcome, Policy, SentenceVerdict

# What is done with a sentence, by policy: with one that is wrong, and with one that is merely not found.
ACTIONS: dict[Policy, dict[str, Action]] = {
    "drop": {"wrong": "dropped", "not_found": "marked"},
    "strict": {"wrong": "dropped", "not_found": "dropped"},
    "quote": {"wrong": "dropped", "not_found": "dropped"},
    "mark": {"wrong": "marked", "not_found": "marked"},
}


class GroundingFilter:
    """One answer: `feed` each piece of it, `flush` at its end. Then `grounded` says whether it may stand.

    `mark` is the text that is put behind a sentence that is marked. Under the policy "quote" all is held to the end,
    and nothing is released if one sentence is not supported.
    """

    def __init__(self, checker: SentenceChecker, *, policy: Policy = "drop", mark: str = "not in the passages") -> None:
        self._checker = checker
        self._policy = policy
        self._mark = f" [{mark}]"
        self._splitter = Splitter()
        self._held: list[str] = []
        self._open = policy == "mark"  # a supported sentence was there: from now on pieces go out at once
        self._line = ""  # what begins the line, until something of it is kept
        self._line_kept = False
        self._waiting: list[tuple[Piece, Verdict | None, bool]] = []  # a bare reply, and what came behind it
        self._verdicts: list[tuple[Verdict, Action]] = []
        self._declined = False

    def feed(self, piece: str) -> str:
        """Take the next piece of the answer; returns what can be released now."""
        return self._take(self._splitter.feed(piece))

    def flush(self) -> str:
        """The answer is complete: returns what was held back, or nothing if it may not stand."""
        released = self._take(self._splitter.flush())
        self._settle(None, None)
        if self.grounded:
            released, self._held = released + "".join(self._held), []
        return released

    @property
    def wanted(self) -> int:
        """How many characters have to come before anything more can be released, unless a line ends."""
        return self._splitter.wanted

    @property
    def grounded(self) -> bool:
        """Whether the answer may stand: a sentence is supported, under "quote" all are, under "mark" in any case.

        One that claims nothing and says that the passages do not answer stands too.
        """
        if self._policy == "mark" or self._declines:
            return True
        supported = any(verdict.kind == "supported" for verdict, _ in self._verdicts)
        return supported and (self._policy != "quote" or all(action == "kept" for _, action in self._verdicts))

    def report(self, cited: Sequence[int] = (), *, passages: int = 0) -> GroundingReport:
        """What was found; `cited` are passages in the order of their numbers in the response, all others follow."""
        order = [*cited, *(n for n in range(1, passages + 1) if n not in cited)]
        shown = {passage: number for number, passage in enumerate(order, start=1)}
        sentences = tuple(
            SentenceVerdict(
                index, verdict.kind, action, verdict.reason, tuple(shown[p] for p in verdict.passages if p in shown)
            )
            for index, (verdict, action) in enumerate(self._verdicts)
        )
        return GroundingReport(self._outcome(), sentences)

    def _outcome(self) -> Outcome:
        claims = [verdict.kind for verdict, _ in self._verdicts if verdict.kind != "glue"]
        if self.grounded and "supported" in claims:
            return "grounded" if all(kind == "supported" for kind in claims) else "partly"
        return "declined" if self._declines else "ungrounded"

    @property
    def _declines(self) -> bool:
        return self._declined and all(verdict.kind == "glue" for verdict, _ in self._verdicts)

    def _take(self, pieces: Iterable[Piece]) -> str:
        for piece in pieces:
            self._let_in(piece)
        if not self._open or self._policy == "quote":
            return ""
        released, self._held = "".join(self._held), []
        return released

    def _let_in(self, piece: Piece) -> None:
        """Check a piece, and settle what waited for it: a bare "Yes." waits for the next sentence with a claim."""
        verdict = self._verdict(piece)
        is_reply = verdict is not None and bare_reply(without_markers(piece.text)) is not None
        if is_reply or (self._waiting and (verdict is None or (verdict.kind == "glue" and not self._declined))):
            self._waiting.append((piece, None if is_reply else verdict, is_reply))
            return
        self._settle(piece, verdict)
        self._held.append(self._released(piece, verdict))

    def _settle(self, piece: Piece | None, verdict: Verdict | None) -> None:
        """Let go of what waited, by the sentence that came behind it, if one did."""
        for waiting, own, is_reply in self._waiting:
            decided = _reply_verdict(waiting, piece, verdict) if is_reply else own
            self._held.append(self._released(waiting, decided))
        self._waiting = []

    def _verdict(self, piece: Piece) -> Verdict | None:
        """The verdict on a piece; None for one without text and for the marks of a fence."""
        if not piece.text or piece.form == "fence":
            return None
        named = {n for marker in markers(piece.text) for n in marker.numbers}
        bare = without_markers(piece.text)
        verdict = self._checker.check(bare, named)
        self._declined |= verdict.kind == "glue" and declines(bare)
        return verdict

    def _released(self, piece: Piece, verdict: Verdict | None) -> str:
        """What is shown for a piece."""
        if verdict is None:
            return self._shown(piece, piece.text)
        action = ACTIONS[self._policy].get(verdict.kind, "kept")
        self._verdicts.append((verdict, action))
        self._open |= verdict.kind == "supported"
        if action == "dropped":
            return self._dropped(piece)
        if verdict.kind == "glue":
            return self._shown(piece, piece.text)
        if action == "marked":
            return self._shown(piece, without_markers(piece.text) + self._mark)
        return self._shown(piece, piece.text if piece.form == "code" else cite(piece.text, verdict.passages))

    def _shown(self, piece: Piece, text: str) -> str:
        before, self._line, self._line_kept = self._line, "", True
        if "\n" in piece.tail:
            self._line_kept = False
        return before + piece.prefix + text + piece.tail

    def _dropped(self, piece: Piece) -> str:
        """Nothing, but for the break of a line of which something was kept; a list mark waits for what is kept."""
        self._line += piece.prefix
        if "\n" not in piece.tail:
            return ""
        kept, self._line, self._line_kept = self._line_kept, "", False
        return "\n" if kept else ""


def _reply_verdict(reply: Piece, piece: Piece | None, verdict: Verdict | None) -> Verdict:
    """The verdict on a bare yes or no: that of the sentence behind it, which must affirm or deny as it does."""
    if piece is None or verdict is None:
        return Verdict("not_found", "words")
    if verdict.kind != "supported":
        return replace(verdict, passages=())
    agrees = bare_reply(without_markers(reply.text)) != is_denial(without_markers(piece.text))
    return GLUE if agrees else Verdict("wrong", "negation")
