"""What each part of search brings: all of it, and all of it but one part, on the same questions.

    python -m benchmarks.search.ablation DATASET... [--vectors FILE] [--out FILE]

The product's own functions, in memory: extraction, passages, vectors, terms, fusion; cosines and BM25 are computed for
every passage that the asker may read. `clearance eval` measures the whole service; this says why it is as it is.
Vectors are kept by the digest of model and text in --vectors, so that another run embeds what is new alone.
"""

import argparse
import hashlib
import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import EmbeddingModel
from app.evaluation.datasets import Dataset, read
from app.evaluation.measures import Mean, difference, mean, measure
from app.indexing.terms import PassageTerms, query_terms
from app.retrieval.fusion import Candidate, combine
from benchmarks.tables import show
from ingest.contextual_vectors import contextualize
from ingest.document import DocumentPassage
from ingest.embed import terms_of
from ingest.extract import extract
from ingest.split import split

DEPTH = 60
# Of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009); results hardly move between 20 and 100.
RRF = 60
MEASURES = ("hit@10", "first passages", "nDCG@10")
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How passages are ranked; as it stands, the way of the product."""

    ranks: bool = False
    spread: bool = True
    in_document: bool = True
    headline: bool = True
    exact: bool = True
    k1: float = 0.9
    b: float = 0.4


WHOLE = Recipe()
WITHOUT: dict[str, Recipe] = {
    "ranks fused, not scores": Recipe(ranks=True),
    "no second passage counts less": Recipe(spread=False),
    "vectors alone, not in their document": Recipe(in_document=False),
    "text embedded without its headline": Recipe(headline=False),
    "a score that was not found is the last one that was": Recipe(exact=False),
    "ranks fused, and nothing of the above": Recipe(ranks=True, spread=False, in_document=False, k1=1.2, b=0.75),
}


def main() -> None:
    """Measure and print; the figures as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--vectors", type=Path, default=Path(".clearance/ablation-vectors.db"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    vectors = EmbeddingCache(OnnxEmbedder(threads=1), given.vectors)
    report = {folder.name: ablate(folder, vectors) for folder in given.datasets}
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def ablate(folder: Path, vectors: "EmbeddingCache") -> dict[str, dict[str, dict[str, float]]]:
    """The table of one dataset: measure by recipe."""
    dataset = read(folder).answerable()
    corpus = Corpus(dataset, vectors)

    def measured(recipe: Recipe) -> dict[str, list[float]]:
        rows = [measure(corpus.ranking(number, recipe), q.gold) for number, q in enumerate(dataset.questions)]
        return {m: [row[m] for row in rows] for m in MEASURES}

    whole = measured(WHOLE)
    means = {m: mean(whole[m]) for m in MEASURES}
    figures = {"the whole": {m: asdict(means[m]) for m in MEASURES}}
    rows = [("the whole", *map(_shown, means.values()), *[""] * len(MEASURES))]
    for name, recipe in WITHOUT.items():
        other = measured(recipe)
        means = {m: mean(other[m]) for m in MEASURES}
        lost = {f"whole less this: {m}": difference(whole[m], other[m]) for m in MEASURES}
        figures[name] = {m: asdict(value) for m, value in (means | lost).items()}
        rows.append((name, *map(_shown, means.values()), *map(_signed, lost.values())))
    title = f"{dataset.name}: {len(dataset.questions)} questions, {len(corpus.passages)} passages"
    show(title, ("", *MEASURES, *lost), rows)
    return figures


def _shown(value: Mean) -> str:
    return f"{value.mean:.3f} {value.low:.2f}–{value.high:.2f}"


def _signed(value: Mean) -> str:
    return f"{value.mean:+.3f} {value.low:+.3f} {value.high:+.3f}"


def reciprocal_ranks(rankings: Sequence[Sequence[int]]) -> list[int]:
    """Ids by the sum of their reciprocal ranks, best first, ties by id."""
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] += 1.0 / (RRF + rank)
    return sorted(scores, key=lambda item: (-scores[item], item))


@dataclass(frozen=True)
class InvertedLists:
    """Passages by term: their numbers and how often it stands in each; and how long each passage is."""

    postings: Mapping[int, tuple[Numbers, Floats]]
    lengths: Floats

    @classmethod
    def of(cls, passages: list[PassageTerms]) -> "InvertedLists":
        """From the terms of passages in their order."""
        entries: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, passage in enumerate(passages):
            for term, c in passage.counts.items():
                entries[term].append((number, c.body + c.title + c.headings))
        postings = {t: (np.array([n for n, _ in e]), np.array([c for _, c in e], float)) for t, e in entries.items()}
        return cls(postings, np.array([passage.length for passage in passages], float))


