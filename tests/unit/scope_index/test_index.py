"""The lists without a database: segments against a brute-force scan, snapshots as sets, parts that change nothing."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.retrieval.dense import best_candidates
from app.scope_index import index
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries, ScanResult, merge
from app.scope_index.segment import MIN_OWN_LIST, Segment
from app.scope_index.snapshot import Snapshot
from tests.support.waiting import wait_for

BOOK = ProductQuantizer(64)


def vectors(seed: int, n: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((n, 64)).astype(np.float32)
    made: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return made


def entries(seed: int, sizes: list[int], *, first: int = 0) -> Entries:
    """So many entries in scopes 10, 20, 30, …, in no order."""
    n = sum(sizes)
    order = np.random.default_rng(seed).permutation(n)
    scopes = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32) * 10, sizes)[order]
    return Entries(first + np.arange(n, dtype=np.int64), scopes, BOOK.encode(vectors(seed, n)))


def merged(found: list[ScanResult]) -> dict[int, float]:
    return {int(i): float(s) for near in found for i, s in zip(near.ids, near.scores, strict=True)}


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1_000),
    sizes=st.lists(st.integers(1, 3 * MIN_OWN_LIST), min_size=1, max_size=30),
    data=st.data(),
)
def test_a_scan_gives_the_best_of_the_named_scopes_and_no_other(
    seed: int, sizes: list[int], data: st.DataObject
) -> None:
    """Small scopes in shared blocks and large ones with lists of their own, against all codes compared one by one."""
    given = entries(seed, sizes)
    segment = Segment(BOOK, given)
    known = (np.arange(1, len(sizes) + 1) * 10).tolist()
    chosen = np.array(sorted(data.draw(st.sets(st.sampled_from([*known, 5, 15, 995]), min_size=1))), np.int32)
    depth = data.draw(st.sampled_from([1, 7, 40, 10_000]))
    turned = BOOK.rotate(vectors(seed + 1, 1))
    whole = merged(segment.scan(turned, np.array(known, np.int32), 10_000))
    assert len(whole) == len(given) == segment.size
    visible = {int(i) for i, s in zip(given.ids, given.scopes, strict=True) if s in chosen}
    parts = segment.scan(turned, chosen, depth)
    found = merged(parts)
    assert found.keys() <= visible
    assert all(whole[i] == score for i, score in found.items()), "a score depends on the other scopes"
    bound = max(near.bound for near in parts)
    assert all(whole[i] <= bound for i in visible - found.keys()), "something better was left out"
    assert len(found) >= min(depth, len(visible))


def test_codes_rank_nearly_as_the_vectors_do() -> None:
    given, query = vectors(1, 3_000), vectors(2, 1)
    segment = Segment(BOOK, Entries(np.arange(3_000), np.ones(3_000, np.int32), BOOK.encode(given)))
    (near,) = segment.scan(BOOK.rotate(query), np.array([1], np.int32), 100)
    exact = np.argsort(-(given @ query[0]))[:10]
    assert len(set(exact.tolist()) & set(near.ids.tolist())) == 10


# The newest transaction that a snapshot counts has always ended: PostgreSQL puts its end right behind that.
SNAPSHOTS = st.integers(1, 12).flatmap(
    lambda xmax: st.frozensets(st.integers(1, max(xmax - 2, 1)), max_size=xmax - 2 if xmax > 2 else 0).map(
        lambda running: Snapshot(min(running, default=xmax), xmax, running)
    )
)


@given(one=SNAPSHOTS, other=SNAPSHOTS)
def test_covers_is_inclusion_of_what_is_seen(one: Snapshot, other: Snapshot) -> None:
    seen = [{x for x in range(1, 14) if s.sees(x)} for s in (one, other)]
    assert one.covers(other) == (seen[1] <= seen[0])
    assert Snapshot.parse(str(one)) == one


class Written:
    """A source whose transactions are numbered as they commit; what is deleted is gone at the next load."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Entries]] = []
        self.now = 1
        self.closed = self.broken = False

    def write(self, rows: Entries) -> Snapshot:
        self.rows.append((self.now, rows))
        self.now += 1
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        return Snapshot(self.now, self.now, frozenset())

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        if self.broken:
            raise DatabaseUnavailable("gone")
        return self.snapshot(), Entries.join(entries(0, []), *(r for _, r in self.rows))

    def changes(self, since: Snapshot) -> tuple[Snapshot, Entries]:
        return self.snapshot(), Entries.join(entries(0, []), *(r for x, r in self.rows if not since.sees(x)))

    def count(self) -> int:
        return sum(len(r) for _, r in self.rows)

    def close(self) -> None:
        self.closed = True


NOTHING = entries(0, [])
SCOPES = np.array([10, 20, 30], np.int32)


