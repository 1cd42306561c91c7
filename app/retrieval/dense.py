"""Nearest passages among the visible ones: by the scope index with an exact last step, or by PostgreSQL alone.

The result is a function of the visible rows. The index gives every entry whose code scores above a bound; the exact
step, under row-level security and in the reader's own snapshot, says which of these the reader sees; of those the
`depth` best by code, ties at the cut kept, are ranked by exact distance. What else the index holds, how it is split
and what is dead in it changes how often we ask, and nothing else.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from app import log
from app.db.engine import PREPARED
from app.retrieval.reader import ReaderSnapshot, halfvec_text
from app.retrieval.scan_ahead import ScanAhead
from app.scope_index.protocol import IndexUnavailable, IndexView, ScanResult, VectorIndex, merge

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

# At or below this many visible passages an exact scan is as fast.
EXACT_SCAN_LIMIT = 2_000
# From this many on, a scan takes longer than a thread needs to begin.
AHEAD_FROM = 20_000
# Candidates ranked exactly, and the number of visible passages above which there are more of them (`effective_depth`).
DEFAULT_DEPTH, GROWS_FROM = 200, 100_000
# The share of the depth that does not grow, and how the rest does: for equal recall, measured up to a million.
FIXED_SHARE, GROWTH_EXPONENT = 0.75, 0.9
# Candidates requested beyond the depth, for dead entries and for ties at the cut.
OVERFETCH = 16
# With more candidates tied at the cut (a form letter in every folder) PostgreSQL answers.
MAX_TIES = 4_096
# Visible candidates that are examined for those that the predicate accepts.
MAX_EXAMINED = 20_000

# By the index ("lists"); or by PostgreSQL, since few passages are visible, the index is not set up, not loaded or too
# new for this reader ("unready"), a search process did not answer, or ties or new rows were too many for the index.
Outcome = Literal["lists", "few", "unready", "lost", "undecided"]


@dataclass(frozen=True)
class Near:
    """A chunk and its cosine similarity to the query, from -1 to 1."""

    chunk_id: int
    similarity: float


@dataclass(frozen=True)
class Nearest:
    """The nearest visible chunks, nearest first, and how they were found.

    `similarities` are those of other visible chunks that were looked at, by chunk.
    """

    near: list[Near]
    outcome: Outcome
    similarities: Mapping[int, float] = field(default_factory=dict)


class Predicate(Protocol):
    """Which visible chunks a search accepts: all of them, or those with a phrase, of a year, …"""

    def __call__(self, chunks: Sequence[int]) -> Collection[int]:
        """The accepted ones among these visible chunks."""


def accept_all(chunks: Sequence[int]) -> Collection[int]:
    """The predicate of a search without conditions."""
    return frozenset(chunks)


def nearest(  # noqa: PLR0913  # who asks what of which index, how deep, under which conditions, and what comes along
    reader: ReaderSnapshot,
    index: VectorIndex,
    query: NDArray[np.float32],
    *,
    limit: int,
    predicate: Predicate = accept_all,
    depth: int = DEFAULT_DEPTH,
    also: Sequence[int] = (),
) -> Nearest:
    """The `limit` nearest accepted visible chunks to a unit vector of shape (dimensions,), ties by id.

    At most MAX_EXAMINED chunks are examined; an accepted one behind them is not found. The similarities of those of the
    chunks `also` that are visible come along where the index is asked: one statement reads both.
    """
    depth = _depth(reader, limit, depth)
    if _are_few(reader, depth):
        return Nearest(_exact(reader, query, limit, predicate), "few")
    view = index.view(reader.corpus.snapshot)
    if view is None:
        return Nearest(_exact(reader, query, limit, predicate), "unready")
    search = _IndexSearch(reader, view, query, predicate, also)
    try:
        found = search.run(depth)
    except IndexUnavailable:
        return Nearest(_exact(reader, query, limit, predicate), "lost")
    if found is None:
        return Nearest(_exact(reader, query, limit, predicate), "undecided", search.visible)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return Nearest([Near(*pair) for pair in ranked], "lists", search.visible)


def scan_ahead(
    reader: ReaderSnapshot, index: VectorIndex, query: NDArray[np.float32], *, limit: int, depth: int = DEFAULT_DEPTH
) -> VectorIndex:
    """The index for a `nearest` with the same arguments: its scan begins now, if it is long."""
    depth = _depth(reader, limit, depth)
    if reader.corpus.passages < AHEAD_FROM or _are_few(reader, depth):
        return index
    return ScanAhead(index, reader, query, depth + OVERFETCH)


def _depth(reader: ReaderSnapshot, limit: int, depth: int) -> int:
    return max(effective_depth(reader.corpus.passages, depth), limit)


def _are_few(reader: ReaderSnapshot, depth: int) -> bool:
    return reader.corpus.passages <= max(EXACT_SCAN_LIMIT, depth)


def effective_depth(passages: int, depth: int = DEFAULT_DEPTH) -> int:
    """How many candidates are ranked exactly when this many passages are visible."""
    growth = math.pow(max(passages / GROWS_FROM, 1.0), GROWTH_EXPONENT)
    return int(depth * (FIXED_SHARE + (1 - FIXED_SHARE) * growth))


def _exact(reader: ReaderSnapshot, query: NDArray[np.float32], limit: int, predicate: Predicate) -> list[Near]:
    if not reader.visible.scope_ids:
        return []
    if reader.corpus.passages > EXACT_SCAN_LIMIT:
        reader.session.execute(BITMAPS, {"state": "on"})
    near = _first_accepted(reader, query, limit, predicate)
    if reader.corpus.passages > EXACT_SCAN_LIMIT:
        reader.session.execute(BITMAPS, {"state": "off"})
    return near


def _first_accepted(reader: ReaderSnapshot, query: NDArray[np.float32], limit: int, predicate: Predicate) -> list[Near]:
    parameters = {"query": halfvec_text(query), "scopes": reader.visible.scope_array}
    # With many visible rows the setting above differs, so the statement is planned under it each time.
    many = reader.corpus.passages > EXACT_SCAN_LIMIT
    statement = NEAREST if many else NEAREST.execution_options(**PREPARED)
    count = limit
    while True:
        rows = reader.session.execute(statement, parameters | {"limit": count}).all()
        accepted = predicate([chunk for chunk, _ in rows])
        near = [Near(chunk, similarity) for chunk, similarity in rows if chunk in accepted][:limit]
        if len(near) == limit or len(rows) < count or count >= MAX_EXAMINED:
            return near
        count = min(4 * count, MAX_EXAMINED)


class _IndexSearch:
    """One search through the index: which chunks the database was asked about, and what it said."""

    def __init__(
        self,
        reader: ReaderSnapshot,
        view: IndexView,
        query: NDArray[np.float32],
        predicate: Predicate,
        also: Sequence[int] = (),
    ) -> None:
        self._reader, self._view, self._query, self._predicate, self._also = reader, view, query, predicate, also
        self._text = halfvec_text(query)
        self._looked_up: set[int] = set()
        self._examined: set[int] = set()
        # Similarities of the chunks that the reader sees, and of those among them that the predicate accepts.
        self.visible: dict[int, float] = {}
        self._accepted: dict[int, float] = {}
        # The scored rows that are newer than the index, once they were read.
        self._delta: ScanResult | None = None

    def run(self, depth: int) -> dict[int, float] | None:
        """The `depth` best by code with their exact similarities; None where PostgreSQL has to answer."""
        count = depth + OVERFETCH
        while True:
            scan = self._scan(count)
            if scan is None:
                return None
            chosen = best_candidates(scan, self.visible, depth, accepted=self._accepted)
            if len(self._accepted if chosen is None else chosen) > depth + MAX_TIES:
                return None
            if chosen is not None:
                return {chunk: self._accepted[chunk] for chunk in chosen}
            if scan.bound == -np.inf:
                return self._all()
            count *= 4

    def _scan(self, count: int) -> ScanResult | None:
        """At least `count` candidates, looked up in the database; None if the delta is too large."""
        scan = self._view.scan(self._query, self._reader.scopes, depth=count)
        wanted = dict.fromkeys([*scan.ids.tolist(), *self._also])
        unknown = [chunk for chunk in wanted if chunk not in self._looked_up]
        self._looked_up.update(unknown)
        if self._delta is None:
            since, width = self._view.since, len(self._query) // 4
            similarities, delta = self._reader.similarities_and_delta(self._text, unknown, since, width)
            if not delta.complete:
                return None
            self._delta = self._view.score(self._query, delta.entries)
            self._looked_up.update(delta.similarities)
            self.visible |= similarities | delta.similarities
        elif unknown:
            self.visible |= self._reader.similarities(self._text, unknown)
        merged = merge([scan, self._delta], count)
        self._examine(merged)
        return merged

    def _examine(self, scan: ScanResult) -> None:
        """Apply the predicate to the visible candidates that it has not seen yet."""
        new = [c for c in dict.fromkeys(scan.ids.tolist()) if c in self.visible and c not in self._examined]
        self._examined.update(new)
        if new:
            accepted = self._predicate(new)
            self._accepted |= {chunk: self.visible[chunk] for chunk in new if chunk in accepted}

    def _all(self) -> dict[int, float] | None:
        """Every accepted entry, when all were examined; None if the index holds fewer than the database."""
        if len(self.visible) < self._reader.corpus.passages:
            log.get().error("lists.incomplete", there=len(self.visible), visible=self._reader.corpus.passages)
            return None
        return self._accepted


def best_candidates(
    scan: ScanResult, visible: Collection[int], depth: int, *, accepted: Collection[int] | None = None
) -> list[int] | None:
    """The `depth` best candidates that are visible and accepted, and all that tie with the last of them.

    Only the first MAX_EXAMINED visible ones are examined, however many dead entries lie between them. None if the scan
    does not reach that far: something left out could be among the best. Pure.
    """
    chosen: list[int] = []
    cut = -np.inf
    known: set[int] = set()
    for chunk, score in zip(scan.ids.tolist(), scan.scores.tolist(), strict=True):
        if score <= scan.bound:
            break
        if chunk not in visible or chunk in known:
            continue
        if len(known) == MAX_EXAMINED or (len(chosen) >= depth and score < cut):
            return chosen
        known.add(chunk)
        if accepted is None or chunk in accepted:
            chosen.append(chunk)
            cut = score
    return chosen if len(chosen) >= depth or len(known) == MAX_EXAMINED else None
