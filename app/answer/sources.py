"""What an answer was made from, redacted like the answer itself: titles, paths and quotes can hold secrets too."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.answer.events import Source
from app.context.build import Context
from app.context.quote import quotes
from app.guardrail.check import Check
from app.guardrail.gate import redact
from app.retrieval.passage import Passage


@dataclass(frozen=True)
class Cited:
    """Sources, and what was redacted in them."""

    sources: tuple[Source, ...]
    redactions: Counter[str]


class Redactor:
    """Redacts short texts and counts what it took out."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self.counts: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        """The redacted text."""
        done = redact(text, self._checks)
        self.counts.update(done.counts)
        return done.text


def sources(checks: Sequence[Check], question: str, context: Context, cited: Sequence[int]) -> Cited:
    """All passages of the context: the cited ones first, by their numbers in the text, then the others.

    `cited` are passage numbers of the context, in the order of their first use. All are shown, since a model that cites
    nothing was shown them all the same.
    """
    clean = Redactor(checks)
    rest = [n for n in range(1, len(context.passages) + 1) if n not in cited]
    shown = tuple(
        _source(clean, question, context.passages[number - 1], place, cited=number in cited)
        for place, number in enumerate([*cited, *rest], start=1)
    )
    return Cited(shown, clean.counts)


def _source(clean: Redactor, question: str, passage: Passage, place: int, *, cited: bool) -> Source:
    best = quotes(question, [passage], most=1)
    return Source(
        number=place,
        cited=cited,
        document=passage.document,
        chunk=passage.chunk,
        collection=passage.collection,
        path=clean(passage.path),
        title=clean(passage.title),
        heading=tuple(clean(h) for h in passage.heading_path),
        page=passage.page,
        label=passage.label.text,
        quote=clean(best[0].text) if best else "",
    )
