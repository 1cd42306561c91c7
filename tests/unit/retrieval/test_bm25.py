"""BM25 over packed lists: what it skips changes nothing, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.indexing.postings import pack
from app.indexing.terms import Counts
from app.retrieval import bm25
from app.retrieval.bm25 import FIELD_WEIGHTS, K1, B, Corpus, Ids, InvertedList, best, idf, restrict


def random_lists(seed: int, words: int, passages: int) -> list[Ids]:
    """Lists of very different lengths over the same passages, whose lengths differ too; many passages are equal."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 4, passages) * 40
    lists = []
    for share in rng.choice([0.002, 0.02, 0.2, 0.6, 0.95], words):
        chunks = np.flatnonzero(rng.random(passages) < share)
        entries = [
            pack(7 * int(c) + 3, Counts(int(rng.integers(2)), 0, int(rng.integers(1, 4))), int(lengths[c]))
            for c in chunks
        ]
        lists.append(rng.permutation(np.array(entries, np.int64)))
    return lists


def exhaustive(lists: list[Ids], weights: list[float], mean: float, limit: int) -> list[tuple[int, float]]:
    """Every passage scored, word by word, in plain Python."""
    scores: dict[int, float] = {}
    title, headings, body = FIELD_WEIGHTS
    for entries, weight in zip(lists, weights, strict=True):
        for entry in entries.tolist():
            length, tf = entry & 2047, (entry >> 11 & 127) * body
            tf = (entry >> 22 & 7) * title + (entry >> 18 & 15) * headings + tf
            part = weight * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / mean))
            scores[entry >> 25] = scores.get(entry >> 25, 0.0) + part
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def best_of(lists: list[Ids], limit: int, corpus: Corpus) -> bm25.Best:
    weights = [idf(corpus, len(entries)) for entries in lists]
    return best([InvertedList(entries) for entries in lists], weights, corpus.mean, limit)


def differs(lists: list[Ids], limit: int, corpus: Corpus) -> bool:
    """Whether `best` finds other passages, scores or another order than scoring them one by one."""
    found = best_of(lists, limit, corpus)
    weights = [idf(corpus, len(entries)) for entries in lists]
    wanted = exhaustive(lists, weights, corpus.mean, limit)
    return list(zip(found.chunks.tolist(), found.scores.tolist(), strict=True)) != wanted


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.integers(0, 10**6), st.integers(0, 8), st.integers(1, 1500), st.integers(1, 60), st.sampled_from([1, 64, 4096])
)
def test_skipping_changes_no_bit(seed: int, words: int, passages: int, limit: int, blocks: int) -> None:
    """With so few blocks, too, that each holds many passages, as blocks of millions of passages do."""
    lists = random_lists(seed, words, passages)
    corpus = Corpus(passages, 80 * passages)
    limit = min(limit, max(blocks - 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25, "MIN_BLOCKS", max(blocks, 16))
        patch.setattr(bm25, "MAX_BLOCKS", max(blocks, 16))
        assert not differs(lists, limit, corpus)
        found = best_of(lists, limit, corpus)
    for n, entries in enumerate(lists):
        assert found.stands[n].tolist() == np.isin(found.chunks, entries >> 25).tolist()


@pytest.mark.parametrize("mutant", ["bound too low", "ties dropped", "reached too high"])
def test_a_careless_bound_is_found(monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    """Test of the test: what would drop passages that belong to the best."""
    rounded, reached = bm25._Scale.rounded, bm25._reached
    if mutant == "bound too low":
        monkeypatch.setattr(bm25._Scale, "rounded", lambda *given: rounded(*given) * np.float32(0.9))
    elif mutant == "ties dropped":
        monkeypatch.setattr(bm25, "BOUND_MARGIN", -1e-4)
    else:
        monkeypatch.setattr(bm25, "_reached", lambda scores, limit: reached(scores, max(limit // 2, 1)))
    worlds = ((random_lists(seed, 5, 1500), Corpus(1500, 80 * 1500)) for seed in range(20))
    assert any(differs(lists, 40, corpus) for lists, corpus in worlds)


def test_few_passages_are_scored_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else there was nothing to prove: of long lists only what blocks with high bounds hold is scored."""
    rng = np.random.default_rng(1)
    rare = np.array([pack(c, Counts(body=3), 80) for c in range(0, 30_000, 100)], np.int64)
    common = np.array([pack(c, Counts(body=1), 80) for c in rng.permutation(20_000).tolist()], np.int64)
    corpus = Corpus(30_000, 80 * 30_000)
    scored: list[int] = []
    parts = bm25._Scale.contributions

    def counted(scale: bm25._Scale, entries: Ids, weight: float) -> bm25.Floats:
        scored.append(len(entries))
        return parts(scale, entries, weight)

    monkeypatch.setattr(bm25._Scale, "contributions", counted)
    assert not differs([rare, common], 20, corpus)
    assert sum(scored) < len(common) / 4


def test_who_shares_a_block_does_not_follow_from_the_distance_of_numbers() -> None:
    """Between the numbers of visible passages stand those of hidden ones: they must not make bounds closer or wider."""
    sizes = []
    for apart in (1, 2, 16, 1_000, 4_096):
        entries = np.arange(20_000, dtype=np.int64) * 16 * apart << 25
        sizes.append(len(np.unique(bm25._blocks(entries, 1 << 20, bm25.MIXES[0]))))
    # 20,000 drawn from the 65,536 lines of sixteen blocks.
    assert max(sizes) - min(sizes) < 600, sizes


def test_idf_falls_with_frequency_and_stays_positive() -> None:
    corpus = Corpus(1000, 5000)
    weights = [idf(corpus, df) for df in range(1001)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
    assert weights[10] == pytest.approx(math.log(1 + 990.5 / 10.5))
    assert Corpus(0, 0).mean == 1.0


def test_bounds() -> None:
    entries = np.array([pack(c, Counts(body=1), 9) for c in (4, 1, 9)], np.int64)
    assert (restrict(entries) >> 25).tolist() == [4, 1, 9]
    assert (restrict(entries, among=np.array([1, 9, 12])) >> 25).tolist() == [1, 9]
    assert (restrict(entries, among=np.array([], np.int64)) >> 25).tolist() == []
    assert (restrict(entries, without=np.array([9])) >> 25).tolist() == [4, 1]
