"""COPY, from tuples and in binary from numpy columns: the fast way to put vectors into PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

BLOCK = 20_000  # rows sent at once
INT4_OID = 23


def copy_tuples(connection: psycopg.Connection[Any], target: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Fill `target`, a table with its columns."""
    with connection.cursor() as cursor, cursor.copy(f"copy {target} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def copy_rows(connection: psycopg.Connection[Any], target: str, columns: Sequence[NDArray[Any]]) -> None:
    """Fill `target`, a table with its columns, with equally long arrays.

    int32 and int64 arrays are `int4` and `int8`, float16 (n, d) is `halfvec(d)`, uint8 (n, w) is `bytea`, int32 (n, 1)
    is `int4[]` with one element.
    """
    heads = [_head(column) for column in columns]
    kind = np.dtype(
        [("fields", ">i2")]
        + [
            part
            for n, (column, head) in enumerate(zip(columns, heads, strict=True))
            for part in ((f"h{n}", "u1", len(head)), (f"f{n}", _wire(column), column.shape[1:]))
        ]
    )
    statement = f"copy {target} from stdin (format binary)".encode()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for begin in range(0, len(columns[0]), BLOCK):
            rows = np.zeros(min(BLOCK, len(columns[0]) - begin), kind)
            rows["fields"] = len(columns)
            for n, (column, head) in enumerate(zip(columns, heads, strict=True)):
                rows[f"h{n}"] = np.frombuffer(head, "u1")
                rows[f"f{n}"] = column[begin : begin + BLOCK]
            copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def _wire(column: NDArray[Any]) -> str:
    return {"float16": ">f2", "uint8": "u1", "int32": ">i4"}.get(column.dtype.name, ">i8")


def _head(column: NDArray[Any]) -> bytes:
    """What stands before each value of a column: its length, and what the server's `recv` function wants first."""
    size = column.itemsize * int(np.prod(column.shape[1:]))
    if column.dtype == np.float16:
        return np.array([size + 4], ">i4").tobytes() + np.array([column.shape[1], 0], ">i2").tobytes()
    if column.dtype == np.int32 and column.ndim == 2:
        return np.array([size + 24, 1, 0, INT4_OID, 1, 1, 4], ">i4").tobytes()
    return np.array([size], ">i4").tobytes()
