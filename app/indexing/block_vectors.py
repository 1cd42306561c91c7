"""The stored form of a passage's blocks: where each stands in its text, and the direction of its vector. Pure.

A byte for each dimension, scaled to the vector's own greatest: what is compared is the direction alone, and no scale is
taken from other texts.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# [start, end) in characters, before the vector's bytes.
SPAN_DTYPE = np.dtype("<i4")
_SPAN_BYTES = 2 * SPAN_DTYPE.itemsize
LARGEST = 127


@dataclass(frozen=True, slots=True)
class PassageBlock:
    """A block of a passage: [start, end) in characters of its text; `code` is its vector as it is stored."""

    start: int
    end: int
    code: bytes

    @property
    def vector(self) -> NDArray[np.float32]:
        """The unit vector, shape (dimensions,)."""
        vector: NDArray[np.float32] = directions([self])[0]
        return vector


def directions(blocks: Sequence[PassageBlock]) -> NDArray[np.float32]:
    """The unit vectors of blocks, shape (blocks, dimensions)."""
    codes = np.frombuffer(b"".join(block.code for block in blocks), np.int8).reshape(len(blocks), -1)
    vectors = codes.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    return vectors


def encode_vectors(vectors: NDArray[np.float32]) -> list[bytes]:
    """The stored form of each row of (n, dimensions)."""
    greatest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scaled = vectors / np.where(greatest > 0, greatest, np.float32(1)) * np.float32(LARGEST)
    return [row.tobytes() for row in np.rint(scaled).astype(np.int8)]


def pack_blocks(blocks: Iterable[PassageBlock]) -> bytes:
    """All blocks of a passage as one value."""
    return b"".join(np.array([b.start, b.end], SPAN_DTYPE).tobytes() + b.code for b in blocks)


def unpack_blocks(stored: bytes, dimensions: int) -> tuple[PassageBlock, ...]:
    """The blocks from their stored form; none where there is none. Raises ValueError if it is of other dimensions."""
    if len(stored) % (_SPAN_BYTES + dimensions):
        raise ValueError(f"the stored blocks have not {dimensions} dimensions")
    return tuple(PassageBlock(*row) for row in struct.iter_unpack(f"<ii{dimensions}s", stored))
