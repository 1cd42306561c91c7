"""What an answer was made from, redacted and inert like the answer itself: titles, paths and quotes are text too."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.answer.events import Source
from app.answer.prompt import Context
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import InertRedactor, Redactor
from app.retrieval.passage import Passage


@dataclass(frozen=True)
class Cited:
    """Sources, what was redacted in them, and how much of that in what is shown with the answer: of a source that is
    not cited that is its place, title and headings, not its quote.
    """

    sources: tuple[Source, ...]
    redactions: Counter[str]
    shown: Counter[str]


def sources(redaction: Redaction, best_of: Callable[[Passage], str], context: Context, cited: Sequence[int]) -> Cited:
    """All passages of the context: the cited ones first, by their numbers in the text, then the others.

    `best_of` gives the quote of a passage. `cited` are passage numbers of the context, in the order of their first use.
    All are shown, since a model that cites nothing was shown them all the same.
    """
    clean, unseen = (InertRedactor(redaction.beside, context.addresses) for _ in range(2))
    shown = tuple(
        replace(
            _source(clean, clean if place <= len(cited) else unseen, best_of, passage, place),
            warnings=context.warnings_of(passage),
        )
        for place, passage in enumerate(context.in_order(cited), start=1)
    )
    return Cited(shown, clean.counts + unseen.counts, clean.counts)


def _source(
    clean: Redactor, for_quote: Redactor, best_of: Callable[[Passage], str], passage: Passage, place: int
) -> Source:
    return Source(
        number=place,
        cited=for_quote is clean,
        document=passage.document,
        chunk=passage.chunk,
        collection=passage.collection,
        path=clean(passage.path),
        title=clean(passage.title),
        heading=tuple(clean(h) for h in passage.heading_path),
        page=passage.page,
        label=passage.label.text,
        quote=for_quote(best_of(passage)),
    )
