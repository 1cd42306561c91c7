"""Visible cells: a k-means cell for each vector in a B-tree; the nearest cells until enough visible rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.peers.pg_base import PgClient, PgPeer, whole
from benchmarks.retrieval.postgres import copy_rows, literal
from benchmarks.retrieval.protocol import Batch, Built, Place, Searcher
from benchmarks.retrieval.world import Floats, World, unit

ENOUGH = 8_000  # visible rows whose distance is computed; callers who see fewer are answered exactly
ROWS_PER_CELL = 400
SAMPLE = 64  # training vectors for each cell
ROUNDS = 8
FIRST = 16  # cells counted at first; then twice as many each time

# Purpose: rows with the cell.
CELL_ROW = """
drop table if exists cell_row;
create table cell_row (
  cell int not null, scope_id int not null, chunk_id bigint not null, embedding halfvec({d}) not null);
alter table cell_row alter embedding set storage plain;
"""
CELL_KEYS = """
create index on cell_row (cell, scope_id); create index on cell_row (scope_id); create index on cell_row (chunk_id);
"""
# Purpose: how many visible rows lie in each of these cells (index only).
COUNT = "select cell, count(*) from cell_row where cell = any (%s) group by cell"
# Purpose: exact distances in these cells.
INSIDE = """
select chunk_id from cell_row where cell = any (%(cells)s)
order by (embedding <#> %(q)s::halfvec) + 0, chunk_id limit %(k)s
"""
# Purpose: exact distances of all visible rows.
EXACT = "select chunk_id from cell_row order by (embedding <#> %(q)s::halfvec) + 0, chunk_id limit %(k)s"


def centres_of(vectors: Floats, cells: int, *, seed: int = 5) -> Floats:
    """(cells, d) by spherical k-means on a sample."""
    rng = np.random.default_rng(seed)
    sample = vectors[rng.choice(len(vectors), min(len(vectors), SAMPLE * cells), replace=False)]
    centres = sample[:cells].copy()
    for _ in range(ROUNDS):
        nearest = cells_of(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        filled = np.bincount(nearest, minlength=cells) > 0
        centres[filled] = unit(sums[filled])
    return centres


def cells_of(vectors: Floats, centres: Floats) -> Any:
    """(n,) the nearest centre of each vector."""
    blocks = [(vectors[at : at + 20_000] @ centres.T).argmax(axis=1) for at in range(0, len(vectors), 20_000)]
    return np.concatenate(blocks).astype(np.int32)


class PgCells(PgPeer):
    """The spike's design for PostgreSQL alone."""

    name = "pg visible cells"
    settings = (
        f"k-means cells of {ROWS_PER_CELL} rows trained on the corpus, T = {ENOUGH} visible rows, else exact; RLS"
    )
    table = "cell_row"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._file = place.folder / "centres.npy"
        self._centres = np.empty((0, 0), np.float32)

    def build(self, world: World) -> Built:
        """With the centres kept beside the table."""
        built = super().build(world)
        self.reopen(world)
        return Built(built.seconds, self._centres.nbytes, built.disk)

    def reopen(self, world: World) -> None:  # noqa: ARG002  # the protocol's
        """The centres of an earlier run."""
        self._centres = np.load(self._file)

    def make(self, connection: psycopg.Connection[Any], world: World) -> None:
        """Train, then rows, then keys."""
        self._centres = centres_of(world.vectors, max(FIRST, world.size // ROWS_PER_CELL))
        self.folder.mkdir(parents=True, exist_ok=True)
        np.save(self._file, self._centres)
        connection.execute(CELL_ROW.format(d=world.dimensions))
        copy_rows(connection, self.copy, self.columns(whole(world)))
        connection.execute(CELL_KEYS)
        connection.execute(access.policy("cell_row"))

    @property
    def copy(self) -> str:
        """With the cell."""
        return "copy cell_row (cell, scope_id, chunk_id, embedding) from stdin (format binary)"

    def columns(self, batch: Batch) -> list[Any]:
        """Each row's cell is found here."""
        cells = cells_of(batch.vectors, self._centres)
        return [cells, batch.scopes, batch.ids, batch.vectors.astype(np.float16)]

    def searcher(self) -> Searcher:
        """As the bound role."""
        return CellClient(self.server.app(), [], self._centres)


class CellClient(PgClient):
    """Counts nearest cells in doubling steps, then asks for distances."""

    def __init__(self, connection: psycopg.Connection[Any], settings: Sequence[str], centres: Floats) -> None:
        super().__init__(connection, settings, INSIDE)
        self._centres = centres

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        given: dict[str, Any] = {"q": literal(question), "k": k}
        with self.connection.transaction():
            self.connection.execute(access.AS_CALLER, [str(caller.id)])
            (_, rows) = self.connection.execute(access.SCOPES).fetchone() or ([], 0)
            statement = EXACT
            if rows > ENOUGH:
                statement, given["cells"] = INSIDE, self._cells(question)
            return [row[0] for row in self.connection.execute(statement, given).fetchall()]

    def _cells(self, question: Floats) -> list[int]:
        """The nearest cells that hold enough visible rows together."""
        order = np.argsort(-(self._centres @ question))
        taken: list[int] = []
        rows, step = 0, FIRST
        while rows < ENOUGH and len(taken) < len(order):
            asked = order[len(taken) : len(taken) + step].tolist()
            counts = dict(self.connection.execute(COUNT, [asked]).fetchall())
            for cell in asked:
                taken.append(cell)
                rows += counts.get(cell, 0)
                if rows >= ENOUGH:
                    break
            step *= 2
        return taken
