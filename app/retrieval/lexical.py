"""BM25 whose statistics are counted over the visible rows alone, so that no frequency betrays a hidden document."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg.pq import Format
from sqlalchemy import Connection, bindparam, event
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.acl.visible import Visible
from app.db.session import ReadSession, prepared
from app.indexing.postings import chunks_of, read
from app.indexing.terms import Word
from app.retrieval.bm25 import K1, Best, Corpus, Ids, best, idf, kept, scored
from app.retrieval.corpus_size import Volume, volume

TERMS = bindparam("terms", type_=ARRAY(BigInteger))
NOTHING: Ids = np.empty(0, np.int64)

# The visible inverted list of each term. How long it is, is the number of visible passages that the term stands in.
LISTS = prepared(
    """
    select term, string_agg(entries, '') as entries
    from posting
    where term = any (:terms) and scope_id = any (cast(:scopes as int[]))
    group by term
    """
).bindparams(TERMS)


@dataclass(frozen=True)
class Match:
    """A chunk, its BM25 score, and the share of the query's weight that stands in it, from 0 to 1."""

    chunk_id: int
    score: float
    coverage: float


@dataclass(frozen=True)
class Lists:
    """The visible inverted lists of some terms, and how much is visible in all."""

    corpus: Corpus
    by_term: Mapping[int, Ids]
    frequencies: Mapping[int, int]
    """In how many visible passages each term stands."""

    def of(self, word: Word) -> Ids:
        """The entries of a word, whatever form it has in a passage; each passage has one at most."""
        return np.concatenate([NOTHING, *(self.by_term[f] for f in word.forms if f in self.by_term)])

    def holding(self, words: Sequence[Word]) -> Ids:
        """The passages in which all of these words stand, ascending."""
        found = [np.unique(chunks_of(self.of(word))) for word in words]
        held = found[0] if found else NOTHING
        for other in found[1:]:
            held = np.intersect1d(held, other, assume_unique=True)
        return held

    def weight(self, word: Word) -> float:
        """The idf of a word: no passage has two forms of it, so their frequencies add up."""
        return idf(self.corpus, sum(self.frequencies.get(form, 0) for form in word.forms))

    def best(self, words: Sequence[Word], limit: int, *, among: Ids | None = None, without: Ids | None = None) -> Best:
        """The best passages for these words, of those `among` these and none of those `without`."""
        lists = [kept(self.of(word), among=among, without=without) for word in words]
        return best(lists, [self.weight(word) for word in words], self.corpus.mean, limit)

    def _counts(self, word: Word) -> bool:
        """Whether coverage asks for a word: not where its parts are asked for, nor for what may be a mere stop word.

        A short question in another language has its articles among its words.
        """
        return not word.extra and (word.sure or any(form in self.by_term for form in word.forms))

    def scored(self, words: Sequence[Word], chunks: Sequence[int]) -> list[Match]:
        """These visible passages as the words find them, whether they are among the best or not."""
        lists = [self.of(word) for word in words]
        weights = [self.weight(word) for word in words]
        return self.matches(words, scored(np.array(chunks, np.int64), lists, weights, self.corpus.mean))

    def most(self, words: Sequence[Word]) -> float:
        """What no passage's score exceeds: each word as often as can be. A word that stands nowhere counts too."""
        return (K1 + 1) * math.fsum(self.weight(word) for word in words if word.extra or self._counts(word))

    def matches(self, words: Sequence[Word], found: Best) -> list[Match]:
        """These passages with the share of the words' weight that stands in each."""
        weights = [self.weight(word) if self._counts(word) else 0.0 for word in words]
        whole = math.fsum(weights)
        shares = [math.fsum(np.compress(column, weights)) / whole if whole else 0.0 for column in found.stands.T]
        rows = zip(found.chunks.tolist(), found.scores.tolist(), shares, strict=True)
        return [Match(chunk, score, share) for chunk, score, share in rows]


def match(session: ReadSession, visible: Visible, query: Iterable[Word | int], *, limit: int) -> list[Match]:
    """The `limit` best visible chunks for words as `query_terms` gives them, best first, ties by id.

    A number is a word with that one form.
    """
    words = sorted({w if isinstance(w, Word) else Word((w,)) for w in query}, key=lambda w: (w.forms, w.extra))
    lists = lists_of(session, visible, words)
    return lists.matches(words, lists.best(words, limit))


def lists_of(session: ReadSession, visible: Visible, words: Iterable[Word], seen: Volume | None = None) -> Lists:
    """The visible lists of these words, by one statement. `seen`: the visible volume, where it is known already."""
    terms = sorted({form for word in words for form in word.forms})
    seen = seen or volume(session, visible)
    corpus = Corpus(seen.passages, seen.terms)
    if not terms or not visible.scope_ids or not corpus.passages:
        return Lists(corpus, {}, {})
    connection = session.connection()
    with _Binary(connection):
        rows = connection.execute(LISTS, {"terms": terms, "scopes": visible.scope_array}).all()
    found = {row.term: read(row.entries) for row in rows}
    return Lists(corpus, found, {term: len(entries) for term, entries in found.items()})


class _Binary:
    """While this is open, results come as bytes and not as text: megabytes of lists would be twice as long in hex."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        event.listen(self._connection, "before_cursor_execute", _ask_for_bytes)

    def __exit__(self, *_error: object) -> None:
        event.remove(self._connection, "before_cursor_execute", _ask_for_bytes)


def _ask_for_bytes(_connection: Connection, cursor: Any, *_given: Any) -> None:
    cursor.format = Format.BINARY
