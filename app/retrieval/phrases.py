"""Exact phrases and exclusions: found by the inverted lists of their words, checked in the text, in the same scopes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.acl.visible import Visible
from app.db.engine import prepared
from app.db.session import ReadSession
from app.indexing.analysis.tokens import surface
from app.indexing.postings import chunks_of
from app.indexing.terms import Word, query_terms
from app.retrieval import lexical
from app.retrieval.bm25 import Best, Corpus, Ids
from app.retrieval.lexical import NO_ENTRIES, InvertedLists, Match
from app.retrieval.query_syntax import Parsed, stands_in

# The fields in which phrases are looked for.
TEXTS = prepared(
    """
    select c.id, o.title, c.heading_path, c.text
    from chunk c
    join original o on o.document_id = c.document_id
    where c.id = any (:chunks) and c.scope_id = any (cast(:scopes as int[]))
      and o.scope_id = any (cast(:scopes as int[]))
    """
).bindparams(bindparam("chunks", type_=ARRAY(BigInteger)))

# At most this many passages, the best by their words, are read to find those with a phrase.
MAX_READ = 1_000
_BATCH = 100

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Conditions:
    """What must and must not stand in a passage, for all legs of one search; valid in the transaction that made it."""

    phrases: tuple[Phrase, ...] = ()
    excluded_phrases: tuple[Phrase, ...] = ()
    without: frozenset[int] = frozenset()
    """The visible passages in which an excluded word stands."""

    def accept(self, fields: Sequence[str]) -> bool:
        """Whether a passage with these fields (title, headings, text) has the phrases, each within one field."""
        words = [surface(field) for field in fields]

        def stands(phrase: Phrase) -> bool:
            return any(stands_in(phrase, field) for field in words)

        return all(map(stands, self.phrases)) and not any(map(stands, self.excluded_phrases))


@dataclass(frozen=True)
class LexicalResult:
    """The best matches, the conditions that hold for the dense leg too, and the phrases that nothing visible has."""

    words: Sequence[Word]
    lists: InvertedLists
    matches: list[Match]
    conditions: Conditions
    unmatched: tuple[Phrase, ...] = ()


def find(
    session: ReadSession,
    visible: Visible,
    query: Parsed,
    *,
    limit: int,
    corpus: Corpus | None = None,
    words: Sequence[Word] | None = None,
) -> LexicalResult:
    """The `limit` best visible chunks for a search text, best first, ties by id; `corpus` where it is known already.

    `words` are looked for in place of those of the text, where they are given: as `query_terms` orders them.

    A phrase binds if a visible passage has it, and several bind together if one has them all. Where none has, no
    phrase binds, and its words count as plain ones; so does a phrase of stop words alone, which stand in no list.
    """
    words = query_terms(query.plain) if words is None else words
    excluded = [word for text in query.excluded for word in query_terms(text)]
    keys = {phrase: _keys(phrase) for phrase in query.phrases}
    needed = [*words, *excluded, *(word for key in keys.values() for word in key)]
    lists = lexical.load_lists(session, visible, needed, corpus)
    without = np.unique(chunks_of(np.concatenate([NO_ENTRIES, *map(lists.postings, excluded)])))
    search = _Search(session, visible, lists, words, without)
    single = [p for p in query.phrases if len(search.best(Conditions((p,)), lists.containing_all(keys[p]), 1).chunks)]
    for phrases in (tuple(single), ()):
        conditions = Conditions(phrases, query.excluded_phrases, frozenset(without.tolist()))
        among = lists.containing_all([w for p in phrases for w in keys[p]]) if phrases else None
        found = search.best(conditions, among, limit)
        if len(found.chunks):
            break
    unmatched = tuple(p for p in query.phrases if p not in conditions.phrases)
    return LexicalResult(words, lists, lists.matches(words, found), conditions, unmatched)


def chunks_meeting(
    session: ReadSession, visible: Visible, conditions: Conditions, chunk_ids: Sequence[int]
) -> frozenset[int]:
    """Those of these visible chunks that meet the conditions; raises ValueError for more than MAX_READ."""
    if len(chunk_ids) > MAX_READ:
        raise ValueError(f"conditions are checked for at most {MAX_READ} passages at once")
    kept = [chunk for chunk in chunk_ids if chunk not in conditions.without]
    if not (conditions.phrases or conditions.excluded_phrases) or not kept:
        return frozenset(kept)
    rows = session.execute(TEXTS, {"chunks": kept, "scopes": visible.scope_array})
    return frozenset(row.id for row in rows if conditions.accept([row.title, *row.heading_path, row.text]))


@dataclass(frozen=True)
class _Search:
    """The words of one search and their lists."""

    session: ReadSession
    visible: Visible
    lists: InvertedLists
    words: Sequence[Word]
    without: Ids

    def best(self, conditions: Conditions, among: Ids | None, limit: int) -> Best:
        """The best passages that meet the conditions, among the MAX_READ best by words."""
        reads = bool(conditions.phrases or conditions.excluded_phrases)
        ranked = self.lists.best(self.words, MAX_READ if reads else limit, among=among, without=self.without)
        if not reads:
            return ranked
        kept: list[int] = []
        for at in range(0, len(ranked.chunks), _BATCH):
            batch = ranked.chunks[at : at + _BATCH].tolist()
            meeting = chunks_meeting(self.session, self.visible, conditions, batch)
            kept += [at + n for n, chunk in enumerate(batch) if chunk in meeting]
            if len(kept) >= limit:
                break
        rows = np.array(kept[:limit], np.int64)
        return Best(ranked.chunks[rows], ranked.scores[rows], ranked.stands[:, rows])


def _keys(phrase: Phrase) -> list[Word]:
    """The words by which the passages with a phrase are found: without those that are stop words in some language,
    since the lists lack them for passages of that language.
    """
    words = [word for word in query_terms(" ".join(phrase)) if not word.extra]
    return [word for word in words if word.sure] or words
