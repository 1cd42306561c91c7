"""What a search without filters would show, computed beside the database: the threat that a question stands under."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from app.indexing.terms import Word, query_terms
from app.retrieval.bm25 import FIELD_WEIGHTS, K1, B
from app.retrieval.duplicates import alike
from app.retrieval.fusion import Candidate, combine
from app.retrieval.search import FUSION_DEPTH
from tests.laws.worlds.bulk_writer import Maker
from tests.laws.worlds.world import World

TOP = 40


class Unfiltered:
    """All passages of a world, visible or not, ranked as the product ranks: exact cosine and BM25, fused.

    A test holds its rankings equal to those of the product's own search under no filters.
    """

    def __init__(self, world: World, maker: Maker) -> None:
        made = maker.ready(world.pages)
        placed = [(page, n, r) for page in world.pages for n, r in enumerate(made[page.title, page.texts])]
        self._document = [page.path for page, _, _ in placed]
        self._words = [r.words for _, _, r in placed]
        self._hidden = [not world.visible(page) for page, _, _ in placed]
        self.names = [str(world.name("chunk", page.path, n)) for page, n, _ in placed]
        self._vectors = np.array([np.frombuffer(r.vector, ">f2") for _, _, r in placed], np.float32)
        title, headings, body = FIELD_WEIGHTS
        self._terms = [
            {t: c.title * title + c.headings * headings + c.body * body for t, c in r.terms.counts.items()}
            for _, _, r in placed
        ]
        self._lengths = [r.terms.length for _, _, r in placed]
        self._counts = Counter(term for passage in self._terms for term in passage)
        self._embed = maker.embedder.embed_query

    def best(self, question: str) -> list[int]:
        """The numbers of the passages, best first."""
        query = self._embed(question).astype(np.float16).astype(np.float32)
        similarity = self._vectors @ query
        near = np.argsort(-similarity, kind="stable")[:FUSION_DEPTH].tolist()
        words = query_terms(question)
        scores = self._scores(words)
        matched = sorted(scores, key=lambda n: (-scores[n], n))[:FUSION_DEPTH]
        most = (K1 + 1) * math.fsum(self._idf(w) for w in words if w.extra or w.sure or self._count(w))
        documents = {path: n for n, path in enumerate(dict.fromkeys(self._document))}
        ranked = combine(
            [
                Candidate(n, documents[self._document[n]], float(similarity[n]), min(scores.get(n, 0.0) / most, 1.0))
                for n in sorted({*near, *matched})
            ]
            if most
            else []
        )
        kept: list[int] = []
        for n, _ in ranked:
            if not any(alike(self._words[n], self._words[better]) for better in kept[:TOP]):
                kept.append(n)
        return kept

    def shows_hidden(self, question: str, top: int) -> bool:
        """Whether a hidden passage is among the `top` best."""
        return any(self._hidden[n] for n in self.best(question)[:top])

    def _count(self, word: Word) -> int:
        return sum(self._counts[form] for form in word.forms)

    def _idf(self, word: Word) -> float:
        count = self._count(word)
        return math.log(1 + (len(self._terms) - count + 0.5) / (count + 0.5))

    def _scores(self, query: Sequence[Word]) -> dict[int, float]:
        mean = max(sum(self._lengths) / len(self._terms), 1.0)
        scores: dict[int, float] = {}
        for word in query:
            idf = self._idf(word)
            for n, passage in enumerate(self._terms):
                if tf := max(passage.get(form, 0.0) for form in word.forms):
                    weight = tf * (K1 + 1) / (tf + K1 * (1 - B + B * self._lengths[n] / mean))
                    scores[n] = scores.get(n, 0.0) + idf * weight
        return scores
