"""The generator of the retrieval benchmark: geometry, scopes, regimes, real matrices; and the judge of answers."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.retrieval.cases import Case, cell_name, fill, make_cases, mask, matrix_cases, read_matrix, visible
from benchmarks.retrieval.curves import hidden_worlds
from benchmarks.retrieval.truth import truth_of
from benchmarks.retrieval.world import World, cut, make, read_embeddings, sizes_of, synthetic, topic_places

SIZE = 20_000


@pytest.fixture(scope="module")
def world() -> World:
    """20,000 vectors from synthetic embeddings."""
    source = synthetic(1_240, np.random.default_rng(3))
    return make(source[:1_200], source[1_200:], SIZE)


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    source = synthetic(300, np.random.default_rng(3))
    first, again, other = (make(source, source[:5], 500, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.vectors, again.vectors)
    assert np.array_equal(first.scopes, again.scopes)
    assert first.digest == again.digest != other.digest


def test_vectors_are_unit_half_precision_and_lie_near_real_ones(world: World) -> None:
    assert np.array_equal(world.vectors, world.vectors.astype(np.float16).astype(np.float32))
    assert np.abs(np.linalg.norm(world.vectors, axis=1) - 1).max() < 2e-3
    source = synthetic(1_240, np.random.default_rng(3))[:1_200]
    assert np.median((world.vectors[:200] @ source.T).max(axis=1)) > 0.8


def test_scopes_are_zipf_and_none_is_empty(world: World) -> None:
    volumes = np.sort(world.volumes)[::-1]
    assert len(volumes) == 1_500
    assert volumes.sum() == SIZE
    assert volumes.min() == 1
    # In each half the second largest holds half of one part in H(750) = 7.2, the tenth a tenth of it.
    assert volumes[2:4].tolist() == pytest.approx([SIZE / 2 / 7.2 / 2] * 2, rel=0.05)
    assert volumes[18:20].tolist() == pytest.approx([SIZE / 2 / 7.2 / 10] * 2, rel=0.05)


def test_topical_scopes_hold_related_vectors_and_scattered_ones_do_not(world: World) -> None:
    large = world.volumes >= 20
    lengths = np.linalg.norm(world.centres, axis=1)  # of a mean of unit vectors: 1 if all are equal
    assert lengths[large & world.topical].mean() > lengths[large & ~world.topical].mean() + 0.3


@pytest.mark.parametrize("fraction", [1.0, 0.3, 0.1, 0.01, 0.001])
def test_callers_see_the_share_that_the_cell_says(world: World, fraction: float) -> None:
    for case in make_cases(world, fractions=(fraction,), questions=5):
        assert case.rows == mask(world, case.caller).sum() == world.volumes[list(case.caller.scopes)].sum()
        assert case.rows == pytest.approx(fraction * SIZE, rel=0.05)


def test_regimes_differ_in_where_the_answers_lie(world: World) -> None:
    """The share of the hundred nearest of all vectors that a caller sees, who sees a tenth of all."""
    shares: dict[str, list[float]] = {}
    for case in make_cases(world, fractions=(0.1,), questions=20):
        nearest = np.argsort(-(world.vectors @ world.questions[case.question]))[:100]
        shares.setdefault(case.cell, []).append(float(mask(world, case.caller)[nearest].mean()))
    inside, scattered, outside = (np.mean(shares[cell_name(0.1, r)]) for r in ("corr", "rand", "anti"))
    assert inside > 0.3
    assert 0.05 < scattered < 0.2
    assert outside < 0.01


def test_an_unknown_regime_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no regime 'middling'"):
        visible(world, 0.1, "middling", world.questions[0], np.random.default_rng(0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40), st.integers(1, 500))
def test_sizes_add_up(weights: list[float], size: int) -> None:
    sizes = sizes_of(np.asarray(weights, np.float32), size, np.random.default_rng(0))
    assert sizes.sum() == size
    assert sizes.min() >= (1 if size >= len(weights) else 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30).filter(any), st.integers(1, 100))
def test_filling_stays_within_its_rows_or_takes_one_scope(volumes: list[int], rows: int) -> None:
    chosen = fill(np.arange(len(volumes)), np.asarray(volumes), rows)
    held = [volumes[scope] for scope in chosen]
    assert all(held)
    assert len(set(chosen.tolist())) == len(chosen)
    assert sum(held) <= rows or held == [min(v for v in volumes if v)]


def test_cutting_gives_each_row_its_run() -> None:
    assert cut(np.asarray([3, 0, 4]), np.asarray([2, 0, 1]), 5).tolist() == [0, -1, -1, 0, 2]


def test_topic_places_put_related_rows_together_in_small_groups() -> None:
    source = synthetic(200, np.random.default_rng(1))
    places, groups = topic_places(source), np.unique(topic_places(source), return_counts=True)
    assert groups[0].tolist() == np.concatenate([[0], np.cumsum(groups[1])[:-1]]).tolist()
    assert groups[1].max() <= 8
    alike = source @ source.T
    together = places[:, None] == places[None, :]
    np.fill_diagonal(together, False)
    assert alike[together].mean() > alike[~together].mean() + 0.2


def test_embeddings_of_two_shapes_or_of_no_direction_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    np.save(files[0], np.ones((3, 4)))
    np.save(files[1], np.ones((3, 5)))
    with pytest.raises(ValueError, match="not all of one shape"):
        read_embeddings(files)
    np.save(files[1], np.zeros((3, 4)))
    with pytest.raises(ValueError, match="zero vector"):
        read_embeddings(files)
    assert np.allclose(read_embeddings(files[:1]), 0.5)


def test_a_real_matrix_gives_scopes_by_readers_and_callers_by_users(tmp_path: Path) -> None:
    """Objects 1 and 2 have the same readers, so they are one scope, twice as large as that of object 3."""
    file = tmp_path / "tiny.upa.csv.gz"
    pairs = ((7, 1), (8, 1), (7, 2), (8, 2), (8, 3))
    file.write_bytes(gzip.compress(("user,permission\n" + "".join(f"{u},{o}\n" for u, o in pairs)).encode()))
    matrix = read_matrix(file)
    assert sorted(matrix.shares.tolist()) == [1, 2]
    assert {user: sum(matrix.shares[list(s)]) for user, s in matrix.sees.items()} == {7: 2, 8: 3}
    source = synthetic(60, np.random.default_rng(1))
    world = make(source, source[:4], 300, shares=matrix.shares)
    assert sorted(world.volumes.tolist()) == [100, 200]
    cases = matrix_cases(world, matrix, questions=30)
    assert {case.caller.scopes for case in cases} == set(matrix.sees.values())
    assert {case.rows for case in cases} == {200, 300}


def test_hidden_worlds_hold_the_same_visible_rows_and_the_same_answers(world: World) -> None:
    answers, sizes = [], []
    for count, part, cases in hidden_worlds(world, 1_000, (0, 500, 5_000), 3):
        assert [case.rows for case in cases] == [mask(part, case.caller).sum() for case in cases] == [1_000] * 3
        sizes.append((count, part.size))
        scores = part.vectors @ part.questions[cases[0].question]
        answers.append(part.vectors[truth_of(part, cases[0], scores, 10).best])
    assert sizes == [(0, 1_000), (500, 1_500), (5_000, 6_000)]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


def tiny() -> tuple[World, Case]:
    """Six vectors, of which the caller sees all but the best."""
    angles = np.asarray([0.0, 0.1, 0.1, 0.2, 0.3, 1.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    scopes = np.asarray([1, 0, 0, 0, 2, 2], np.int32)
    world = World(vectors, scopes, np.ones(3, np.bool_), np.asarray([[1, 0]], np.float32))
    return world, make_case(world, (0, 2))


def make_case(world: World, scopes: tuple[int, ...]) -> Case:
    caller = next(iter(make_cases(world, fractions=(1.0,)))).caller
    return Case("tiny", type(caller)(5, scopes), 0, int(world.volumes[list(scopes)].sum()))


def test_the_truth_holds_visible_rows_alone_and_breaks_ties_by_id() -> None:
    world, case = tiny()
    assert truth_of(world, case, world.vectors @ world.questions[0], 3).best.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("found", "k", "recall", "hidden", "short"),
    [
        ([1, 2, 3], 3, 1.0, 0, 0),
        ([2], 1, 1.0, 0, 0),  # a tie is no mistake
        ([3], 1, 0.0, 0, 0),
        ([0, 1, 2], 3, 2 / 3, 1, 0),  # a hidden row is no hit, however near
        ([1, 1, 2], 3, 2 / 3, 0, 1),  # nor is a row twice
        ([], 3, 0.0, 0, 3),
        ([1, 2, 3, 4, 5], 10, 1.0, 0, 0),  # all that there is
    ],
)
def test_judging(found: list[int], k: int, recall: float, hidden: int, short: int) -> None:
    world, case = tiny()
    judged = truth_of(world, case, world.vectors @ world.questions[0], 10).judge(world, case, found, k)
    assert judged.recall == pytest.approx(recall)
    assert (judged.hidden, judged.short) == (hidden, short)
