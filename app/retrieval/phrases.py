"""Exact phrases and exclusions: found by the inverted lists of their words, told by the text, under the same scopes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from app.acl.visible import Visible
from app.db.session import ReadSession, prepared
from app.indexing.analysis.tokens import surface
from app.indexing.postings import chunks_of
from app.indexing.terms import Word, query_terms
from app.retrieval import lexical
from app.retrieval.bm25 import Best, Ids
from app.retrieval.corpus_size import Volume
from app.retrieval.lexical import NOTHING, Lists, Match
from app.retrieval.query_syntax import Parsed, stands_in

# What phrases are looked for in.
TEXTS = prepared(
    """
    select c.id, o.title, c.heading_path, c.text
    from chunk c
    join original o on o.document_id = c.document_id
    where c.id = any (:chunks) and c.scope_id = any (cast(:scopes as int[]))
      and o.scope_id = any (cast(:scopes as int[]))
    """
).bindparams(bindparam("chunks", type_=ARRAY(BigInteger)))

# So many passages are read to find those with a phrase, the best by their words; what lies further down is not.
MAX_READ = 1_000
_BATCH = 100

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Conditions:
    """What must and must not stand in a passage: made in one transaction, for all legs of its search."""

    phrases: tuple[Phrase, ...] = ()
    excluded_phrases: tuple[Phrase, ...] = ()
    without: frozenset[int] = frozenset()
    """The visible passages in which an excluded word stands."""

    def met_by(self, fields: Sequence[str]) -> bool:
        """Whether a passage with these fields (title, headings, text) has the phrases, each within one field."""
        words = [surface(field) for field in fields]

        def stands(phrase: Phrase) -> bool:
            return any(stands_in(phrase, field) for field in words)

        return all(map(stands, self.phrases)) and not any(map(stands, self.excluded_phrases))


@dataclass(frozen=True)
class Found:
    """The best matches, what binds the other legs too, and the phrases that do not bind since nothing has them."""

    words: Sequence[Word]
    lists: Lists
    matches: list[Match]
    conditions: Conditions
    unmatched: tuple[Phrase, ...] = ()


def find(session: ReadSession, visible: Visible, query: Parsed, *, limit: int, seen: Volume | None = None) -> Found:
    """The `limit` best visible chunks for a search text, best first, ties by id.

    `seen`: the visible volume, where it is known already.

    A phrase binds if a visible passage has it, and several bind together if one has them all. Where none has, no
    phrase binds, and its words count as plain ones; so does a phrase of stop words alone, which no list leads to.
    """
    words = query_terms(query.plain)
    excluded = [word for given in query.excluded for word in query_terms(given)]
    keys = {phrase: _keys(phrase) for phrase in query.phrases}
    asked = [*words, *excluded, *(word for key in keys.values() for word in key)]
    lists = lexical.lists_of(session, visible, asked, seen)
    without = np.unique(chunks_of(np.concatenate([NOTHING, *map(lists.of, excluded)])))
    search = _Search(session, visible, lists, words, without)
    single = [p for p in query.phrases if len(search.keep(Conditions((p,)), lists.holding(keys[p]), 1).chunks)]
    for phrases in (tuple(single), ()):
        conditions = Conditions(phrases, query.excluded_phrases, frozenset(without.tolist()))
        among = lists.holding([w for p in phrases for w in keys[p]]) if phrases else None
        kept = search.keep(conditions, among, limit)
        if len(kept.chunks):
            break
    unmatched = tuple(p for p in query.phrases if p not in conditions.phrases)
    return Found(words, lists, lists.matches(words, kept), conditions, unmatched)


def satisfying(
    session: ReadSession, visible: Visible, conditions: Conditions, chunk_ids: Sequence[int]
) -> frozenset[int]:
    """Those of these visible chunks that meet the conditions; raises ValueError for more than MAX_READ."""
    if len(chunk_ids) > MAX_READ:
        raise ValueError(f"conditions are checked for at most {MAX_READ} passages at once")
    kept = [chunk for chunk in chunk_ids if chunk not in conditions.without]
    if not (conditions.phrases or conditions.excluded_phrases) or not kept:
        return frozenset(kept)
    rows = session.execute(TEXTS, {"chunks": kept, "scopes": visible.scope_array})
    return frozenset(row.id for row in rows if conditions.met_by([row.title, *row.heading_path, row.text]))


@dataclass(frozen=True)
class _Search:
    """The words of one search and their lists."""

    session: ReadSession
    visible: Visible
    lists: Lists
    words: Sequence[Word]
    without: Ids

    def keep(self, conditions: Conditions, among: Ids | None, limit: int) -> Best:
        """The best passages that meet the conditions, of the MAX_READ best ones."""
        reads = bool(conditions.phrases or conditions.excluded_phrases)
        ranked = self.lists.best(self.words, MAX_READ if reads else limit, among=among, without=self.without)
        if not reads:
            return ranked
        kept: list[int] = []
        for at in range(0, len(ranked.chunks), _BATCH):
            batch = ranked.chunks[at : at + _BATCH].tolist()
            there = satisfying(self.session, self.visible, conditions, batch)
            kept += [at + n for n, chunk in enumerate(batch) if chunk in there]
            if len(kept) >= limit:
                break
        rows = np.array(kept[:limit], np.int64)
        return Best(ranked.chunks[rows], ranked.scores[rows], ranked.stands[:, rows])


def _keys(phrase: Phrase) -> list[Word]:
    """The words by which the passages with a phrase are found: all but those that are stop words in some language.

    A passage of that language does not have them in its lists.
    """
    words = [word for word in query_terms(" ".join(phrase)) if not word.extra]
    return [word for word in words if word.sure] or words
