"""How deep one has to look by code: against plain arithmetic, and for codes of known quality."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.codebook import setting_for
from app.evaluation import measures
from app.evaluation.codebook import (
    DEPTHS,
    NEAREST,
    NOT_OWN,
    TARGET_RECALL,
    SampleVectors,
    TooFewPassages,
    VectorBlock,
    ranks,
    recall,
    required_depth,
    table,
)
from app.indexing.quantizer import POINTS, ProductQuantizer
from app.retrieval import dense
from app.settings import SearchSettings

DIMENSIONS = 64
BOOK = ProductQuantizer(DIMENSIONS)

Vectors = NDArray[np.float32]


def unit(seed: int, n: int) -> Vectors:
    """Unit vectors around some hundred topics, in half precision as they are stored."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((100, DIMENSIONS))[rng.integers(0, 100, n)] + rng.standard_normal((n, DIMENSIONS))
    made: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    return made


def blocks(
    vectors: Vectors, size: int, *, codes: NDArray[np.uint8] | None = None, first: int = 1_000
) -> list[VectorBlock]:
    """The vectors in blocks, with ids from `first` on."""
    ids = np.arange(first, first + len(vectors), dtype=np.int64)
    coded = BOOK.encode(vectors) if codes is None else codes
    return [
        VectorBlock(ids[a : a + size], vectors[a : a + size], coded[a : a + size]) for a in range(0, len(ids), size)
    ]


def questions(seed: int, n: int) -> SampleVectors:
    """Vectors that are no passage."""
    return SampleVectors(unit(seed, n), np.full(n, NOT_OWN, np.int64))


def test_ranks_are_those_of_plain_arithmetic() -> None:
    """Decoded codes, whole products: the scan differs by its rounding to 8 bits alone."""
    vectors, asked = unit(1, 3_000), questions(2, 30)
    found = ranks(BOOK, asked, blocks(vectors, 700), max_depth=3_000)
    codes = BOOK.encode(vectors)
    values = np.stack((codes & 15, codes >> 4), axis=2).reshape(len(codes), -1)
    decoded = BOOK.centroids[np.arange(DIMENSIONS // 2), values].reshape(len(codes), DIMENSIONS)
    exact, coded = asked.vectors @ vectors.T, BOOK.rotate(asked.vectors) @ decoded.T
    for row in range(30):
        nearest = np.argsort(-exact[row], kind="stable")[:NEAREST]
        wanted = 1 + (coded[row][None] > coded[row][nearest][:, None]).sum(1)
        assert np.abs(found[row] - wanted).mean() < 0.03 * wanted.mean() + 1


def test_how_the_passages_come_in_blocks_changes_nothing() -> None:
    vectors, asked = unit(1, 2_500), questions(2, 20)
    whole = ranks(BOOK, asked, blocks(vectors, 2_500))
    for size in (40, 64, 999, 5_000):
        assert (ranks(BOOK, asked, blocks(vectors, size)) == whole).all(), size


def test_everything_is_found_if_one_looks_as_deep_as_there_are_passages() -> None:
    vectors = unit(3, 450)
    found = ranks(BOOK, questions(4, 25), blocks(vectors, 100))
    assert found.min() >= 1
    assert found.max() <= len(vectors)
    assert all(recall(found, k, len(vectors)).min() == 1.0 for k in TARGET_RECALL)
    last = {row.depth: row for row in table(found)}[450]
    assert all((mean.mean, mean.low, mean.high) == (1.0, 1.0, 1.0) for mean in last.recall.values())
    assert [row.depth for row in table(found)] == list(DEPTHS)


def test_coarser_codes_ask_for_a_greater_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 200)
    vectors, asked = unit(5, 4_000), questions(6, 60)
    depths = []
    for known in (DIMENSIONS, DIMENSIONS * 3 // 4, DIMENSIONS // 2):
        # A vector of which the last numbers are unknown has a code that says nothing of them.
        partly = BOOK.rotate(vectors)
        partly[:, known:] = 0
        values = ((partly.reshape(len(vectors), -1, 1, 2) * DIMENSIONS**0.5 - POINTS) ** 2).sum(3).argmin(2)
        codes = (values[:, 0::2] | values[:, 1::2] << 4).astype(np.uint8)
        found = ranks(BOOK, asked, blocks(vectors, 1_000, codes=codes))
        depths.append(required_depth(found) or 10**9)
        assert all(recall(found, k, depths[-1]).mean() >= share for k, share in TARGET_RECALL.items())
    assert depths[0] * 1.5 < depths[1]
    assert depths[1] * 1.5 < depths[2]


def test_a_passage_does_not_find_itself() -> None:
    vectors = unit(7, 900)
    vectors[500] = vectors[10]
    own = np.array([1_010, 1_200], np.int64)
    asked = SampleVectors(vectors[[10, 200]], own)
    found = ranks(BOOK, asked, blocks(vectors, 300))
    others = ranks(BOOK, SampleVectors(asked.vectors, np.full(2, NOT_OWN, np.int64)), blocks(vectors, 300))
    assert found[0, 0] == 1, "its copy is another passage"
    assert (others[1, 1:10] == found[1, :9] + 1).all(), "with its own row in front all others stand one further down"


def test_passages_that_tie_are_all_kept() -> None:
    """A form letter in every folder: whichever of them stands first, the cut lies behind all."""
    vectors = np.concatenate((np.repeat(unit(8, 1), 300, axis=0), unit(9, 700)))
    found = ranks(BOOK, SampleVectors(vectors[:1], np.array([1_000], np.int64)), blocks(vectors, 128), max_depth=100)
    assert (found == 1).all()


def test_what_lies_deeper_than_one_looks_is_not_called_near() -> None:
    vectors, asked = unit(5, 4_000), questions(6, 30)
    codes = np.random.default_rng(0).integers(0, 256, (4_000, BOOK.width)).astype(np.uint8)
    found = ranks(BOOK, asked, blocks(vectors, 1_000, codes=codes), max_depth=500)
    assert found.max() == 501
    assert required_depth(found, max_depth=500) is None


def test_the_interval_decides_and_not_the_mean() -> None:
    """Eight of two hundred questions lose one of ten: the mean passes, and luck may have been in it."""
    found = np.ones((200, NEAREST), np.int64)
    found[:8, 9] = 400
    assert recall(found, 10, 399).mean() >= TARGET_RECALL[10]
    assert required_depth(found) == 400
    found[2:8, 9] = 1
    assert required_depth(found) == 1


def test_too_few_passages_are_refused() -> None:
    with pytest.raises(TooFewPassages):
        ranks(BOOK, questions(1, 3), blocks(unit(2, NEAREST - 1), 20))
    with pytest.raises(TooFewPassages):
        ranks(BOOK, SampleVectors(unit(2, 1), np.array([1_000], np.int64)), blocks(unit(2, NEAREST), 20))


@pytest.mark.parametrize(("deep", "passages"), [(301, 5_000), (600, 100_000), (600, 1_000_000), (5_000, 30_000_000)])
def test_the_setting_reaches_the_depth_and_no_ten_less_do(deep: int, passages: int) -> None:
    setting = setting_for(deep, passages)
    assert dense.effective_depth(passages, setting) >= deep > dense.effective_depth(passages, setting - 10)


def test_the_default_is_that_of_the_dense_leg() -> None:
    assert SearchSettings().depth == dense.DEFAULT_DEPTH
