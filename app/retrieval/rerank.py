"""Reorders the best of a search by a model that reads question and passage together. Optional, off by default.

It reads visible candidates alone, each by itself, so hidden passages change nothing here either (promise N1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.embedding.reranker import Reranker
from app.indexing.analysis.headings import distinct_headings
from app.retrieval.passage import Hit, Passage


@dataclass(frozen=True)
class Reranking:
    """A cross-encoder, and how many of the best passages it reads."""

    reranker: Reranker
    candidates: int

    def order(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The first `candidates` of the hits in the model's order, best first, then the others unchanged.

        Ties keep their order. Scores stay with the places, so that they still order the hits; the model's own score
        stands in `ranks.reranked`.
        """
        best, rest = hits[: self.candidates], hits[self.candidates :]
        if not best:
            return []
        scores = self.reranker.scores(question, [model_input(h.passage) for h in best])
        order = sorted(range(len(best)), key=lambda place: (-scores[place], place))
        ordered = [
            replace(best[n], score=place.score, ranks=replace(best[n].ranks, reranked=scores[n]))
            for n, place in zip(order, best, strict=True)
        ]
        return [*ordered, *rest]


def model_input(passage: Passage) -> str:
    """The text that the model reads for a passage: title and headings, as the embedder does, then the body."""
    headline = " > ".join([passage.title, *distinct_headings(passage.title, passage.heading_path)])
    return f"{headline}\n{passage.text}"
