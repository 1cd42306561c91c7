"""Reads every vector and its code from PostgreSQL, as the backup role: it reads all and changes nothing.

The API's own role sees what its callers see, and the role of the scope index sees codes alone. Neither gets a privilege
for this: vectors are nearly the text, and no service needs those of everybody. No text is read here.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.db.bootstrap import libpq
from app.evaluation.codebook import SampleVectors, VectorBlock
from app.indexing.quantizer import ProductQuantizer, quantizer_for
from app.scope_index.database_reader import END, HEADER

ROLE = "clearance_backup"
# The start-up probe's row has a vector and no code.
PROBE_ROWS = 1
KINDS = """
    select vector_dims(embedding), octet_length(code), count(*) from vector_row group by 1, 2 order by 3 desc, 1, 2
"""
EMBEDDER = "select embedder from index_profile"
CODED_ROWS = "vector_row where octet_length(code) = {width} and vector_dims(embedding) = {dimensions}"
# Sampled by a hash of the number: the same ones each time, from the whole table.
SAMPLE = "select chunk_id, embedding from {coded} order by hashint8extended(chunk_id, 20260), chunk_id limit %s"
COPY = "copy (select chunk_id, code, embedding from {coded}) to stdout (format binary)"
# Rows held in memory: some 150 MB of vectors, scores and codes for 384 dimensions.
BLOCK_ROWS = 32_768


class UnreadableVectors(RuntimeError):
    """The vectors cannot be read, or there are none to measure on; the message says what to do."""


@dataclass(frozen=True)
class VectorStats:
    """The number of passages with codes, their quantizer, and the digest of the vectors' embedder."""

    passages: int
    quantizer: ProductQuantizer
    embedder: str


@dataclass(frozen=True)
class StoredVectors:
    """One read-only snapshot of all vectors."""

    connection: psycopg.Connection
    stats: VectorStats

    def sample(self, count: int) -> SampleVectors:
        """The vectors of `count` passages, or of all if there are fewer."""
        with self.connection.cursor(binary=True) as cursor:
            rows = cursor.execute(self._statement(SAMPLE), [count]).fetchall()
        vectors = [np.frombuffer(stored, ">f2", offset=4).astype(np.float32) for _, stored in rows]
        return SampleVectors(np.array(vectors, np.float32), np.array([chunk for chunk, _ in rows], np.int64))

    def blocks(self) -> Iterator[VectorBlock]:
        """Every passage with a code, in no order, ROWS at a time."""
        row = _row(self.stats.quantizer)
        size = BLOCK_ROWS * row.itemsize
        copied, start = bytearray(), len(HEADER)
        with self.connection.cursor() as cursor, cursor.copy(self._statement(COPY)) as copy:
            for data in copy:
                copied += data
                if len(copied) >= start + size:
                    yield _block(copied, row, start, BLOCK_ROWS)
                    copied, start = copied[start + size :], 0
        rows, rest = divmod(len(copied) - start - len(END), row.itemsize)
        _require_copy_format(not rest and copied.endswith(END))
        if rows:
            yield _block(copied, row, start, rows)

    def _statement(self, statement: str) -> bytes:
        quantizer = self.stats.quantizer
        coded = CODED_ROWS.format(width=quantizer.width, dimensions=quantizer.dimensions)
        return statement.format(coded=coded).encode()


@contextlib.contextmanager
def open_snapshot(url: str) -> Iterator[StoredVectors]:
    """A snapshot of all vectors, by a URL of the database role ROLE; raises Unreadable."""
    try:
        address = libpq(make_url(url))
    except ArgumentError:
        raise UnreadableVectors(f"that is no URL like postgresql+psycopg://{ROLE}:PASSWORD@HOST/DATABASE") from None
    try:
        with psycopg.connect(address, connect_timeout=5) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield StoredVectors(connection, _stats(connection))
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UnreadableVectors(f"PostgreSQL refused: {lines[-1]}") from error


def _stats(connection: psycopg.Connection) -> VectorStats:
    (user,) = connection.execute("select current_user").fetchone() or ("nobody",)
    if user != ROLE:
        raise UnreadableVectors(
            f"the URL names {user}: only {ROLE} reads the vectors of everybody, and it changes nothing"
        )
    kinds = connection.execute(KINDS).fetchall()
    for dimensions, width, passages in kinds:
        quantizer = quantizer_for(dimensions)
        if quantizer is not None and width == quantizer.width:
            (embedder,) = connection.execute(EMBEDDER).fetchone() or ("unknown",)
            return VectorStats(passages, quantizer, embedder)
    without = sum(passages for *_, passages in kinds)
    if without <= PROBE_ROWS:
        raise UnreadableVectors("nothing is indexed yet: bring documents in first")
    raise UnreadableVectors(
        f"none of {without - PROBE_ROWS} passages has a code, so search goes without the lists and no depth plays"
        " a part: index the documents anew; vectors whose length is no multiple of 4 never have codes"
    )


def _row(quantizer: ProductQuantizer) -> np.dtype[np.void]:
    """A row of COPY's binary format: the number of its fields, and each field with its size."""
    return np.dtype(
        [
            ("fields", ">i2"),
            ("id_size", ">i4"),
            ("id", ">i8"),
            ("code_size", ">i4"),
            ("code", "u1", (quantizer.width,)),
            ("vector_size", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", (quantizer.dimensions,)),
        ]
    )


def _block(copied: bytearray, row: np.dtype[np.void], start: int, rows: int) -> VectorBlock:
    _require_copy_format(start == 0 or copied.startswith(HEADER))
    table: NDArray[np.void] = np.frombuffer(copied, row, rows, start)
    _require_copy_format(bool((table["fields"] == 3).all() and (table["dimensions"] == row["vector"].shape[0]).all()))
    return VectorBlock(
        table["id"].astype(np.int64), table["vector"].astype(np.float32), np.ascontiguousarray(table["code"])
    )


def _require_copy_format(valid: bool) -> None:
    if not valid:
        raise RuntimeError("the vectors did not come in COPY's binary format")
