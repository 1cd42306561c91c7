"""Nearest passages among the visible ones: by the scope lists with an exact last step, or by PostgreSQL alone.

The result is a function of the visible rows. The lists give every entry whose code scores above a bound; the exact
step, under row-level security and in the reader's own snapshot, says which of these are there for the reader; of
those that are the `depth` best by code, ties at the cut kept, are ranked by exact distance. What else stands in the
lists, how they are split into parts and what is dead in them changes how often we ask, and nothing else.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from sqlalchemy import text

from app import log
from app.acl.visible import Visible
from app.db.session import ReadSession
from app.retrieval.lists.protocol import Candidates, Entries, Lists, View
from app.retrieval.lists.snapshot import Snapshot
from app.retrieval.volume import Volume

# Exact nearest rows among the visible ones. `+ 0` keeps approximate indexes out: one shared with hidden rows would let
# them change the result (promise N1). Ties go to the lower id.
NEAREST = text(
    """
    select chunk_id, -((embedding <#> cast(:query as halfvec)) + 0) as similarity
    from vector_row
    where scope_id = any (cast(:scopes as int[]))
    order by (embedding <#> cast(:query as halfvec)) + 0, chunk_id
    limit :limit
    """
)

# Many rows are read in the order of the table, by a bitmap; `volume` has switched that off for what reads few.
BITMAPS = text("select set_config('enable_bitmapscan', :state, true)")

# The exact step: which candidates are there for this reader, and how near they are. One by one by their key: left to
# itself the planner, which cannot know how many scopes the caller has, reads all that is visible.
AMONG = text(
    """
    select v.chunk_id, v.similarity
    from unnest(cast(:chunks as bigint[])) as c (id)
    cross join lateral (
      select r.chunk_id, -((r.embedding <#> cast(:query as halfvec)) + 0) as similarity
      from vector_row r
      where r.chunk_id = c.id and r.scope_id = any (cast(:scopes as int[]))
      limit 1
    ) as v
    """
)

# What this reader sees that was written since the lists were last read. The scopes stand outside: by their index all
# that is visible would be read.
FRESH = text(
    """
    with fresh as materialized (
      select chunk_id, scope_id, code, changed from vector_row
      where changed >= cast(cast(:xmin as text) as xid8) and changed < cast(cast(:xmax as text) as xid8)
    )
    select chunk_id, scope_id, code, cast(changed as text) as changed
    from fresh where scope_id = any (cast(:scopes as int[]))
    """
)

# Up to so many visible passages PostgreSQL alone is as fast.
FEW = 2_000
# How many candidates are ranked exactly, among up to so many visible passages; among more, more of them (`depth_of`).
DEPTH, UP_TO = 300, 100_000
# Ten times the passages need twice the depth for the same recall: measured up to a million.
GROWTH = 0.3
# Asked for beyond that, for what is dead in the lists and for ties at the cut.
SPARE = 32
# So many candidates tied at the cut (a form letter in every folder) are PostgreSQL's.
MOST_TIED = 4_096

# So many visible candidates are looked at for those that a search admits.
MOST_LOOKED = 20_000

# So much news (a bulk load) is PostgreSQL's until the lists have caught up.
MOST_FRESH = 50_000

By = Literal["lists", "exact"]


@dataclass(frozen=True)
class Near:
    """A chunk and its cosine similarity to the query, from -1 to 1."""

    chunk_id: int
    similarity: float


@dataclass(frozen=True)
class Nearest:
    """The nearest visible chunks, nearest first, and who found them."""

    near: list[Near]
    by: By


@dataclass(frozen=True)
class Seen:
    """A reader's transaction: what it may read, and how much that is."""

    session: ReadSession
    visible: Visible
    volume: Volume

    def fresh(self, since: Snapshot, width: int) -> Entries:
        """The visible entries that `since` does not see, with codes of this many bytes."""
        snapshot = self.volume.snapshot
        given = {"xmin": str(since.xmin), "xmax": str(snapshot.xmax), "scopes": self.visible.scope_array}
        rows = [
            (row.chunk_id, row.scope_id, row.code)
            for row in self.session.execute(FRESH, given)
            if not since.sees(int(row.changed)) and len(row.code or b"") == width
        ]
        ids, scopes, codes = zip(*rows, strict=True) if rows else ((), (), ())
        return Entries(
            np.array(ids, np.int64),
            np.array(scopes, np.int32),
            np.frombuffer(b"".join(codes), np.uint8).reshape(-1, width),
        )

    def among(self, query: str, chunks: list[int]) -> dict[int, float]:
        """Similarities of those of these chunks that are there for the reader."""
        array = f"{{{','.join(map(str, chunks))}}}"
        given = {"query": query, "chunks": array, "scopes": self.visible.scope_array}
        rows = self.session.execute(AMONG, given)
        return {row.chunk_id: row.similarity for row in rows}


class Admit(Protocol):
    """Says which of these visible chunks a search is about: all of them, or those with a phrase, of a year, …"""

    def __call__(self, chunks: Sequence[int]) -> Collection[int]:
        """Those that are admitted."""


def everything(chunks: Sequence[int]) -> Collection[int]:
    """Admits every visible chunk."""
    return frozenset(chunks)


def nearest(
    seen: Seen,
    lists: Lists,
    query: NDArray[np.float32],
    *,
    limit: int,
    admit: Admit = everything,
    depth: int = DEPTH,
) -> Nearest:
    """The `limit` nearest visible chunks to a unit vector of shape (dimensions,), ties by id.

    Of those that are not admitted at most MOST_LOOKED are passed over; what lies behind them is not found.
    """
    depth = max(depth_of(seen.volume.passages, depth), limit)
    if seen.volume.passages > max(FEW, depth):
        view = lists.view(seen.volume.snapshot)
        found = None if view is None else _ByLists(seen, view, query, admit).found(depth)
        if found is not None:
            ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
            return Nearest([Near(*pair) for pair in ranked], "lists")
    return Nearest(_exact(seen, query, limit, admit), "exact")


def depth_of(passages: int, depth: int = DEPTH) -> int:
    """How many candidates are ranked exactly among so many visible passages."""
    return int(depth * math.pow(max(passages / UP_TO, 1.0), GROWTH))


def _exact(seen: Seen, query: NDArray[np.float32], limit: int, admit: Admit) -> list[Near]:
    if not seen.visible.scope_ids:
        return []
    if seen.volume.passages > FEW:
        seen.session.execute(BITMAPS, {"state": "on"})
    near = _first_admitted(seen, query, limit, admit)
    if seen.volume.passages > FEW:
        seen.session.execute(BITMAPS, {"state": "off"})
    return near


def _first_admitted(seen: Seen, query: NDArray[np.float32], limit: int, admit: Admit) -> list[Near]:
    given = {"query": HalfVector(query).to_text(), "scopes": seen.visible.scope_array}
    wanted = limit
    while True:
        rows = seen.session.execute(NEAREST, given | {"limit": wanted}).all()
        admitted = admit([chunk for chunk, _ in rows])
        near = [Near(chunk, similarity) for chunk, similarity in rows if chunk in admitted][:limit]
        if len(near) == limit or len(rows) < wanted or wanted >= MOST_LOOKED:
            return near
        wanted = min(4 * wanted, MOST_LOOKED)


class _ByLists:
    """One search through the lists: what was asked of the database so far, and what it said."""

    def __init__(self, seen: Seen, view: View, query: NDArray[np.float32], admit: Admit) -> None:
        self._seen, self._view, self._query, self._admit = seen, view, query, admit
        self._fresh = seen.fresh(view.since, len(query) // 4)
        self._scopes = np.array(seen.visible.scope_ids, np.int32)
        self._text = HalfVector(query).to_text()
        self._asked: set[int] = set()
        self._there: dict[int, float] = {}
        self._admitted: dict[int, float] = {}

    def found(self, depth: int) -> dict[int, float] | None:
        """The `depth` best by code with their exact similarities; None where PostgreSQL has to answer."""
        if len(self._fresh) > MOST_FRESH:
            return None
        wanted = depth + SPARE
        while True:
            near = self._view.candidates(self._query, self._scopes, fresh=self._fresh, depth=wanted)
            self._ask(near)
            chosen = best(near, self._admitted, depth)
            if len(chosen or self._admitted) > depth + MOST_TIED:
                return None
            if chosen is not None:
                return {chunk: self._admitted[chunk] for chunk in chosen}
            if near.bound == -np.inf:
                return self._all()
            if (first := self._first(near)) is not None:
                return first
            wanted *= 4

    def _ask(self, near: Candidates) -> None:
        """Which of the candidates are there, and which of these are admitted."""
        fresh = [chunk for chunk in dict.fromkeys(near.ids.tolist()) if chunk not in self._asked]
        if fresh:
            there = self._seen.among(self._text, fresh)
            admitted = self._admit(list(there))
            self._there |= there
            self._admitted |= {chunk: there[chunk] for chunk in there if chunk in admitted}
            self._asked.update(fresh)

    def _all(self) -> dict[int, float] | None:
        """Every entry was looked at, and too few are admitted; or fewer are there than the database has."""
        if len(self._there) < self._seen.volume.passages:
            log.get().error("lists.incomplete", there=len(self._there), visible=self._seen.volume.passages)
            return None
        return self._admitted

    def _first(self, near: Candidates) -> dict[int, float] | None:
        """What is admitted of the first MOST_LOOKED that are there: however many dead entries lay between them.

        None if so many are not known yet.
        """
        if len(self._there) < MOST_LOOKED:
            return None
        complete = near.ids[near.scores > near.bound].tolist()
        ranked = [chunk for chunk in dict.fromkeys(complete) if chunk in self._there]
        if len(ranked) < MOST_LOOKED:
            return None
        return {c: self._there[c] for c in ranked[:MOST_LOOKED] if c in self._admitted}


def best(found: Candidates, there: Collection[int], depth: int) -> list[int] | None:
    """The `depth` best candidates of those that are there, and all that tie with the last of them.

    None if the candidates do not reach that far: something left out could be among them. Pure.
    """
    chosen: list[int] = []
    cut = -np.inf
    known: set[int] = set()
    for chunk, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        if score <= found.bound:
            break
        if chunk not in there or chunk in known:
            continue
        if len(chosen) >= depth and score < cut:
            return chosen
        known.add(chunk)
        chosen.append(chunk)
        cut = score
    return chosen if len(chosen) >= depth else None
