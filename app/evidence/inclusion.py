"""Inclusion proofs (RFC 6962 section 2.1.1): the few hashes that lead from one entry to a head over all."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.evidence.merkle import Head, node_hash


class NoProof(ValueError):
    """The hashes cannot lead from this entry to a head of this size."""


@dataclass(frozen=True)
class InclusionProof:
    """The place of an entry, the head it is proved under, and the hashes between them, from the leaf up."""

    seq: int
    head: Head
    path: tuple[bytes, ...]

    def holds(self, leaf: bytes) -> bool:
        """Whether the path leads from this leaf hash to the head's root."""
        try:
            return root_by_path(leaf, self.seq, self.head.size, self.path) == self.head.root
        except NoProof:
            return False


def path_ranges(seq: int, size: int) -> list[tuple[int, int]]:
    """The entries [first, end) under each hash of the path of entry `seq` in a tree of `size`, from the leaf up.

    Each is a perfect subtree, but for those that end with the tree. Raises NoProof if there is no such entry.
    """
    if not 0 <= seq < size:
        raise NoProof(f"no entry {seq} stands in a tree of {size}")
    first, end, ranges = 0, size, list[tuple[int, int]]()
    while end - first > 1:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if seq < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def root_by_path(leaf: bytes, seq: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a path leads from the leaf hash of entry `seq` (RFC 9162 section 2.1.3.2). Raises NoProof."""
    if not 0 <= seq < size:
        raise NoProof(f"no entry {seq} stands in a tree of {size}")
    node, place, last = leaf, seq, size - 1
    for beside in path:
        if last == 0:
            raise NoProof("the path is longer than the tree is high")
        if place & 1 or place == last:
            node = node_hash(beside, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        place, last = place >> 1, last >> 1
    if last:
        raise NoProof("the path ends below the root")
    return node
