"""Product quantisation of vectors with a fixed codebook, which knows no document.

A code has 4 bits for every two dimensions. A codebook trained on the vectors at hand would be a function of hidden
documents, and with it every ranking by codes (promise N1). So a vector is first rotated by a fixed rotation, after
which two of its coordinates resemble two draws from a normal distribution whatever the model, and these are coded by
the sixteen points that suit such draws best.
"""

import hashlib
import json
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

VERSION = 1
# Sixteen points for two independent draws of N(0, 1), by Lloyd's iteration on a fine grid of the plane; squared error
# 0.1076 a dimension.
POINTS = np.array(
    [
        (0.0005, 0.0010),
        (-0.0062, 0.8909),
        (-0.7682, -0.4515),
        (0.7761, -0.4394),
        (0.0084, -0.9547),
        (-0.8319, 0.4712),
        (0.8253, 0.4852),
        (-1.1642, -1.4574),
        (-0.6823, 1.7366),
        (0.6377, 1.7542),
        (1.8456, -0.2792),
        (-1.8386, -0.3226),
        (1.1985, -1.4316),
        (0.0238, -2.0023),
        (-1.7472, 0.9792),
        (1.7217, 1.0245),
    ],
    np.float32,
)
HALF_SQUARES = (POINTS**2).sum(1) / 2
# The rotation: signs, a shuffle and a Hadamard transform of blocks, three times. Its numbers come from SHAKE-256, its
# arithmetic is element by element: equal bytes in any batch, on any machine.
ROUNDS = 3
# Vectors coded at once: some megabytes of scores.
BATCH = 256


class ProductQuantizer:
    """Encodes unit vectors of one length. `width` is the size of a code in bytes: `dimensions` / 4."""

    def __init__(self, dimensions: int) -> None:
        """Raises ValueError for a number of dimensions that is not a multiple of 4."""
        if dimensions < 4 or dimensions % 4:
            raise ValueError(f"vectors of {dimensions} dimensions have no codes: a multiple of 4 is needed")
        self.dimensions, self.width = dimensions, dimensions // 4
        self._block = dimensions & -dimensions
        self._rotations = [(_signs(dimensions, r), _shuffle(dimensions, r)) for r in range(ROUNDS)]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides the codes: the codebook's digest in the audit log."""
        return _digest(self.dimensions)

    @property
    def centroids(self) -> NDArray[np.float32]:
        """The point of each 4-bit value: shape (dimensions / 2, 16, 2), for rotated unit vectors."""
        scaled = POINTS / np.float32(self.dimensions**0.5)
        return np.ascontiguousarray(np.broadcast_to(scaled, (self.dimensions // 2, *POINTS.shape)))

    def rotate(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rotated vectors: shape (n, dimensions); inner products stay as they are."""
        rotated = np.ascontiguousarray(vectors, np.float32)
        for signs, shuffle in self._rotations:
            rotated = self._hadamard((rotated * signs)[:, shuffle])
        return rotated

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Codes of unit vectors of shape (n, dimensions): shape (n, width), the lower half of a byte first."""
        codes = np.empty((len(vectors), self.width), np.uint8)
        for start in range(0, len(vectors), BATCH):
            rotated = self.rotate(vectors[start : start + BATCH]) * np.float32(self.dimensions**0.5)
            pairs = rotated.reshape(len(rotated), -1, 2, 1)
            nearest = (pairs[:, :, 0] * POINTS[:, 0] + pairs[:, :, 1] * POINTS[:, 1] - HALF_SQUARES).argmax(2)
            values = nearest.astype(np.uint8)
            codes[start : start + BATCH] = values[:, 0::2] | values[:, 1::2] << 4
        return codes

    def _hadamard(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The Hadamard transform of each block: sums and differences at distance 1, 2, 4, and so on."""
        half = 1
        while half < self._block:
            pairs = vectors.reshape(len(vectors), -1, 2, half)
            vectors = np.empty_like(pairs, order="C")
            np.add(pairs[:, :, 0], pairs[:, :, 1], out=vectors[:, :, 0])
            np.subtract(pairs[:, :, 0], pairs[:, :, 1], out=vectors[:, :, 1])
            half *= 2
        return vectors.reshape(-1, self.dimensions) * np.float32(self._block**-0.5)


@lru_cache(maxsize=8)
def quantizer_for(dimensions: int) -> ProductQuantizer | None:
    """The quantizer for vectors of this length; None if the length has no codes, and search does without."""
    return ProductQuantizer(dimensions) if dimensions >= 4 and dimensions % 4 == 0 else None


def _signs(dimensions: int, number: int) -> NDArray[np.float32]:
    drawn = np.frombuffer(_drawn(f"signs {number}", dimensions), np.uint8)
    return np.where(drawn & 1, 1, -1).astype(np.float32)


def _shuffle(dimensions: int, number: int) -> NDArray[np.intp]:
    drawn = np.frombuffer(_drawn(f"shuffle {number}", 8 * dimensions), ">u8")
    return np.argsort(drawn, kind="stable")


def _drawn(name: str, size: int) -> bytes:
    return hashlib.shake_256(f"clearance codebook {VERSION} {name}".encode()).digest(size)


def _digest(dimensions: int) -> str:
    parts = {"version": VERSION, "dimensions": dimensions, "rounds": ROUNDS, "points": POINTS.tobytes().hex()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
