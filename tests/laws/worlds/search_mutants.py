"""Ways to retrieve that keep every hidden passage out of the hits and still tell of it: each must show."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import Text, cast, func, select, text, true

from app.acl import visible as acl
from app.acl.visible import Visible
from app.db.rls_probe import CANARY
from app.db.session import ReadSession
from app.db.tables.access import PolicyEpoch, Rule, Scope
from app.identity.subject import Subject
from app.indexing.terms import Word
from app.retrieval import lexical, search
from app.retrieval.corpus_size import VisibleCorpus
from app.retrieval.dense import Near, Nearest
from app.retrieval.reader import ReaderSnapshot
from app.scope_index.protocol import VectorIndex

DIMENSIONS, PARTS, CENTRES, ROUNDS = 384, 48, 16, 4


def everything(session: ReadSession, subject: Subject) -> Visible:
    """What `visible_scopes` would give without any rule: every scope there is, but for the start-up probe's."""
    scopes = select(Scope.id, Scope.public_id, Rule.label).join(Rule, Rule.id == Scope.rule_id)
    scopes = scopes.where(Scope.collection_id != CANARY)
    rows = session.execute(scopes.order_by(Scope.id)).all()
    return Visible(
        at=dt.datetime.now(dt.UTC),
        epoch=session.scalars(select(PolicyEpoch.number)).one(),
        scope_ids=tuple(r.id for r in rows),
        public_ids=tuple(r.public_id for r in rows),
        labels={r.id: r.label for r in rows},
        valid_until=None,
        snapshot=session.scalars(select(cast(func.pg_current_snapshot(), Text))).one(),
        sums=_sums(session, [r.id for r in rows]),
    )


def _sums(session: ReadSession, scopes: list[int]) -> NDArray[np.void]:
    sums = text("select scope_id, chunks, terms from scope_volume where scope_id = any (:scopes)")
    rows = session.execute(sums, {"scopes": scopes}).all()
    return np.array([tuple(row) for row in rows], acl.SUM)


# In how many passages a term stands, hidden ones too.
FREQUENCIES = text(
    "select term, sum(length(entries)) / 8 as df from posting where term = any (:terms) group by term"
).bindparams(lexical.TERMS)
visible_lists = lexical.load_lists
honest_search = search.search


def count_all_rows(monkeypatch: pytest.MonkeyPatch, statistic: str) -> None:
    """Let BM25's "volume" or its "frequencies" be counted over hidden rows too, under a role that sees them."""
    if statistic == "frequencies":
        monkeypatch.setattr(lexical, "load_lists", _with_all_frequencies)
        return
    monkeypatch.setattr(acl, "_standing_in", lambda _ids: true())
    monkeypatch.setattr(acl, "_RESOLVED", acl._resolved())


def _with_all_frequencies(
    session: ReadSession, visible: Visible, words: Iterable[Word], seen: VisibleCorpus | None = None
) -> lexical.InvertedLists:
    found = visible_lists(session, visible, words, seen)
    rows = session.execute(FREQUENCIES, {"terms": list(found.by_term)})
    return replace(found, frequencies={row.term: int(row.df) for row in rows})


