"""Consistency proofs (RFC 6962 section 2.1.2): the hashes that show that a later head only adds to an earlier one."""

from collections.abc import Sequence

from app.evidence.inclusion import NoProof
from app.evidence.merkle import Head, node_hash


def consistency_ranges(earlier: int, later: int) -> list[tuple[int, int]]:
    """The entries [first, end) under each hash of the proof from a tree of `earlier` entries to one of `later`.

    Each is a perfect subtree, but for those that end with the later tree. Raises NoProof unless 0 < earlier <= later.
    """
    if not 0 < earlier <= later:
        raise NoProof(f"no proof leads from a tree of {earlier} to one of {later}")
    if earlier == later:
        return []
    first, end, ranges, whole = 0, later, list[tuple[int, int]](), True
    # SUBPROOF of the RFC without its recursion: `whole` while the subtree is one of the earlier tree.
    while earlier - first != end - first:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if earlier <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first, whole = middle, False
    if not whole:
        ranges.append((first, end))
    return ranges[::-1]


def is_consistent(earlier: Head, later: Head, path: Sequence[bytes]) -> bool:
    """Whether the hashes show that the later head is over the entries of the earlier one and perhaps more.

    RFC 9162 section 2.1.4.2. An empty log is the beginning of every log.
    """
    if earlier.size > later.size:
        return False
    if earlier.size == later.size:
        return earlier.root == later.root and not path
    if earlier.size == 0:
        return not path
    # A perfect earlier tree is a node of the later one: its root begins the path.
    hashes = [earlier.root, *path] if earlier.size.bit_count() == 1 else list(path)
    return bool(hashes) and _roots(hashes, earlier.size - 1, later.size - 1) == (earlier.root, later.root)


def _roots(hashes: Sequence[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    """The roots of both trees to which the hashes lead, from the last place of each; None if they lead to none."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None
