"""A reader's transaction, and what it says of candidates: which are there for the reader, and how near they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.acl.visible import Visible
from app.db.session import ReadSession, prepared
from app.retrieval.corpus_size import Volume
from app.scope_index.protocol import Entries
from app.scope_index.snapshot import Snapshot

# One statement, since going to the database costs as much as what it does there: candidates by their key, and rows that
# were written since the lists were read. Both come packed, as a row parsed costs more than a row found; and the scopes
# are compared here: with them in the statement the planner, which cannot know how many there are, may read all of them.
AMONG = prepared(
    """
    select (
      select string_agg(
        int8send(r.chunk_id) || int4send(r.scope_id) || float8send(-((r.embedding <#> cast(:query as halfvec)) + 0)), ''
      )
      from vector_row r
      where r.chunk_id = any (cast(:chunks as bigint[]))
    ) as near, news.number, news.rows
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
        limit :most
      ) as f
    ) as news
    """
)

# So much news (a bulk load) is PostgreSQL's until the lists have caught up.
MAX_FRESH = 50_000

ROW = [("chunk", ">i8"), ("scope", ">i4"), ("similarity", ">f8")]


@dataclass(frozen=True)
class Fresh:
    """What the reader sees and the lists may lack: the entries, and similarities by chunk.

    `whole`: whether that is all of it; of more than MAX_FRESH rows it is not.
    """

    entries: Entries
    similarities: dict[int, float]
    whole: bool


@dataclass(frozen=True)
class Seen:
    """A reader's transaction: what it may read, and how much that is."""

    session: ReadSession
    visible: Visible
    volume: Volume

    @cached_property
    def scopes(self) -> NDArray[np.int32]:
        """The visible scopes, ascending."""
        return np.array(sorted(self.visible.scope_ids), np.int32)

    def among(self, query: str, chunks: Sequence[int]) -> dict[int, float]:
        """Similarities to `query`, a vector in pgvector's form, of those of these chunks that are there."""
        return self._rows(query, chunks, first=0, end=0, width=0)[0]

    def among_and_fresh(
        self, query: str, chunks: Sequence[int], since: Snapshot, width: int
    ) -> tuple[dict[int, float], Fresh]:
        """The same, and the visible rows that `since` does not see, with codes of `width` bytes."""
        near, rows, number = self._rows(query, chunks, first=since.xmin, end=self.volume.end, width=width)
        rows = rows[[not since.sees(transaction) for transaction in rows["changed"].tolist()]]
        entries = Entries(rows["chunk"].astype(np.int64), rows["scope"].astype(np.int32), rows["code"].copy())
        return near, Fresh(entries, _similarities(rows), whole=number <= MAX_FRESH)

    def _rows(
        self, query: str, chunks: Sequence[int], *, first: int, end: int, width: int
    ) -> tuple[dict[int, float], NDArray[np.void], int]:
        given = {
            "query": query,
            "chunks": f"{{{','.join(map(str, chunks))}}}",
            "width": width,
            "first": str(first),
            "end": str(end),
            "most": MAX_FRESH + 1,
        }
        found = self.session.execute(AMONG, given).one()
        near = np.frombuffer(found.near or b"", np.dtype(ROW))
        rows = np.frombuffer(found.rows or b"", np.dtype([*ROW, ("changed", ">i8"), ("code", "u1", (width,))]))
        return _similarities(self._mine(near)), self._mine(rows), int(found.number)

    def _mine(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """The first lock on each row. Row-level security, the second, stood in the statement."""
        return rows[np.isin(rows["scope"], self.scopes)]


def _similarities(rows: NDArray[np.void]) -> dict[int, float]:
    return dict(zip(rows["chunk"].tolist(), rows["similarity"].tolist(), strict=True))
