"""Vectors with the geometry of real embeddings, spread over access scopes. Pure: the same seed gives the same world.

A vector is a blend of a real embedding with two of its neighbours, and a little noise. Every value is a half-precision
number, so that a peer that stores `halfvec` and one that stores float32 hold the same vectors.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

NEIGHBOURS = 16  # of these two are blended in
WEIGHTS = (4.0, 2.0, 1.0)  # of the Dirichlet distribution that weighs the three
NOISE = 0.25  # length of the noise beside the unit vector
BLOCK = 50_000  # vectors made at once
LEAF = 8  # embeddings that count as one topic when topics are put in a row
SCOPES = 1_500


@dataclass(frozen=True)
class World:
    """`vectors` (n, d) of unit length, `scopes` (n,) the scope of each, `topical` (scopes,) which hold one topic."""

    vectors: Floats
    scopes: NDArray[np.int32]
    topical: NDArray[np.bool_]
    questions: Floats

    @property
    def size(self) -> int:
        """The number of vectors."""
        return len(self.vectors)

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def volumes(self) -> Integers:
        """(scopes,) how many vectors each scope holds."""
        return np.bincount(self.scopes, minlength=len(self.topical)).astype(np.int64)

    @cached_property
    def centres(self) -> Floats:
        """(scopes, d) the mean vector of each scope, not normalised; zeros for an empty scope."""
        order = np.argsort(self.scopes, kind="stable")
        filled = np.flatnonzero(self.volumes)
        starts = np.concatenate([[0], np.cumsum(self.volumes[filled])[:-1]])
        centres = np.zeros((len(self.topical), self.dimensions), np.float32)
        for scope, start in zip(filled, starts, strict=True):
            centres[scope] = self.vectors[order[start : start + self.volumes[scope]]].mean(axis=0)
        return centres

    @cached_property
    def digest(self) -> str:
        """Names the content: what is built from one world is never used for another."""
        made = hashlib.sha256(repr((self.vectors.shape, self.questions.shape)).encode())
        for part in (self.vectors[:: max(1, self.size // 1000)], self.scopes, self.questions):
            made.update(np.ascontiguousarray(part).tobytes())
        return made.hexdigest()[:16]


def read_embeddings(paths: list[Path]) -> Floats:
    """(n, d) unit vectors from .npy files of shape (n, d). Raises ValueError for another shape or a zero vector."""
    parts = [np.asarray(np.load(path), np.float32) for path in paths]
    if any(part.ndim != 2 or part.shape[1] != parts[0].shape[1] for part in parts):
        raise ValueError(f"not all of one shape (n, d): {[part.shape for part in parts]}")
    return unit(np.concatenate(parts))


def synthetic(count: int, rng: np.random.Generator, *, dimensions: int = 384, topics: int = 40) -> Floats:
    """(count, d) stand-ins for real embeddings: topics on a subspace of 32 dimensions, and noise."""
    basis = rng.standard_normal((32, dimensions))
    centres = rng.standard_normal((topics, 32))
    inside = centres[rng.integers(topics, size=count)] + 0.6 * rng.standard_normal((count, 32))
    return unit((inside @ basis + 1.5 * rng.standard_normal((count, dimensions))).astype(np.float32))


def make(source: Floats, questions: Floats, size: int, *, seed: int = 1, shares: Floats | None = None) -> World:
    """A world of `size` vectors.

    Half of the vectors lie in topical scopes (each a stretch of related embeddings), half in scattered ones. `shares`
    (scopes,) weigh the scopes of a real access matrix, which are all topical; without them there are 1,500 Zipf scopes.
    """
    rng = np.random.default_rng(seed)
    vectors, origin = blend(source, size, rng)
    place = topic_places(source)[origin] + rng.random(size)
    if shares is None:
        scopes, topical = _zipf(place, rng)
    else:
        scopes = cut(np.argsort(place), sizes_of(shares, size, rng), size)
        topical = np.ones(len(shares), np.bool_)
    return World(vectors, scopes, topical, halved(questions))


def blend(source: Floats, size: int, rng: np.random.Generator) -> tuple[Floats, Integers]:
    """(size, d) unit vectors near those of `source`, and (size,) which of these each was made from."""
    near = neighbours(source, NEIGHBOURS)
    origin = rng.integers(len(source), size=size)
    vectors = np.empty((size, source.shape[1]), np.float32)
    for begin in range(0, size, BLOCK):
        base = origin[begin : begin + BLOCK]
        weights = rng.dirichlet(WEIGHTS, len(base)).astype(np.float32)
        picked = near[base[:, None], rng.integers(near.shape[1], size=(len(base), 2))]
        mixed = weights[:, :1] * source[base]
        mixed += weights[:, 1:2] * source[picked[:, 0]]
        mixed += weights[:, 2:] * source[picked[:, 1]]
        noise = rng.standard_normal(mixed.shape, np.float32) * np.float32(NOISE / np.sqrt(mixed.shape[1]))
        vectors[begin : begin + BLOCK] = halved(unit(unit(mixed) + noise))
    return vectors, origin


def neighbours(source: Floats, count: int) -> Integers:
    """(n, count) the most similar others of each row."""
    count = min(count, len(source) - 1)
    found = np.empty((len(source), count), np.int64)
    for begin in range(0, len(source), 1_000):
        rows = source[begin : begin + 1_000] @ source.T
        rows[np.arange(len(rows)), begin + np.arange(len(rows))] = -np.inf
        found[begin : begin + 1_000] = np.argpartition(-rows, count - 1, axis=1)[:, :count]
    return found


def topic_places(source: Floats) -> Integers:
    """(n,) the place of each row in a line where related rows lie together: halves along the main direction, again."""
    places = np.empty(len(source), np.int64)
    parts, at = [np.arange(len(source))], 0
    while parts:
        part = parts.pop()
        if len(part) <= LEAF:
            places[part] = at
            at += len(part)
            continue
        centred = source[part] - source[part].mean(axis=0)
        direction = centred[0] + centred[-1] * 0.5
        for _ in range(12):  # power iteration: nearly the first principal axis
            direction = centred.T @ (centred @ direction)
            direction /= max(float(np.linalg.norm(direction)), 1e-12)
        order = part[np.argsort(centred @ direction, kind="stable")]
        parts += [order[len(order) // 2 :], order[: len(order) // 2]]
    return places


def _zipf(place: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Even scopes are topical, odd ones scattered; Zipf sizes in each half."""
    size, each = len(place), SCOPES // 2
    mixed = rng.permutation(size)
    halves = (np.sort(mixed[: size // 2]), mixed[size // 2 :])
    scopes = np.empty(size, np.int32)
    weights = (1 / np.arange(1, each + 1)).astype(np.float32)
    for odd, rows in enumerate(halves):
        ordered = rows[np.argsort(place[rows])] if odd == 0 else rows
        scopes[rows] = (2 * cut(ordered, sizes_of(weights, len(rows), rng), size) + odd)[rows]
    return scopes, np.arange(SCOPES) % 2 == 0


def sizes_of(weights: Floats, size: int, rng: np.random.Generator) -> Integers:
    """Rows for each scope, by weight, in random order, `size` in all; each has at least one where there are enough."""
    least = 1 if size >= len(weights) else 0
    sizes = np.maximum(least, np.floor(weights.astype(np.float64) / weights.sum() * size)).astype(np.int64)
    for scope in np.argsort(-sizes, kind="stable"):
        over = int(sizes.sum()) - size
        sizes[scope] = max(least, sizes[scope] - over)
        if int(sizes.sum()) == size:
            break
    return np.asarray(sizes[rng.permutation(len(sizes))])


def cut(ordered: Integers, sizes: Integers, size: int) -> NDArray[np.int32]:
    """(size,) the scope of each row when the `ordered` rows are cut into runs; -1 for rows that are not among them."""
    scopes = np.full(size, -1, np.int32)
    scopes[ordered] = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    return scopes


def unit(vectors: Floats) -> Floats:
    """The same directions with length 1. Raises ValueError for a zero vector."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ValueError("a zero vector has no direction")
    return np.asarray(vectors / lengths, np.float32)


def halved(vectors: Floats) -> Floats:
    """Rounded to what half precision can hold."""
    return vectors.astype(np.float16).astype(np.float32)
