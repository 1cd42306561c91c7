"""A corpus in memory with every score that search may use, and rankings by any recipe of them."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.evaluation.datasets import Dataset
from app.indexing.terms import PassageTerms, query_terms
from app.retrieval.fusion import Candidate, combine
from benchmarks.evaluation.ranks import fuse
from benchmarks.evaluation.vectors import Vectors
from ingest.contextual_vectors import in_document
from ingest.document import Passage
from ingest.embed import terms_of
from ingest.extract import extract
from ingest.split import split

DEPTH = 60
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How passages are ranked; as it stands, the way of the product."""

    dense: bool = True
    lexical: bool = True
    ranks: bool = False
    spread: bool = True
    in_document: bool = True
    headline: bool = True
    fields: bool = True
    exact: bool = True
    k1: float = 0.9
    b: float = 0.4


@dataclass(frozen=True)
class Inverted:
    """Passages by term: their numbers and how often it stands in each; and how long each passage is."""

    lists: Mapping[int, tuple[Numbers, Floats]]
    lengths: Floats

    @classmethod
    def of(cls, passages: list[PassageTerms], *, fields: bool) -> "Inverted":
        """From the terms of passages in their order, with title and headings or without."""
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        lengths = []
        for number, one in enumerate(passages):
            counts = {t: c.body + (c.title + c.headings if fields else 0) for t, c in one.counts.items()}
            lengths.append(one.length if fields else sum(counts.values()))
            for term, count in counts.items():
                if count:
                    found[term].append((number, count))
        lists = {t: (np.array([n for n, _ in e]), np.array([c for _, c in e], np.float64)) for t, e in found.items()}
        return cls(lists, np.array(lengths, np.float64))


class Bench:
    """A dataset in memory."""

    def __init__(self, dataset: Dataset, vectors: Vectors) -> None:
        self.dataset, self._vectors = dataset, vectors
        self.passages: list[Passage] = []
        self.pages: list[int] = []
        for number, page in enumerate(dataset.pages):
            extracted = extract(page.content, filename=page.path.rsplit("/", 1)[-1])
            for passage in split(extracted, counter=vectors.embedder):
                self.passages.append(passage)
                self.pages.append(number)
        role = np.array([dataset.pages[p].role for p in self.pages])
        self._seen = {r: np.isin(role, [r, dataset.common or r]) for r in dataset.roles}
        self._questions = vectors.of([q.text for q in dataset.questions])
        self._kept: dict[tuple[bool, bool], NDArray[np.float32]] = {}

    @cached_property
    def _inverted(self) -> dict[bool, Inverted]:
        terms = [terms_of(p) for p in self.passages]
        return {fields: Inverted.of(terms, fields=fields) for fields in (True, False)}

    def ranking(self, number: int, recipe: Recipe) -> list[str]:
        """The documents of the passages found for a question, best first."""
        seen = self._seen[self.dataset.questions[number].role]
        cosines = self._cosines(number, recipe)
        shares = self._shares(number, recipe, seen)
        near = _best(cosines, seen, DEPTH) if recipe.dense else []
        matched = _best(shares, seen & (shares > 0), DEPTH) if recipe.lexical else []
        if recipe.ranks:
            ranked = [n for n, _ in fuse([near, matched])]
        else:
            ranked = [n for n, _ in combine(self._candidates(recipe, cosines, shares, (near, matched)))]
        return [self.dataset.pages[self.pages[n]].id for n in ranked]

    def _candidates(
        self, recipe: Recipe, cosines: Floats, shares: Floats, found: tuple[list[int], list[int]]
    ) -> list[Candidate]:
        near, matched = found
        known = recipe.exact and recipe.dense and recipe.lexical
        last = min((float(cosines[n]) for n in near), default=0.0)
        return [
            Candidate(
                n,
                self.pages[n] if recipe.spread else -1 - n,
                float(cosines[n]) if known or n in near else last,
                float(shares[n]) if known or n in matched else 0.0,
            )
            for n in sorted({*near, *matched})
        ]

    def _cosines(self, number: int, recipe: Recipe) -> Floats:
        key = (recipe.in_document, recipe.headline)
        if key not in self._kept:
            vectors = self._vectors.of([p.embedded if recipe.headline else p.text for p in self.passages])
            if recipe.in_document:
                pages = np.array(self.pages)
                starts = np.flatnonzero(np.diff(pages, prepend=-1))
                vectors = np.concatenate([in_document(part) for part in np.split(vectors, starts[1:])])
            self._kept[key] = vectors
        cosines: Floats = (self._kept[key] @ self._questions[number]).astype(np.float64)
        return cosines

    def _shares(self, number: int, recipe: Recipe, seen: NDArray[np.bool_]) -> Floats:
        """BM25 over what is seen, by the most that the question's words can give."""
        inverted = self._inverted[recipe.fields]
        passages = int(seen.sum())
        average = max(float(inverted.lengths[seen].mean()), 1.0) if passages else 1.0
        scores, whole = np.zeros(len(self.passages)), 0.0
        for word in query_terms(self.dataset.questions[number].text):
            lists = [inverted.lists[form] for form in word.forms if form in inverted.lists]
            numbers = np.concatenate([np.empty(0, np.int64), *(n for n, _ in lists)])
            counts = np.concatenate([np.empty(0), *(c for _, c in lists)])
            numbers, counts = numbers[seen[numbers]], counts[seen[numbers]]
            weight = math.log(1 + (passages - len(numbers) + 0.5) / (len(numbers) + 0.5))
            whole += weight
            norm = recipe.k1 * (1 - recipe.b + recipe.b * inverted.lengths[numbers] / average)
            scores[numbers] += weight * counts / (counts + norm)
        return scores / whole if whole else scores


def _best(scores: Floats, among: NDArray[np.bool_], limit: int) -> list[int]:
    """The numbers of the `limit` highest scores, best first, ties by number."""
    numbers = np.flatnonzero(among)
    order = np.lexsort((numbers, -scores[numbers]))[:limit]
    return [int(n) for n in numbers[order]]
