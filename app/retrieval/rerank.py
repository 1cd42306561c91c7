"""The best of a search, ordered anew by a model that reads question and passage together. Optional, off by default.

It sees visible candidates alone, each by itself, so what may not be seen changes nothing here either (promise N1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.embedding.reranker import Reranker
from app.indexing.analysis.headings import beside
from app.retrieval.passage import Hit, Passage


@dataclass(frozen=True)
class Reranking:
    """Which model orders, and how many of the best passages it looks at."""

    reranker: Reranker
    candidates: int

    def order(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The first `candidates` of the hits, best first as the model has it, then the others as they were.

        Passages that the model finds equal stay in their order. A place keeps its score, so that scores still order the
        hits; the model's own number stands in `found.reranked`.
        """
        best, rest = hits[: self.candidates], hits[self.candidates :]
        if not best:
            return []
        scores = self.reranker.scores(question, [read(h.passage) for h in best])
        order = sorted(range(len(best)), key=lambda place: (-scores[place], place))
        ordered = [
            replace(best[n], score=place.score, found=replace(best[n].found, reranked=scores[n]))
            for n, place in zip(order, best, strict=True)
        ]
        return [*ordered, *rest]


def read(passage: Passage) -> str:
    """What the model reads of a passage: title and headings, as the embedder does, then the text."""
    headline = " > ".join([passage.title, *beside(passage.title, passage.heading_path)])
    return f"{headline}\n{passage.text}"
