"""Reads the entries of the index from PostgreSQL, as the one database role that sees codes and nothing else."""

from collections.abc import Callable
from typing import cast

import numpy as np
import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.protocol import Entries
from app.scope_index.sharding import WHOLE, Shard
from app.scope_index.snapshot import Snapshot

# Every code, in no order: one pass over the table.
COPY_ALL = """
    copy (select chunk_id, scope_id, code from vector_row where octet_length(code) = {width} and {shard})
    to stdout (format binary)
"""

# Rows of transactions that an earlier snapshot does not see. A number beyond this snapshot's can only come from a dump
# of another cluster, whose rows were there when the base was read.
CHANGES = """
    select pg_is_in_recovery(), cast(pg_current_snapshot() as text),
           array_agg(chunk_id), array_agg(scope_id), string_agg(code, '')
    from vector_row
    where changed >= cast(cast(:xmin as text) as xid8) and changed < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(changed, cast(cast(:since as text) as pg_snapshot))
      and octet_length(code) = :width and {shard}
"""
SNAPSHOT = text("select pg_is_in_recovery(), cast(pg_current_snapshot() as text)")
COUNT = "select count(*) from vector_row where octet_length(code) = :width and {shard}"

# COPY's binary format: a header of 19 bytes, then for each row the number of its fields, and each field with its size.
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"
# Bytes read between two progress reports.
PROGRESS_BYTES = 1 << 24


class NotThePrimary(DatabaseUnavailable):
    """A standby does not report which transactions run, so a snapshot taken there would claim to see too much."""


class CodeReader:
    """An `EntrySource` over a pool of the database role `clearance_search`: all codes, or those of one shard."""

    def __init__(self, engine: Engine, quantizer: ProductQuantizer, shard: Shard = WHOLE) -> None:
        self._engine, self._width = engine, quantizer.width
        self._all = COPY_ALL.format(width=quantizer.width, shard=shard.condition)
        self._changes, self._count = (text(s.format(shard=shard.condition)) for s in (CHANGES, COUNT))
        self._row = np.dtype(
            [
                ("fields", ">i2"),
                ("id_size", ">i4"),
                ("id", ">i8"),
                ("scope_size", ">i4"),
                ("scope", ">i4"),
                ("code_size", ">i4"),
                ("code", "u1", (quantizer.width,)),
            ]
        )

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        """Raises DatabaseUnavailable, and its NotThePrimary."""
        copied, reported = bytearray(), 0
        try:
            with self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                snapshot = _snapshot(*connection.execute(SNAPSHOT).one())
                raw = cast(psycopg.Connection, connection.connection.driver_connection)
                with raw.cursor() as cursor, cursor.copy(self._all) as copy:
                    for block in copy:
                        copied += block
                        if len(copied) > reported + PROGRESS_BYTES:
                            reported += PROGRESS_BYTES
                            progress(len(copied) // self._row.itemsize)
        except (DBAPIError, PoolTimeout, psycopg.Error) as error:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        return snapshot, self._entries(copied)

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        """Raises DatabaseUnavailable, and its NotThePrimary."""
        parameters = {"xmin": str(since.xmin), "since": str(since), "width": self._width}
        try:
            with self._engine.connect() as connection:
                standby, now, ids, scopes, codes = connection.execute(self._changes, parameters).one()
        except (DBAPIError, PoolTimeout) as error:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error
        return _snapshot(standby, now), Entries(
            np.array(ids or [], np.int64),
            np.array(scopes or [], np.int32),
            np.frombuffer(codes or b"", np.uint8).reshape(-1, self._width),
        )

    def _entries(self, copied: bytearray) -> Entries:
        rows, rest = divmod(len(copied) - len(HEADER) - len(END), self._row.itemsize)
        if rest or not copied.startswith(HEADER) or not copied.endswith(END):
            raise RuntimeError("the codes did not come in COPY's binary format")
        table = np.frombuffer(copied, self._row, rows, len(HEADER))
        return Entries(
            table["id"].astype(np.int64), table["scope"].astype(np.int32), np.ascontiguousarray(table["code"])
        )

    def count(self) -> int:
        """Raises DatabaseUnavailable."""
        try:
            with self._engine.connect() as connection:
                return int(connection.execute(self._count, {"width": self._width}).scalar_one())
        except (DBAPIError, PoolTimeout) as error:
            raise DatabaseUnavailable("The database does not answer; try again in a moment.") from error

    def close(self) -> None:
        self._engine.dispose()


def _snapshot(standby: bool, snapshot: str) -> Snapshot:
    if standby:
        raise NotThePrimary(
            "CLEARANCE_DATABASE__SEARCH_URL leads to a standby; the scope index is read from the primary."
        )
    return Snapshot.parse(snapshot)
