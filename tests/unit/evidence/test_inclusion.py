"""Inclusion proofs, held to the roots that the definition gives."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evidence.inclusion import InclusionProof, NoProof, path_ranges, root_by_path
from app.evidence.merkle import Head, merkle_root

LEAVES = [hashlib.sha256(bytes([n])).digest() for n in range(200)]


def path(seq: int, size: int) -> list[bytes]:
    return [merkle_root(LEAVES[first:end]) for first, end in path_ranges(seq, size)]


def test_every_entry_of_every_tree_is_proved() -> None:
    """The hashes over the ranges lead to the root, by an algorithm that knows nothing of the ranges."""
    for size in range(1, 70):
        for seq in range(size):
            assert root_by_path(LEAVES[seq], seq, size, path(seq, size)) == merkle_root(LEAVES[:size])


def test_ranges_are_perfect_subtrees_or_end_with_the_tree() -> None:
    for size in range(1, 70):
        for seq in range(size):
            for first, end in path_ranges(seq, size):
                assert end == size or ((end - first).bit_count() == 1 and first % (end - first) == 0)


@given(st.integers(1, 200), st.data())
def test_nothing_else_is_proved(size: int, data: st.DataObject) -> None:
    """Another leaf, another place, another size, a hash more, less or changed, two in another order."""
    seq = data.draw(st.integers(0, size - 1))
    head, proof = Head(size, merkle_root(LEAVES[:size])), tuple(path(seq, size))
    assert InclusionProof(seq, head, proof).holds(LEAVES[seq])
    assert not InclusionProof(seq, head, proof).holds(hashlib.sha256(b"other").digest())
    assert not InclusionProof(seq, head, (*proof, LEAVES[0])).holds(LEAVES[seq])
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != seq)) if size > 1 else size
    assert not InclusionProof(other, head, proof).holds(LEAVES[seq])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not InclusionProof(seq, head, proof[:at] + proof[at + 1 :]).holds(LEAVES[seq])
        changed = (*proof[:at], bytes(32), *proof[at + 1 :])
        assert not InclusionProof(seq, head, changed).holds(LEAVES[seq])
    if len(proof) > 1:
        assert not InclusionProof(seq, head, (proof[1], proof[0], *proof[2:])).holds(LEAVES[seq])


@pytest.mark.parametrize(("seq", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_no_entry_has_no_proof(seq: int, size: int) -> None:
    with pytest.raises(NoProof):
        path_ranges(seq, size)
    with pytest.raises(NoProof):
        root_by_path(LEAVES[0], seq, size, [])


def test_a_path_of_another_length_leads_nowhere() -> None:
    for steps in (path(3, 8)[:-1], [*path(3, 8), LEAVES[0]]):
        with pytest.raises(NoProof):
            root_by_path(LEAVES[3], 3, 8, steps)
