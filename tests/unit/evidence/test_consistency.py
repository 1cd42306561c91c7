"""Consistency proofs, held to the roots that the definition gives and to published vectors."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evidence.consistency import consistency_ranges, is_consistent
from app.evidence.inclusion import NoProof
from app.evidence.merkle import EMPTY_ROOT, Head, leaf_hash, merkle_root

LEAVES = [hashlib.sha256(bytes([n])).digest() for n in range(200)]
# The eight leaves of the reference implementation of Certificate Transparency, and its proofs between their trees.
PUBLISHED = [
    leaf_hash(bytes.fromhex(text).decode("latin-1"))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
PROOFS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def head(size: int, leaves: list[bytes] = LEAVES) -> Head:
    return Head(size, merkle_root(leaves[:size]) if size else EMPTY_ROOT)


def path(earlier: int, later: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return [merkle_root(leaves[first:end]) for first, end in consistency_ranges(earlier, later)]


@pytest.mark.parametrize("sizes", PROOFS)
def test_published_proofs(sizes: tuple[int, int]) -> None:
    earlier, later = sizes
    assert [each.hex() for each in path(earlier, later, PUBLISHED)] == PROOFS[sizes]
    assert is_consistent(head(earlier, PUBLISHED), head(later, PUBLISHED), path(earlier, later, PUBLISHED))


def test_every_pair_of_trees_is_proved() -> None:
    """The hashes over the ranges lead to both roots, by an algorithm that knows nothing of the ranges."""
    for later in range(1, 70):
        assert is_consistent(head(0), head(later), [])
        for earlier in range(1, later + 1):
            assert is_consistent(head(earlier), head(later), path(earlier, later)), (earlier, later)


@given(st.integers(1, 199), st.data())
def test_nothing_else_is_proved(earlier: int, data: st.DataObject) -> None:
    """Another root, another size, a hash more, less, or changed."""
    later = data.draw(st.integers(earlier + 1, 200))
    old, new, proof = head(earlier), head(later), path(earlier, later)
    other = hashlib.sha256(b"other").digest()
    assert not is_consistent(Head(earlier, other), new, proof)
    assert not is_consistent(old, Head(later, other), proof)
    assert not is_consistent(old, new, [*proof, other])
    assert not is_consistent(old, new, proof[:-1])
    assert not is_consistent(new, old, proof)
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not is_consistent(old, new, [*proof[:at], other, *proof[at + 1 :]])


def test_equal_sizes_are_equal_heads() -> None:
    assert is_consistent(head(5), head(5), [])
    assert not is_consistent(head(5), Head(5, bytes(32)), [])
    assert not is_consistent(head(5), head(5), [bytes(32)])
    assert not is_consistent(head(0), head(5), [bytes(32)])


def test_there_is_no_proof_backwards() -> None:
    for earlier, later in ((0, 5), (6, 5)):
        with pytest.raises(NoProof):
            consistency_ranges(earlier, later)
