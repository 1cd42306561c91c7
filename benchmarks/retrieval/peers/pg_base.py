"""A peer inside PostgreSQL: one table, grants beside it, one connection for each client."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import psycopg

from benchmarks.retrieval.cases import Caller
from benchmarks.retrieval.peers import access
from benchmarks.retrieval.postgres import copy_rows, literal
from benchmarks.retrieval.protocol import Batch, Built, Place, Searcher
from benchmarks.retrieval.world import Floats, World

# Purpose: the narrow table of vectors; the text would lie apart.
VECTOR_ROW = """
drop table if exists vector_row;
create table vector_row (scope_id int not null, chunk_id bigint not null, embedding halfvec({d}) not null);
alter table vector_row alter embedding set storage plain;
"""
VECTOR_KEYS = "alter table vector_row add primary key (chunk_id); create index on vector_row (scope_id);"


class PgClient:
    """A connection with the peer's settings, and its one question."""

    def __init__(self, connection: psycopg.Connection[Any], settings: Sequence[str], statement: str) -> None:
        self.connection, self.statement = connection, statement
        for setting in settings:
            connection.execute(setting)

    def backends(self) -> list[int]:
        """The server process of this connection."""
        return [self.connection.info.backend_pid]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class UnderPolicy(PgClient):
    """One transaction: say who asks, then ask under row-level security."""

    def search(self, question: Floats, caller: Caller, k: int) -> list[int]:
        """Ids, best first."""
        with self.connection.transaction():
            self.connection.execute(access.AS_CALLER, [str(caller.id)])
            rows = self.connection.execute(self.statement, {"q": literal(question), "k": k}).fetchall()
        return [row[0] for row in rows]


class PgPeer(ABC):
    """Shared by the peers inside PostgreSQL."""

    name: ClassVar[str]
    settings: ClassVar[str]
    exact: ClassVar[bool] = False
    unfiltered: ClassVar[bool] = False
    table: ClassVar[str] = "vector_row"

    def __init__(self, place: Place) -> None:
        self.server = place.server
        self.folder = place.folder

    def build(self, world: World) -> Built:
        """Make the table, or take the one that another peer made: its seconds count here too."""
        with self.server.owner() as connection:
            access.prepare(connection, world)
            seconds = access.once(connection, self.table, lambda: self.make(connection, world))
            connection.execute(f"vacuum analyze {self.table}")
            return Built(seconds, 0, access.bytes_of(connection, self.table))

    def reopen(self, world: World) -> None:  # noqa: B027  # nothing to do for most
        """All of it lies in the database."""

    def admit(self, callers: Sequence[Caller]) -> None:
        """Rows of grants."""
        access.admit(self.server, callers)

    def write(self, batch: Batch) -> None:
        """COPY with all indexes in place."""
        with self.server.owner() as connection:
            copy_rows(connection, self.copy, self.columns(batch))

    def remove(self, batch: Batch) -> None:
        """Delete by key, and leave no dead rows in the indexes."""
        with self.server.owner() as connection:
            connection.execute(f"delete from {self.table} where chunk_id = any (%s)", [batch.ids.tolist()])
            connection.execute(f"vacuum {self.table}")

    def regrant(self, caller: Caller, scope: int) -> tuple[int, float] | None:
        """One row of the grants."""
        return access.regrant(self.server, caller, scope)

    def close(self) -> None:  # noqa: B027  # nothing to do
        """Nothing is held here."""

    @property
    def copy(self) -> str:
        """The statement that `columns` is for."""
        return "copy vector_row (scope_id, chunk_id, embedding) from stdin (format binary)"

    def columns(self, batch: Batch) -> list[Any]:
        """As COPY takes them."""
        return [batch.scopes, batch.ids, batch.vectors.astype(np.float16)]

    def make(self, connection: psycopg.Connection[Any], world: World) -> None:
        """Rows first, then keys and the policy."""
        connection.execute(VECTOR_ROW.format(d=world.dimensions))
        copy_rows(connection, self.copy, self.columns(whole(world)))
        connection.execute(VECTOR_KEYS)
        connection.execute(access.policy("vector_row"))

    @abstractmethod
    def searcher(self) -> Searcher:
        """A client."""


def whole(world: World) -> Batch:
    """All of a world as one batch."""
    return Batch(np.arange(world.size, dtype=np.int64), world.vectors, world.scopes)
