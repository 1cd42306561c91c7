"""What a search without walls would show, computed beside the database: the threat that a question stands under."""

import math
from collections import Counter

import numpy as np

from app.embedding.terms import terms
from app.retrieval.fuse import fuse
from app.retrieval.lexical import K1, B
from app.retrieval.search import DEPTH
from tests.laws.rows import Maker
from tests.laws.worlds import World


class Unfiltered:
    """All passages of a world, visible or not, ranked as the product ranks: exact cosine and BM25, fused.

    A test holds its rankings equal to those of the product's own search under no walls.
    """

    def __init__(self, world: World, maker: Maker) -> None:
        made = maker.ready(world.pages)
        placed = [(page, n, made[page.title, t]) for page in world.pages for n, t in enumerate(page.texts)]
        self._hidden = [not world.visible(page) for page, _, _ in placed]
        self.names = [str(world.name("chunk", page.path, n)) for page, n, _ in placed]
        self._vectors = np.array([np.frombuffer(r.vector, ">f2") for _, _, r in placed], np.float32)
        self._terms = [
            dict(zip(r.postings["term"].tolist(), r.postings["tf"].tolist(), strict=True)) for _, _, r in placed
        ]
        self._lengths = [r.terms for _, _, r in placed]
        self._counts = Counter(term for passage in self._terms for term in passage)
        self._embed = maker.embedder.embed_query

    def best(self, question: str) -> list[int]:
        """The numbers of the passages, best first."""
        query = self._embed(question).astype(np.float16).astype(np.float32)
        near = np.argsort(-(self._vectors @ query), kind="stable")[:DEPTH].tolist()
        scores = self._scores(sorted(terms(question)))
        matched = sorted(scores, key=lambda n: (-scores[n], n))[:DEPTH]
        return [n for n, _ in fuse([near, matched])]

    def shows_hidden(self, question: str, top: int) -> bool:
        """Whether a hidden passage is among the `top` best."""
        return any(self._hidden[n] for n in self.best(question)[:top])

    def _scores(self, query: list[int]) -> dict[int, float]:
        total = len(self._terms)
        mean = max(sum(self._lengths) / total, 1.0)
        scores: dict[int, float] = {}
        for term in query:
            count = self._counts[term]
            idf = math.log(1 + (total - count + 0.5) / (count + 0.5))
            for n, passage in enumerate(self._terms):
                if tf := passage.get(term):
                    weight = tf * (K1 + 1) / (tf + K1 * (1 - B + B * self._lengths[n] / mean))
                    scores[n] = scores.get(n, 0.0) + idf * weight
        return scores
