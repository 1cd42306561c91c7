"""Pages in Chinese, Japanese and Thai are found by words: with pairs of characters as words, and without spaces."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.indexing.postings import pack
from app.indexing.terms import field_terms, query_terms
from app.retrieval.bm25 import Corpus
from app.retrieval.lexical import InvertedLists

pytestmark = pytest.mark.slow

SETS = Path(__file__).parents[3] / "benchmarks" / "languages"


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("language", "first"), [("ja", 27), ("zh", 29), ("th", 30)])
def test_the_page_that_answers_is_the_best_by_words(language: str, first: int) -> None:
    """Of 30 questions, each about one of 30 pages; with whole sentences for words next to none is found."""
    pages = rows(SETS / language / "corpus.jsonl")
    lists: dict[int, list[int]] = defaultdict(list)
    length = 0
    for number, page in enumerate(pages):
        found = field_terms(page["title"], [], page["text"])
        length += found.length
        for term, counts in found.counts.items():
            lists[term].append(pack(number, counts, found.length))
    stored = {term: np.array(entries) for term, entries in lists.items()}
    index = InvertedLists(Corpus(len(pages), length), stored, {term: len(e) for term, e in stored.items()})
    questions = rows(SETS / language / "dev" / "queries.jsonl")
    best = [index.best(query_terms(q["query"]), 1).chunks.tolist() for q in questions]
    right = sum([pages[n]["id"] for n in b] == q["docs"] for b, q in zip(best, questions, strict=True))
    assert len(questions) == 30
    assert right >= first
