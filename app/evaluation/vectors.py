"""Reads every vector and its code from PostgreSQL, as the database role that dumps it: reads all, changes nothing.

The API's own role sees what its callers see, and that of the lists codes alone. Neither gets a power for this: vectors
are nearly the text, and no service needs those of everybody. No text is read here.
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
from app.evaluation.codebook import Asked, Block
from app.indexing.quantizer import Codebook, codebook
from app.scope_index.database_reader import END, HEADER

ROLE = "clearance_backup"
# The start-up probe's row has a vector and no code.
PROBES = 1
STOCK = """
    select vector_dims(embedding), octet_length(code), count(*) from vector_row group by 1, 2 order by 3 desc, 1, 2
"""
EMBEDDER = "select embedder from index_profile"
CODED = "vector_row where octet_length(code) = {width} and vector_dims(embedding) = {dimensions}"
# Drawn by a hash of the number: the same ones each time, and from the whole table.
DRAWN = "select chunk_id, embedding from {coded} order by hashint8extended(chunk_id, 20260), chunk_id limit %s"
COPY = "copy (select chunk_id, code, embedding from {coded}) to stdout (format binary)"
# Rows held at a time: some 150 MB of vectors, scores and codes for 384 dimensions.
ROWS = 32_768


class Unreadable(RuntimeError):
    """The vectors cannot be read, or there are none to measure on; the message says what to do."""


@dataclass(frozen=True)
class Stock:
    """How many passages have codes, the book these are from, and the digest of the embedder that made the vectors."""

    passages: int
    book: Codebook
    embedder: str


@dataclass(frozen=True)
class StoredVectors:
    """One read-only snapshot of all vectors."""

    connection: psycopg.Connection
    stock: Stock

    def draw(self, count: int) -> Asked:
        """The vectors of so many passages, or of all there are."""
        with self.connection.cursor(binary=True) as cursor:
            rows = cursor.execute(self._statement(DRAWN), [count]).fetchall()
        vectors = [np.frombuffer(stored, ">f2", offset=4).astype(np.float32) for _, stored in rows]
        return Asked(np.array(vectors, np.float32), np.array([chunk for chunk, _ in rows], np.int64))

    def blocks(self) -> Iterator[Block]:
        """Every passage with a code, in no order, ROWS at a time."""
        row = _row(self.stock.book)
        size = ROWS * row.itemsize
        copied, start = bytearray(), len(HEADER)
        with self.connection.cursor() as cursor, cursor.copy(self._statement(COPY)) as copy:
            for data in copy:
                copied += data
                if len(copied) >= start + size:
                    yield _block(copied, row, start, ROWS)
                    copied, start = copied[start + size :], 0
        rows, rest = divmod(len(copied) - start - len(END), row.itemsize)
        _require(not rest and copied.endswith(END))
        if rows:
            yield _block(copied, row, start, rows)

    def _statement(self, statement: str) -> bytes:
        book = self.stock.book
        coded = CODED.format(width=book.width, dimensions=book.dimensions)
        return statement.format(coded=coded).encode()


@contextlib.contextmanager
def reading(url: str) -> Iterator[StoredVectors]:
    """A snapshot of all vectors, by a URL of the database role ROLE; raises Unreadable."""
    try:
        address = libpq(make_url(url))
    except ArgumentError:
        raise Unreadable(f"that is no URL like postgresql+psycopg://{ROLE}:PASSWORD@HOST/DATABASE") from None
    try:
        with psycopg.connect(address, connect_timeout=5) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield StoredVectors(connection, _stock(connection))
    except psycopg.Error as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise Unreadable(f"PostgreSQL refused: {said[-1]}") from error


def _stock(connection: psycopg.Connection) -> Stock:
    (user,) = connection.execute("select current_user").fetchone() or ("nobody",)
    if user != ROLE:
        raise Unreadable(f"the URL names {user}: only {ROLE} reads the vectors of everybody, and it changes nothing")
    kinds = connection.execute(STOCK).fetchall()
    for dimensions, width, passages in kinds:
        book = codebook(dimensions)
        if book is not None and width == book.width:
            (embedder,) = connection.execute(EMBEDDER).fetchone() or ("unknown",)
            return Stock(passages, book, embedder)
    without = sum(passages for *_, passages in kinds)
    if without <= PROBES:
        raise Unreadable("nothing is indexed yet: bring documents in first")
    raise Unreadable(
        f"none of {without - PROBES} passages has a code, so search goes without the lists and no depth plays a part:"
        " index the documents anew; vectors whose length is no multiple of 4 never have codes"
    )


def _row(book: Codebook) -> np.dtype[np.void]:
    """A row of COPY's binary form: the number of its fields, and each field with its size."""
    return np.dtype(
        [
            ("fields", ">i2"),
            ("id_size", ">i4"),
            ("id", ">i8"),
            ("code_size", ">i4"),
            ("code", "u1", (book.width,)),
            ("vector_size", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", (book.dimensions,)),
        ]
    )


def _block(copied: bytearray, row: np.dtype[np.void], start: int, rows: int) -> Block:
    _require(start == 0 or copied.startswith(HEADER))
    found: NDArray[np.void] = np.frombuffer(copied, row, rows, start)
    _require(bool((found["fields"] == 3).all() and (found["dimensions"] == row["vector"].shape[0]).all()))
    return Block(found["id"].astype(np.int64), found["vector"].astype(np.float32), np.ascontiguousarray(found["code"]))


def _require(form: bool) -> None:
    if not form:
        raise RuntimeError("the vectors came in a form that is not COPY's")
