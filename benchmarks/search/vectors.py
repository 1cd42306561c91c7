"""Vectors with the geometry of real embeddings, spread over access scopes. Pure; the same seed gives the same vectors.

A vector is a blend of a real embedding with two of its neighbours, and a little noise. Every value is a half-precision
number, so that a peer that stores `halfvec` and one that stores float32 hold the same vectors.
"""

from collections.abc import Sequence
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
class Vectors:
    """`rows` (n, d) of unit length, `scopes` (n,) the scope of each, `topical` (scopes,) which of these hold one topic.

    `questions` are (m, d).
    """

    rows: Floats
    scopes: NDArray[np.int32]
    topical: NDArray[np.bool_]
    questions: Floats

    @property
    def size(self) -> int:
        return len(self.rows)

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
        centres = np.zeros((len(self.topical), self.rows.shape[1]), np.float32)
        for scope, start in zip(filled, starts, strict=True):
            centres[scope] = self.rows[order[start : start + self.volumes[scope]]].mean(axis=0)
        return centres


def read_embeddings(paths: Sequence[Path]) -> Floats:
    """(n, d) unit vectors from .npy files of shape (n, d). Raises ValueError for another shape or a zero vector."""
    parts = [np.asarray(np.load(path), np.float32) for path in paths]
    if any(part.ndim != 2 or part.shape[1] != parts[0].shape[1] for part in parts):
        raise ValueError(f"not all of one shape (n, d): {[part.shape for part in parts]}")
    return unit(np.concatenate(parts))


def synthetic(count: int, *, dimensions: int = 384, topics: int = 40) -> Floats:
    """(count, d) stand-ins for real embeddings: topics on a subspace of 32 dimensions, and noise."""
    rng = np.random.default_rng(9)
    basis = rng.standard_normal((32, dimensions))
    centres = rng.standard_normal((topics, 32))
    inside = centres[rng.integers(topics, size=count)] + 0.6 * rng.standard_normal((count, 32))
    return unit((inside @ basis + 1.5 * rng.standard_normal((count, dimensions))).astype(np.float32))


def sources(embeddings: Sequence[Path] | None, questions: Sequence[Path] | None) -> tuple[Floats, Floats]:
    """Real embeddings and questions; without these some of the embeddings ask, without both synthetic ones."""
    source = read_embeddings(embeddings) if embeddings else synthetic(8_000)
    if not questions:
        return source[400:], source[:400]
    asked = read_embeddings(questions)
    return source, asked[np.random.default_rng(9).permutation(len(asked))]


def make(source: Floats, questions: Floats, size: int, *, seed: int = 1) -> Vectors:
    """`size` vectors: half in topical scopes (each a stretch of related embeddings), half in scattered ones."""
    rng = np.random.default_rng(seed)
    rows, origin = blend(source, size, rng)
    scopes, topical = zipf(topic_places(source)[origin] + rng.random(size), rng)
    return Vectors(rows, scopes, topical, halved(questions))


def blend(source: Floats, size: int, rng: np.random.Generator) -> tuple[Floats, Integers]:
    """(size, d) unit vectors near those of `source`, and (size,) which of these each was made from."""
    near = neighbours(source, NEIGHBOURS)
    origin = rng.integers(len(source), size=size)
    rows = np.empty((size, source.shape[1]), np.float32)
    for begin in range(0, size, BLOCK):
        base = origin[begin : begin + BLOCK]
        weights = rng.dirichlet(WEIGHTS, len(base)).astype(np.float32)
        picked = near[base[:, None], rng.integers(near.shape[1], size=(len(base), 2))]
        mixed = weights[:, :1] * source[base]
        mixed += weights[:, 1:2] * source[picked[:, 0]]
        mixed += weights[:, 2:] * source[picked[:, 1]]
        rows[begin : begin + BLOCK] = halved(noisy(unit(mixed), rng))
    return rows, origin


def noisy(rows: Floats, rng: np.random.Generator) -> Floats:
    """Unit vectors near these."""
    return unit(rows + rng.standard_normal(rows.shape, np.float32) * np.float32(NOISE / np.sqrt(rows.shape[1])))


def neighbours(source: Floats, limit: int) -> Integers:
    """(n, limit) the most similar others of each row."""
    limit = min(limit, len(source) - 1)
    near = np.empty((len(source), limit), np.int64)
    for begin in range(0, len(source), 1_000):
        rows = source[begin : begin + 1_000] @ source.T
        rows[np.arange(len(rows)), begin + np.arange(len(rows))] = -np.inf
        near[begin : begin + 1_000] = np.argpartition(-rows, limit - 1, axis=1)[:, :limit]
    return near


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


def zipf(place: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(n,) the scope of each row, and (scopes,) which are topical: even ones are, with rows that are near in `place`.

    In each half of the scopes the sizes fall as 1 / rank, and none is empty where there are rows enough.
    """
    size, each = len(place), SCOPES // 2
    mixed = rng.permutation(size)
    scopes = np.empty(size, np.int32)
    for odd, rows in enumerate((mixed[: size // 2], mixed[size // 2 :])):
        ordered = rows[np.argsort(place[rows])] if odd == 0 else rows
        scopes[ordered] = 2 * np.repeat(np.arange(each), zipf_sizes(each, len(rows), rng)) + odd
    return scopes, np.arange(SCOPES) % 2 == 0


def zipf_sizes(count: int, size: int, rng: np.random.Generator) -> Integers:
    """(count,) sizes that fall as 1 / rank, in random order, `size` in all."""
    least = 1 if size >= count else 0
    weights = 1 / np.arange(1, count + 1)
    sizes = np.maximum(least, np.floor(weights / weights.sum() * size)).astype(np.int64)
    for scope in range(count):
        sizes[scope] = max(least, sizes[scope] - (int(sizes.sum()) - size))
        if int(sizes.sum()) == size:
            break
    return rng.permutation(sizes)


def unit(rows: Floats) -> Floats:
    """The same directions with length 1. Raises ValueError for a zero vector."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ValueError("a zero vector has no direction")
    return np.asarray(rows / lengths, np.float32)


def halved(rows: Floats) -> Floats:
    """Rounded to what half precision can hold."""
    return rows.astype(np.float16).astype(np.float32)