def asked(lists: ScopeIndex, source: Written, snapshot: Snapshot, depth: int = 50) -> ScanResult | None:
    """As a reader of this snapshot does it: with what the lists may lack."""
    view = lists.view(snapshot)
    if view is None:
        return None
    fresh = Entries.join(NOTHING, *(r for x, r in source.rows if snapshot.sees(x) and not view.since.sees(x)))
    query = vectors(99, 1)[0]
    return merge([view.scan(query, SCOPES, depth=depth), view.score(query, fresh)], depth)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1_000),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=9),
    depth=st.sampled_from([5, 60, 399, 900]),
)
def test_parts_change_nothing(seed: int, cuts: list[tuple[int, bool]], depth: int) -> None:
    """However the entries came, in one load, a few at a time or with the reader: the same candidates, bit for bit."""
    given = entries(seed, [20, 180, 200])
    together = Written()
    snapshot = together.write(given)
    whole = ScopeIndex(together, BOOK)
    whole.load()
    source = Written()
    parts = ScopeIndex(source, BOOK)
    parts.load()
    edges = [(0, False), *sorted(cuts), (400, False)]
    for (a, _), (b, follow) in itertools.pairwise(edges):
        where = np.zeros(400, bool)
        where[a:b] = True
        source.write(given.pick(where))
        if follow:
            parts.follow()
    one, other = asked(whole, together, snapshot, depth), asked(parts, source, source.snapshot(), depth)
    assert one is not None
    assert other is not None
    bound = max(one.bound, other.bound)
    kept = [[(i, s) for i, s in zip(c.ids.tolist(), c.scores.tolist(), strict=True) if s > bound] for c in (one, other)]
    assert kept[0] == kept[1]
    assert len(one.ids) >= min(depth, 400)
    assert len(other.ids) >= min(depth, 400)
    generation = parts._generation
    assert generation is not None
    sizes = [p.segment.size for p in generation.tail]
    assert all(a > index.MERGE_RATIO * b for a, b in itertools.pairwise(sizes)), "parts of like size lie side by side"


def test_a_reader_uses_the_newest_reading_that_it_covers() -> None:
    source = Written()
    first = source.write(entries(1, [50]))
    lists = ScopeIndex(source, BOOK)
    assert lists.view(first) is None, "not loaded"
    assert not lists.ready
    lists.load()
    readers = [first]
    for n in range(3):
        readers.append(source.write(entries(n, [50], first=50 * (n + 1))))
        lists.follow()
    views = [lists.view(reader) for reader in readers]
    assert [v.since for v in views if v is not None] == readers
    between = source.write(entries(9, [5], first=900))
    view = lists.view(between)
    assert view is not None
    assert view.since == readers[-1]


def test_what_came_and_went_between_two_readings_is_brought_by_the_reader_that_sees_it() -> None:
    """Written after the base was read and deleted before the next reading: the lists never held it."""
    source = Written()
    source.write(entries(1, [50]))
    lists = ScopeIndex(source, BOOK)
    lists.load()
    reader = source.write(entries(2, [10], first=50))
    seen = list(source.rows)
    source.rows = source.rows[:1]
    source.write(entries(3, [10], first=60))
    lists.follow()
    source.rows = seen
    found = asked(lists, source, reader, depth=100)
    assert found is not None
    assert set(range(60)) <= set(found.ids.tolist())


def test_a_reader_older_than_the_base_is_not_answered() -> None:
    """What was deleted in between is not in the new base, and that reader still sees it."""
    source = Written()
    old = source.write(entries(1, [50]))
    source.write(entries(2, [10], first=50))
    lists = ScopeIndex(source, BOOK)
    lists.load()
    assert lists.view(old) is None
    assert lists.view(source.snapshot()) is not None


def test_the_base_is_made_anew_when_much_waits_or_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MIN_TAIL", 100)
    monkeypatch.setattr(index, "COUNT_INTERVAL", 0.0)
    source = Written()
    source.write(entries(1, [300]))
    lists = ScopeIndex(source, BOOK)
    assert lists._must_load()
    lists.load()
    assert not lists._must_load()
    source.write(entries(2, [101], first=300))
    lists.follow()
    assert lists._must_load(), "the tail is long"
    lists.load()
    assert not lists._must_load()
    source.rows = source.rows[1:]
    assert lists._must_load(), "much is dead"


def test_it_loads_and_follows_in_the_background_and_lets_go_at_the_end() -> None:
    source = Written()
    source.write(entries(1, [50]))
    lists = ScopeIndex(source, BOOK)
    lists.start(seconds=0.01)
    wait_for(lambda: lists.ready)
    newer = source.write(entries(2, [50], first=50))

    def follows() -> bool:
        view = lists.view(newer)
        return view is not None and view.since == newer

    wait_for(follows)
    lists.close()
    assert source.closed


class Endless(Written):
    """Is never read to its end."""

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        while True:
            progress(1)


def test_lists_that_are_still_loading_let_go_at_once() -> None:
    source = Endless()
    lists = ScopeIndex(source, BOOK)
    lists.start(seconds=0.01)
    lists.close()
    assert source.closed


def test_a_database_that_is_gone_is_tried_again() -> None:
    source = Written()
    source.broken = True
    lists = ScopeIndex(source, BOOK)
    lists.start(seconds=0.01)
    with pytest.raises(AssertionError, match="never"):
        wait_for(lambda: lists.ready, seconds=0.1)
    source.broken = False
    wait_for(lambda: lists.ready)
    lists.close()


def test_the_best_that_are_there_with_all_ties() -> None:
    found = ScanResult(np.array([4, 9, 4, 7, 1, 2, 3]), np.array([9, 8, 9, 7, 7, 7, 5], np.float32), 5.0)
    there = dict.fromkeys([4, 7, 1, 2, 3], 0.5)
    assert best_candidates(found, there, 1) == [4]
    assert best_candidates(found, there, 2) == [4, 7, 1, 2], "all that tie at the cut"
    assert best_candidates(found, there, 4) == [4, 7, 1, 2]
    assert best_candidates(found, there, 5) is None, "what scores as the bound may have been left out"
    everything = ScanResult(found.ids, found.scores, -np.inf)
    assert best_candidates(everything, there, 5) == [4, 7, 1, 2, 3]
    assert best_candidates(everything, there, 6) is None
