"""The benchmark's own PostgreSQL, and the fast ways to put vectors into it."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.conninfo import make_conninfo

from app.local.postgres import EmbeddedPostgres
from benchmarks.retrieval.world import Floats

PASSWORD = "bench"
APP = "bench_app"
# Parallel workers would take the second core from the neighbours, and their CPU time is counted nowhere.
SETTINGS = {
    "shared_buffers": "3GB",
    "maintenance_work_mem": "3GB",
    "max_parallel_workers_per_gather": "0",
    "max_wal_size": "8GB",
    "jit": "off",
    "autovacuum": "off",  # tables are vacuumed when they are built; a worker's work would be counted nowhere
    "random_page_cost": "1.1",
    "max_connections": "200",
}
INT4, INT8 = 4, 8
INT4_OID = 23


@dataclass
class Server:
    """A running server. The role `bench_app` owns nothing and is bound by row-level security."""

    embedded: EmbeddedPostgres

    def dsn(self, role: str, database: str = "postgres") -> str:
        """A libpq connection string over loopback."""
        return make_conninfo(host="127.0.0.1", port=self.embedded.port, user=role, password=PASSWORD, dbname=database)

    def owner(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """As superuser, each statement its own transaction."""
        return psycopg.connect(self.dsn("postgres", database), autocommit=True)

    def app(self) -> psycopg.Connection[Any]:
        """As the role that searches."""
        return psycopg.connect(self.dsn(APP), autocommit=True)


@contextlib.contextmanager
def serve(folder: Path, *, workers: int = 0) -> Iterator[Server]:
    """Start the server on the folder's data, or on new data; `workers` help to build indexes."""
    settings = {**SETTINGS, "max_parallel_maintenance_workers": str(workers)}
    with EmbeddedPostgres(folder, password=PASSWORD, settings=settings) as embedded:
        server = Server(embedded)
        with server.owner() as connection:
            connection.execute("create extension if not exists vector")
            if connection.execute("select 1 from pg_roles where rolname = %s", [APP]).fetchone() is None:
                connection.execute(f"create role {APP} login password '{PASSWORD}'")
            connection.execute(f"grant usage on schema public to {APP}")
        yield server


def restart(server: Server, *, evict: bool) -> int:
    """Stop and start; `evict` drops the data files from the kernel's cache in between. Returns the bytes dropped."""
    server.embedded.stop()
    dropped = evict_files(server.embedded.folder / "data") if evict else 0
    server.embedded.start()
    return dropped


def evict_files(folder: Path) -> int:
    """Ask the kernel to forget the pages of all files below the folder; returns their bytes. They must be closed."""
    dropped = 0
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)  # pages that are not written yet cannot be dropped
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                dropped += os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
    return dropped


def copy_rows(
    connection: psycopg.Connection[Any], statement: str, columns: Sequence[NDArray[Any]], *, block: int = 20_000
) -> None:
    """`copy … from stdin (format binary)` of equally long columns.

    int32 and int64 columns are `int4` and `int8`, float16 (n, d) is `halfvec(d)`, uint8 (n, w) is `bytea`, int32 (n, 1)
    is `int4[]` with one element.
    """
    kind = np.dtype([("fields", ">i2"), *(part for n, c in enumerate(columns) for part in _field(n, c))])
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for begin in range(0, len(columns[0]), block):
            copy.write(_records(kind, [c[begin : begin + block] for c in columns]).tobytes())
        copy.write(b"\xff\xff")


def _field(number: int, column: NDArray[Any]) -> list[tuple[Any, ...]]:
    """Length and content of a value, as the server's `recv` functions read them."""
    name = f"f{number}"
    if column.dtype == np.float16:
        return [(f"{name}_size", ">i4"), (f"{name}_head", ">i2", (2,)), (name, ">f2", (column.shape[1],))]
    if column.dtype == np.uint8:
        return [(f"{name}_size", ">i4"), (name, "u1", (column.shape[1],))]
    if column.ndim == 2:
        return [(f"{name}_size", ">i4"), (f"{name}_head", ">i4", (6,)), (name, ">i4")]
    return [(f"{name}_size", ">i4"), (name, ">i4" if column.dtype == np.int32 else ">i8")]


def _records(kind: np.dtype[Any], columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    made = np.zeros(len(columns[0]), kind)
    made["fields"] = len(columns)
    for number, column in enumerate(columns):
        name = f"f{number}"
        if column.dtype == np.float16:
            made[f"{name}_size"] = 4 + 2 * column.shape[1]
            made[f"{name}_head"] = (column.shape[1], 0)
            made[name] = column
        elif column.dtype == np.uint8:
            made[f"{name}_size"] = column.shape[1]
            made[name] = column
        elif column.ndim == 2:
            made[f"{name}_size"] = 28
            made[f"{name}_head"] = (1, 0, INT4_OID, 1, 1, INT4)
            made[name] = column[:, 0]
        else:
            made[f"{name}_size"] = INT4 if column.dtype == np.int32 else INT8
            made[name] = column
    return made


def literal(vector: Floats) -> str:
    """The text form of a vector (d,), with all its digits."""
    return "[" + ",".join(f"{v:.9g}" for v in vector.tolist()) + "]"
