"""A reader's transaction, and what it says of candidates: which of them the reader sees, and how near they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.acl.visible import Visible
from app.db.engine import prepared
from app.db.session import ReadSession
from app.retrieval.corpus_size import VisibleCorpus
from app.scope_index.protocol import Entries
from app.scope_index.snapshot import Snapshot

# Candidates by their key, and rows that were written since the scope index was read: one statement, since a round trip
# costs as much as the work. Both come packed, as parsing a row costs more than finding it. The scope filter is applied
# here: with it in the statement the planner, which cannot know how many scopes there are, may read all of them.
LOOKUP = prepared(
    """
    select (
      select string_agg(
        int8send(r.chunk_id) || int4send(r.scope_id) || float8send(-((r.embedding <#> cast(:query as halfvec)) + 0)), ''
      )
      from vector_row r
      where r.chunk_id = any (cast(:chunks as bigint[]))
    ) as near, delta.number, delta.rows
    from (
      select count(*) as number, string_agg(
        int8send(f.chunk_id) || int4send(f.scope_id) || float8send(f.similarity) || xid8send(f.changed) || f.code, ''
      ) as rows
      from (
        select r.chunk_id, r.scope_id, r.changed, coded.code,
               case when coded.code is not null then -((r.embedding <#> cast(:query as halfvec)) + 0) end as similarity
        from vector_row r
        cross join lateral (select case when octet_length(r.code) = :width then r.code end as code) as coded
        where r.changed >= cast(cast(:first as text) as xid8) and r.changed < cast(cast(:end as text) as xid8)
        limit :limit
      ) as f
    ) as delta
    """
)

# Above this many new rows (a bulk load) PostgreSQL answers until the scope index has caught up.
MAX_DELTA = 50_000

ROW = [("chunk", ">i8"), ("scope", ">i4"), ("similarity", ">f8")]


@dataclass(frozen=True)
class IndexDelta:
    """What the reader sees and the scope index may lack: the entries, and similarities by chunk.

    `complete` is False where there were more than MAX_DELTA rows.
    """

    entries: Entries
    similarities: dict[int, float]
    complete: bool


@dataclass(frozen=True)
class ReaderSnapshot:
    """A reader's transaction, the scopes visible in it, and how much they hold."""

    session: ReadSession
    visible: Visible
    corpus: VisibleCorpus

    @cached_property
    def scopes(self) -> NDArray[np.int32]:
        """The visible scopes, ascending."""
        return np.array(sorted(self.visible.scope_ids), np.int32)

    def similarities(self, query: str, chunks: Sequence[int]) -> dict[int, float]:
        """Similarities to `query`, a vector in pgvector's text form, of those of these chunks that are visible."""
        return self._rows(query, chunks, first=0, end=0, width=0)[0]

    def similarities_and_delta(
        self, query: str, chunks: Sequence[int], since: Snapshot, width: int
    ) -> tuple[dict[int, float], IndexDelta]:
        """The similarities, and the visible rows that `since` does not see, with codes of `width` bytes."""
        near, rows, number = self._rows(query, chunks, first=since.xmin, end=self.corpus.end, width=width)
        rows = rows[[not since.sees(transaction) for transaction in rows["changed"].tolist()]]
        entries = Entries(rows["chunk"].astype(np.int64), rows["scope"].astype(np.int32), rows["code"].copy())
        return near, IndexDelta(entries, _similarities(rows), complete=number <= MAX_DELTA)

    def _rows(
        self, query: str, chunks: Sequence[int], *, first: int, end: int, width: int
    ) -> tuple[dict[int, float], NDArray[np.void], int]:
        parameters = {
            "query": query,
            "chunks": array_text(chunks),
            "width": width,
            "first": str(first),
            "end": str(end),
            "limit": MAX_DELTA + 1,
        }
        found = self.session.execute(LOOKUP, parameters).one()
        near = np.frombuffer(found.near or b"", np.dtype(ROW))
        rows = np.frombuffer(found.rows or b"", np.dtype([*ROW, ("changed", ">i8"), ("code", "u1", (width,))]))
        return _similarities(self._in_scope(near)), self._in_scope(rows), int(found.number)

    def _in_scope(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """The scope filter on each row; row-level security already applied to the statement."""
        return rows[self.sees(rows["scope"])]

    def sees(self, scopes: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of these scopes are visible."""
        if not len(self.scopes):
            return np.zeros(len(scopes), np.bool_)
        at = np.minimum(np.searchsorted(self.scopes, scopes), len(self.scopes) - 1)
        visible: NDArray[np.bool_] = self.scopes[at] == scopes
        return visible


def array_text(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array: made quicker than psycopg makes one of a list."""
    return f"{{{','.join(map(str, numbers))}}}"


def halfvec_text(vector: NDArray[np.float32]) -> str:
    """A vector of shape (dimensions,) as pgvector reads a halfvec; five digits tell any two halves apart."""
    halves = vector.astype(np.float16).tolist()
    return f"[{','.join(['%.5g'] * len(halves))}]" % tuple(halves)


def _similarities(rows: NDArray[np.void]) -> dict[int, float]:
    return dict(zip(rows["chunk"].tolist(), rows["similarity"].tolist(), strict=True))