class Corpus:
    """A dataset in memory with every score that search may use, and rankings by any recipe of them."""

    def __init__(self, dataset: Dataset, vectors: "EmbeddingCache") -> None:
        self.dataset, self._vectors = dataset, vectors
        self.passages: list[DocumentPassage] = []
        self.pages: list[int] = []
        for number, page in enumerate(dataset.pages):
            parts = split(extract(page.content, filename=page.path.rsplit("/", 1)[-1]), counter=vectors.embedder)
            self.passages += parts
            self.pages += [number] * len(parts)
        role = np.array([dataset.pages[p].role for p in self.pages])
        self._seen = {r: np.isin(role, [r, dataset.common or r]) for r in dataset.roles}
        self._questions = vectors.of([q.text for q in dataset.questions])
        self._rows: dict[tuple[bool, bool], NDArray[np.float32]] = {}

    @cached_property
    def _inverted(self) -> InvertedLists:
        return InvertedLists.of([terms_of(p) for p in self.passages])

    def ranking(self, number: int, recipe: Recipe) -> list[str]:
        """The documents of the passages found for a question, best first."""
        seen = self._seen[self.dataset.questions[number].role]
        cosines = self._cosines(number, recipe)
        shares = self._shares(number, recipe, seen)
        near = _best(cosines, seen, DEPTH)
        matched = _best(shares, seen & (shares > 0), DEPTH)
        if recipe.ranks:
            ranked = reciprocal_ranks([near, matched])
        else:
            ranked = [n for n, _ in combine(self._candidates(recipe, cosines, shares, (near, matched)))]
        return [self.dataset.pages[self.pages[n]].id for n in ranked]

    def _candidates(
        self, recipe: Recipe, cosines: Floats, shares: Floats, found: tuple[list[int], list[int]]
    ) -> list[Candidate]:
        near, matched = found
        last = min((float(cosines[n]) for n in near), default=0.0)
        return [
            Candidate(
                n,
                self.pages[n] if recipe.spread else -1 - n,
                float(cosines[n]) if recipe.exact or n in near else last,
                float(shares[n]) if recipe.exact or n in matched else 0.0,
            )
            for n in sorted({*near, *matched})
        ]

    def _cosines(self, number: int, recipe: Recipe) -> Floats:
        key = (recipe.in_document, recipe.headline)
        if key not in self._rows:
            rows = self._vectors.of([p.embedded if recipe.headline else p.text for p in self.passages])
            if recipe.in_document:
                starts = np.flatnonzero(np.diff(np.array(self.pages), prepend=-1))
                rows = np.concatenate([contextualize(part) for part in np.split(rows, starts[1:])])
            self._rows[key] = rows
        cosines: Floats = (self._rows[key] @ self._questions[number]).astype(np.float64)
        return cosines

    def _shares(self, number: int, recipe: Recipe, seen: NDArray[np.bool_]) -> Floats:
        """BM25 over what is seen, by the most that the question's words can give."""
        inverted = self._inverted
        passages = int(seen.sum())
        average = max(float(inverted.lengths[seen].mean()), 1.0) if passages else 1.0
        scores, whole = np.zeros(len(self.passages)), 0.0
        for word in query_terms(self.dataset.questions[number].text):
            postings = [inverted.postings[form] for form in word.forms if form in inverted.postings]
            numbers = np.concatenate([np.empty(0, np.int64), *(n for n, _ in postings)])
            counts = np.concatenate([np.empty(0), *(c for _, c in postings)])
            numbers, counts = numbers[seen[numbers]], counts[seen[numbers]]
            weight = math.log(1 + (passages - len(numbers) + 0.5) / (len(numbers) + 0.5))
            whole += weight
            norm = recipe.k1 * (1 - recipe.b + recipe.b * inverted.lengths[numbers] / average)
            scores[numbers] += weight * counts / (counts + norm)
        return scores / whole if whole else scores


def _best(scores: Floats, among: NDArray[np.bool_], limit: int) -> list[int]:
    """The numbers of the `limit` highest scores, best first, ties by number."""
    numbers = np.flatnonzero(among)
    return [int(n) for n in numbers[np.lexsort((numbers, -scores[numbers]))[:limit]]]


class EmbeddingCache:
    """An embedder that keeps its vectors in a file, by the digest of model and text."""

    def __init__(self, embedder: EmbeddingModel, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.embedder = embedder
        self._file = sqlite3.connect(file)
        self._file.execute("create table if not exists kept (digest blob primary key, vector blob) without rowid")

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimensions)."""
        return np.stack([self._vector(text) for text in track(texts, f"{len(texts)} vectors")])

    def _vector(self, text: str) -> NDArray[np.float32]:
        digest = hashlib.sha256(f"{self.embedder.digest}\n{text}".encode()).digest()
        row = self._file.execute("select vector from kept where digest = ?", (digest,)).fetchone()
        if row is not None:
            return np.frombuffer(row[0], np.float32)
        vector = np.asarray(self.embedder.embed_passages([text])[0], np.float32)
        with self._file:
            self._file.execute("insert into kept values (?, ?)", (digest, vector.tobytes()))
        return vector


if __name__ == "__main__":
    main()
