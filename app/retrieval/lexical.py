"""BM25 whose statistics are counted over the visible rows alone, so that no frequency betrays a hidden document."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.acl.visible import Visible
from app.db.engine import BINARY, prepared
from app.db.session import ReadSession
from app.indexing.postings import chunks_of, unpack
from app.indexing.terms import Word
from app.retrieval.bm25 import K1, NONE, Best, Corpus, Ids, InvertedList, best, idf, restrict, scored
from app.retrieval.corpus_size import visible_corpus

TERMS = bindparam("terms", type_=ARRAY(BigInteger))
NO_ENTRIES = NONE

# The visible inverted list of each term; its length is the number of visible passages that the term stands in.
POSTINGS = (
    prepared(
        """
    select term, string_agg(entries, '') as entries
    from posting
    where term = any (:terms) and scope_id = any (cast(:scopes as int[]))
    group by term
    """
    )
    .bindparams(TERMS)
    .execution_options(**BINARY)
)


@dataclass(frozen=True)
class Match:
    """A chunk, its BM25 score, and the share of the query's weight that stands in it, from 0 to 1."""

    chunk_id: int
    score: float
    coverage: float


@dataclass(frozen=True)
class InvertedLists:
    """The visible inverted lists of some terms, and the size of the visible corpus."""

    corpus: Corpus
    by_term: Mapping[int, Ids]
    frequencies: Mapping[int, int]
    """The number of visible passages that each term stands in."""
    _by_word: dict[Word, InvertedList] = field(default_factory=dict, compare=False, repr=False)

    def postings(self, word: Word) -> Ids:
        """The entries of a word, whatever form it has in a passage; each passage has one at most."""
        found = [self.by_term[form] for form in word.forms if form in self.by_term]
        return found[0] if len(found) == 1 else np.concatenate([NO_ENTRIES, *found])

    def _lists(self, words: Sequence[Word]) -> list[InvertedList]:
        """The list of each word. They stay as long as this search: the leg of meaning asks for scores from them too."""
        return [self._by_word.setdefault(word, InvertedList(self.postings(word))) for word in words]

    def containing_all(self, words: Sequence[Word]) -> Ids:
        """The passages in which all of these words stand, ascending."""
        found = [np.unique(chunks_of(self.postings(word))) for word in words]
        common = found[0] if found else NO_ENTRIES
        for other in found[1:]:
            common = np.intersect1d(common, other, assume_unique=True)
        return common

    def weight(self, word: Word) -> float:
        """The idf of a word times its own weight: no passage has two forms of it, so their frequencies add up."""
        return word.weight * idf(self.corpus, sum(self.frequencies.get(form, 0) for form in word.forms))

    def best(self, words: Sequence[Word], limit: int, *, among: Ids | None = None, without: Ids | None = None) -> Best:
        """The best passages for these words, only of those `among`, and none of those `without`."""
        if among is None and (without is None or not len(without)):
            lists = self._lists(words)
        else:
            lists = [InvertedList(restrict(self.postings(word), among=among, without=without)) for word in words]
        return best(lists, [self.weight(word) for word in words], self.corpus.mean, limit)

    def needs(self, word: Word) -> bool:
        """Whether coverage counts a word: not one whose parts are counted, nor one that may be a mere stop word.

        A short question in another language has its articles among its words.
        """
        return not word.extra and (word.sure or any(form in self.by_term for form in word.forms))

    def scored(self, words: Sequence[Word], chunks: Sequence[int]) -> list[Match]:
        """The scores of these visible passages, whether they are among the best or not."""
        weights = [self.weight(word) for word in words]
        return self.matches(words, scored(np.array(chunks, np.int64), self._lists(words), weights, self.corpus.mean))

    def max_score(self, words: Sequence[Word]) -> float:
        """An upper bound of any passage's score, as if it had each word without end; words that stand nowhere count."""
        return (K1 + 1) * math.fsum(self.weight(word) for word in words if word.extra or self.needs(word))

    def matches(self, words: Sequence[Word], found: Best) -> list[Match]:
        """These passages with the share of the words' weight that stands in each."""
        weights = [self.weight(word) if self.needs(word) else 0.0 for word in words]
        total = math.fsum(weights)
        shares = [math.fsum(compress(weights, column)) / total if total else 0.0 for column in found.stands.T.tolist()]
        rows = zip(found.chunks.tolist(), found.scores.tolist(), shares, strict=True)
        return [Match(chunk, score, share) for chunk, score, share in rows]


def match(session: ReadSession, visible: Visible, query: Iterable[Word | int], *, limit: int) -> list[Match]:
    """The `limit` best visible chunks for words as `query_terms` gives them, best first, ties by id.

    A number is a word with that one form.
    """
    words = sorted({w if isinstance(w, Word) else Word((w,)) for w in query}, key=lambda w: (w.forms, w.extra))
    lists = load_lists(session, visible, words)
    return lists.matches(words, lists.best(words, limit))


def load_lists(
    session: ReadSession, visible: Visible, words: Iterable[Word], corpus: Corpus | None = None
) -> InvertedLists:
    """The visible lists of these words, by one statement. `corpus`: the visible corpus, where it is known already."""
    terms = sorted({form for word in words for form in word.forms})
    corpus = corpus or visible_corpus(session, visible)
    if not terms or not visible.scope_ids or not corpus.passages:
        return InvertedLists(corpus, {}, {})
    rows = session.execute(POSTINGS, {"terms": terms, "scopes": visible.scope_array}).all()
    found = {row.term: unpack(row.entries) for row in rows}
    return InvertedLists(corpus, found, {term: len(entries) for term, entries in found.items()})