def weigh_blocks_by_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a word counts in quotes follow from how many rows have it, hidden ones too; hits stay as they are."""

    def searched(session: ReadSession, visible: Visible, index: VectorIndex, query: search.Query) -> search.Candidates:
        found = honest_search(session, visible, index, query)
        terms = [form for word, _ in found.weights for form in word.forms]
        frequency = {row.term: int(row.df) for row in session.execute(FREQUENCIES, {"terms": terms})}
        counted = [(word, 1 / (1 + sum(frequency.get(form, 0) for form in word.forms))) for word, _ in found.weights]
        return replace(found, weights=tuple(counted))

    monkeypatch.setattr(search, "search", searched)


# The nearest of all, filtered after: what a list of candidates shared with hidden rows does.
FILTER_AFTER = text(
    "select chunk_id, similarity from ("
    " select chunk_id, scope_id, -(embedding <#> cast(:query as halfvec)) as similarity"
    " from vector_row where vector_dims(embedding) > 1"
    " order by embedding <#> cast(:query as halfvec), chunk_id limit 20) as best"
    " where scope_id = any (cast(:scopes as int[])) order by similarity desc, chunk_id limit :limit"
)

# A real index of pgvector over all rows, made when the rows are there; without sorting, the planner must use it.
# With few tuples to scan, as an index over millions has for its default of 20,000.
MAKE_HNSW = (
    f"create index shared_hnsw on vector_row using hnsw ((embedding::halfvec({DIMENSIONS})) halfvec_ip_ops)"
    " with (m = 4, ef_construction = 16)"
    f" where vector_dims(embedding) = {DIMENSIONS}; set local enable_sort = off; set local hnsw.ef_search = 20;"
    " set local hnsw.max_scan_tuples = 100;"
    " set local hnsw.iterative_scan = "
)
THROUGH_HNSW = text(
    f"select chunk_id, -(embedding::halfvec({DIMENSIONS}) <#> cast(:query as halfvec({DIMENSIONS}))) as similarity"
    f" from vector_row where vector_dims(embedding) = {DIMENSIONS} and scope_id = any (cast(:scopes as int[]))"
    f" order by embedding::halfvec({DIMENSIONS}) <#> cast(:query as halfvec({DIMENSIONS})) limit :limit"
)


class Codebook:
    """Product quantisation whose centres are trained over all rows, hidden ones too; or on seeded noise alone.

    Stands in for `nearest`: visible rows ranked by their codes, with their exact similarity beside.
    """

    def __init__(self, *, data_free: bool) -> None:
        noise = np.random.default_rng(7).standard_normal((400, DIMENSIONS)).astype(np.float32) / DIMENSIONS**0.5
        self._centres = _train(noise) if data_free else None

    def nearest(
        self, seen: ReaderSnapshot, lists: VectorIndex, query: NDArray[np.float32], *, limit: int, **_admit: Any
    ) -> Nearest:
        rows = seen.session.execute(
            text(
                "select chunk_id, scope_id, embedding::text as vector,"
                " -(embedding <#> cast(:query as halfvec)) as similarity"
                f" from vector_row where vector_dims(embedding) = {DIMENSIONS} order by chunk_id"
            ),
            {"query": HalfVector(query).to_text()},
        ).all()
        vectors = np.array([np.fromstring(r.vector[1:-1], np.float32, sep=",") for r in rows])
        centres = _train(vectors) if self._centres is None else self._centres
        parts = query.reshape(PARTS, 1, -1)
        scores = np.take_along_axis((parts * centres).sum(-1).T, _codes(vectors, centres), axis=0).sum(1)
        scored = zip(scores.tolist(), rows, strict=True)
        shown = [(-score, row) for score, row in scored if row.scope_id in seen.visible.scope_ids]
        ranked = sorted(shown, key=lambda pair: (pair[0], pair[1].chunk_id))[:limit]
        return Nearest([Near(r.chunk_id, float(r.similarity)) for _, r in ranked], "few")


def _train(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """k-means of each part, from the first vectors: shape (PARTS, CENTRES, DIMENSIONS / PARTS)."""
    split = vectors.reshape(len(vectors), PARTS, -1)
    centres = split[:CENTRES].transpose(1, 0, 2).copy()
    for _ in range(ROUNDS):
        codes = _codes(vectors, centres)
        for part in range(PARTS):
            for centre in range(CENTRES):
                if (mine := codes[:, part] == centre).any():
                    centres[part, centre] = split[mine, part].mean(0)
    return centres


def _codes(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[Any]:
    """The nearest centre of each part: shape (n, PARTS)."""
    split = vectors.reshape(len(vectors), PARTS, 1, -1)
    return np.asarray(((split - centres) ** 2).sum(-1).argmin(-1))
