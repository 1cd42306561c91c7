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
from app.db.session import PREPARED
from app.retrieval.reader import Seen
from app.scope_index.protocol import Candidates, Lists, ListsLost, View, merge

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

# Many rows are read in the order of the table, by a bitmap; a reading transaction begins without, as it reads few.
BITMAPS = text("select set_config('enable_bitmapscan', :state, true)")

# Up to so many visible passages PostgreSQL alone is as fast.
FEW = 2_000
# How many candidates are ranked exactly, among up to so many visible passages; among more, more of them (`depth_of`).
DEPTH, UP_TO = 200, 100_000
# A part of the depth that does not grow, and how the rest does: for the same recall, measured up to a million.
STEADY, GROWTH = 0.75, 0.9
# Asked for beyond that, for what is dead in the lists and for ties at the cut.
SPARE = 16
# So many candidates tied at the cut (a form letter in every folder) are PostgreSQL's.
MAX_TIED = 4_096

# So many visible candidates are looked at for those that a search admits.
MAX_LOOKED = 20_000

By = Literal["lists", "exact"]
# By the lists; or by PostgreSQL, since few passages are visible, the lists are not set up, not loaded or too new for
# this reader, a search process did not answer, or there were too many ties or too much news for them.
Outcome = Literal["lists", "few", "unready", "lost", "undecided"]


@dataclass(frozen=True)
class Near:
    """A chunk and its cosine similarity to the query, from -1 to 1."""

    chunk_id: int
    similarity: float


@dataclass(frozen=True)
class Nearest:
    """The nearest visible chunks, nearest first, and how they were found."""

    near: list[Near]
    outcome: Outcome

    @property
    def by(self) -> By:
        """Who found them: the scope lists, or PostgreSQL alone."""
        return "lists" if self.outcome == "lists" else "exact"


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

    Of those that are not admitted at most MAX_LOOKED are passed over; what lies behind them is not found.
    """
    depth = max(depth_of(seen.volume.passages, depth), limit)
    if seen.volume.passages <= max(FEW, depth):
        return Nearest(_exact(seen, query, limit, admit), "few")
    found = _by_lists(seen, lists, query, admit, depth)
    if not isinstance(found, dict):
        return Nearest(_exact(seen, query, limit, admit), found)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return Nearest([Near(*pair) for pair in ranked], "lists")


def _by_lists(
    seen: Seen, lists: Lists, query: NDArray[np.float32], admit: Admit, depth: int
) -> dict[int, float] | Literal["unready", "lost", "undecided"]:
    """The `depth` best by code with their exact similarities, or why PostgreSQL has to answer."""
    view = lists.view(seen.volume.snapshot)
    if view is None:
        return "unready"
    try:
        found = _ByLists(seen, view, query, admit).found(depth)
    except ListsLost:
        return "lost"
    return "undecided" if found is None else found


def depth_of(passages: int, depth: int = DEPTH) -> int:
    """How many candidates are ranked exactly among so many visible passages."""
    return int(depth * (STEADY + (1 - STEADY) * math.pow(max(passages / UP_TO, 1.0), GROWTH)))


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
    # Among many it has a setting of its own, and is planned under it each time.
    statement = NEAREST if seen.volume.passages > FEW else NEAREST.execution_options(**PREPARED)
    wanted = limit
    while True:
        rows = seen.session.execute(statement, given | {"limit": wanted}).all()
        admitted = admit([chunk for chunk, _ in rows])
        near = [Near(chunk, similarity) for chunk, similarity in rows if chunk in admitted][:limit]
        if len(near) == limit or len(rows) < wanted or wanted >= MAX_LOOKED:
            return near
        wanted = min(4 * wanted, MAX_LOOKED)


class _ByLists:
    """One search through the lists: what was asked of the database so far, and what it said."""

    def __init__(self, seen: Seen, view: View, query: NDArray[np.float32], admit: Admit) -> None:
        self._seen, self._view, self._query, self._admit = seen, view, query, admit
        self._text = HalfVector(query).to_text()
        self._asked: set[int] = set()
        self._judged: set[int] = set()
        self._there: dict[int, float] = {}
        self._admitted: dict[int, float] = {}
        # What the reader brings along, once it was read.
        self._fresh: Candidates | None = None

    def found(self, depth: int) -> dict[int, float] | None:
        """The `depth` best by code with their exact similarities; None where PostgreSQL has to answer."""
        wanted = depth + SPARE
        while True:
            near = self._look(wanted)
            if near is None:
                return None
            chosen = best(near, self._there, depth, admitted=self._admitted)
            if len(self._admitted if chosen is None else chosen) > depth + MAX_TIED:
                return None
            if chosen is not None:
                return {chunk: self._admitted[chunk] for chunk in chosen}
            if near.bound == -np.inf:
                return self._all()
            wanted *= 4

    def _look(self, wanted: int) -> Candidates | None:
        """At least so many candidates, and the database asked about each; None for too much news."""
        near = self._view.candidates(self._query, self._seen.scopes, depth=wanted)
        unknown = [chunk for chunk in dict.fromkeys(near.ids.tolist()) if chunk not in self._asked]
        self._asked.update(unknown)
        if self._fresh is None:
            since, width = self._view.since, len(self._query) // 4
            there, fresh = self._seen.among_and_fresh(self._text, unknown, since, width)
            if not fresh.whole:
                return None
            self._fresh = self._view.scored(self._query, fresh.entries)
            self._asked.update(fresh.similarities)
            self._there |= there | fresh.similarities
        elif unknown:
            self._there |= self._seen.among(self._text, unknown)
        reached = merge([near, self._fresh], wanted)
        self._judge(reached)
        return reached

    def _judge(self, reached: Candidates) -> None:
        """Which of these are admitted, of those that are there and were not judged before."""
        new = [c for c in dict.fromkeys(reached.ids.tolist()) if c in self._there and c not in self._judged]
        self._judged.update(new)
        if new:
            admitted = self._admit(new)
            self._admitted |= {chunk: self._there[chunk] for chunk in new if chunk in admitted}

    def _all(self) -> dict[int, float] | None:
        """Every entry was looked at, and too few are admitted; or fewer are there than the database has."""
        if len(self._there) < self._seen.volume.passages:
            log.get().error("lists.incomplete", there=len(self._there), visible=self._seen.volume.passages)
            return None
        return self._admitted


def best(
    found: Candidates, there: Collection[int], depth: int, *, admitted: Collection[int] | None = None
) -> list[int] | None:
    """The `depth` best candidates of those that are there and admitted, and all that tie with the last of them.

    Of the first MAX_LOOKED that are there: what lies behind them is not looked at, however many dead entries lie in
    between. None if the candidates do not reach that far: something left out could be among them. Pure.
    """
    chosen: list[int] = []
    cut = -np.inf
    known: set[int] = set()
    for chunk, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        if score <= found.bound:
            break
        if chunk not in there or chunk in known:
            continue
        if len(known) == MAX_LOOKED or (len(chosen) >= depth and score < cut):
            return chosen
        known.add(chunk)
        if admitted is None or chunk in admitted:
            chosen.append(chunk)
            cut = score
    return chosen if len(chosen) >= depth or len(known) == MAX_LOOKED else None
